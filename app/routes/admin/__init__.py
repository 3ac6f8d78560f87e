"""Pages for the provider's people."""

from litestar.types import ControllerRouterHandler

from app.routes.admin.address_audits import AddressAudits
from app.routes.admin.addresses import Addresses
from app.routes.admin.allocation import Allocation
from app.routes.admin.api_reference import ApiReference
from app.routes.admin.backlog import Backlog
from app.routes.admin.cables import Cables
from app.routes.admin.client_console import ClientConsole
from app.routes.admin.client_serial import ClientSerial
from app.routes.admin.client_services import Services
from app.routes.admin.client_usage import ClientUsage
from app.routes.admin.connection_group import ConnectionGroups
from app.routes.admin.connections import Connections
from app.routes.admin.cpu_models import CpuModels
from app.routes.admin.dashboard import Dashboard
from app.routes.admin.delivery import Deliveries
from app.routes.admin.devices import Devices
from app.routes.admin.discovery import Discovery
from app.routes.admin.flow_deeds import FlowDeeds
from app.routes.admin.flow_import import FlowImport
from app.routes.admin.flow_start import FlowStart
from app.routes.admin.flow_trials import FlowTrials
from app.routes.admin.flows import Flows
from app.routes.admin.game_product import GameProduct
from app.routes.admin.game_rules import GameRulesPage
from app.routes.admin.invoice_decisions import InvoiceDecisions
from app.routes.admin.invoices import Invoices
from app.routes.admin.layouts import LayoutsPage
from app.routes.admin.machine_deeds import MachineDeeds
from app.routes.admin.machine_product import MachineProduct
from app.routes.admin.machine_rules import MachineRulesPage
from app.routes.admin.machines import Machines
from app.routes.admin.mail_templates import MailTemplates
from app.routes.admin.mails import Mails
from app.routes.admin.moves import Moves
from app.routes.admin.node_adopt import NodeAdopt
from app.routes.admin.node_enrol import NodeEnrol
from app.routes.admin.node_errands import NodeErrands
from app.routes.admin.nodes import Nodes
from app.routes.admin.orders import Orders
from app.routes.admin.prefix import OnePrefix
from app.routes.admin.prefixes import Prefixes
from app.routes.admin.product_script import ProductScript
from app.routes.admin.racks import Racks
from app.routes.admin.reservations import Reservations
from app.routes.admin.reverse_dns import ReverseDns
from app.routes.admin.run_deeds import RunDeeds
from app.routes.admin.runs import Runs
from app.routes.admin.runs_many import ManyRuns
from app.routes.admin.server_bmc import ServerBmc
from app.routes.admin.server_burn_in import ServerBurnIn
from app.routes.admin.server_change import ServerChanges
from app.routes.admin.server_import import ServerImport, export_servers
from app.routes.admin.server_place import ServerPlace
from app.routes.admin.server_power import ServerPower, TakenPower
from app.routes.admin.server_screen import ServerScreen
from app.routes.admin.server_switch import ServerSwitch
from app.routes.admin.servers import Servers
from app.routes.admin.service_deeds import ServiceDeeds
from app.routes.admin.space_import import SpaceImport, export_prefixes
from app.routes.admin.stock import StockPages
from app.routes.admin.switches import Switches
from app.routes.admin.tokens import Tokens
from app.routes.admin.vlans import Vlans
from app.routes.admin.vrfs import Vrfs

ADMIN: tuple[ControllerRouterHandler, ...] = (
    Dashboard,
    Orders,
    Allocation,
    StockPages,
    LayoutsPage,
    ProductScript,
    MachineRulesPage,
    GameProduct,
    GameRulesPage,
    MachineProduct,
    Machines,
    MachineDeeds,
    Nodes,
    Backlog,
    Runs,
    RunDeeds,
    Flows,
    FlowDeeds,
    FlowStart,
    FlowTrials,
    FlowImport,
    ManyRuns,
    Connections,
    ConnectionGroups,
    Services,
    ClientUsage,
    ClientConsole,
    ClientSerial,
    ServiceDeeds,
    Servers,
    ServerBurnIn,
    ServerChanges,
    ServerImport,
    export_servers,
    ServerPlace,
    Discovery,
    ServerBmc,
    ServerPower,
    NodeEnrol,
    NodeAdopt,
    NodeErrands,
    TakenPower,
    ServerScreen,
    ServerSwitch,
    Racks,
    Devices,
    Switches,
    Cables,
    CpuModels,
    Deliveries,
    Moves,
    Prefixes,
    SpaceImport,
    export_prefixes,
    OnePrefix,
    Addresses,
    Vlans,
    Vrfs,
    Reservations,
    AddressAudits,
    ReverseDns,
    Invoices,
    InvoiceDecisions,
    Mails,
    MailTemplates,
    Tokens,
    ApiReference,
)
"""Every handler of the admin side, for the composition root."""
