"""The REST API for programs, at `/api/v1`; docs/api.md says how it is used."""

from litestar import Router
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin, YamlRenderPlugin
from litestar.openapi.spec import Tag
from litestar.types import ControllerRouterHandler

from app.routes.api.address_audits import AddressAudits
from app.routes.api.addresses import AddressClaims, set_hostname, show_address
from app.routes.api.allocation import ALLOCATION
from app.routes.api.available import Available
from app.routes.api.cpu_models import CpuEquivalences, CpuModels
from app.routes.api.deliveries import NewDeliveries
from app.routes.api.devices import Devices
from app.routes.api.flow_deeds import FlowDeeds
from app.routes.api.flow_start import start_a_flow
from app.routes.api.flow_trials import FLOW_TRIALS
from app.routes.api.flows import Flows, check_flow, list_flow_bindings, show_schema
from app.routes.api.machines import MACHINE_ROUTES
from app.routes.api.needs import COMPONENTS
from app.routes.api.node_types import NodeTypes
from app.routes.api.nodes import NODE_ROUTES
from app.routes.api.once import DEPENDENCIES
from app.routes.api.prefixes import Prefixes, create_vrf, delete_vrf, list_all_vrfs
from app.routes.api.rack_moves import RackMoves
from app.routes.api.racks import Cables, Racks
from app.routes.api.reservations import Reservations
from app.routes.api.run_deeds import RunDeeds, retry_runs
from app.routes.api.runs import Runs
from app.routes.api.server_bmc import ServerBmcs
from app.routes.api.server_burn_in import ServerBurnIns
from app.routes.api.server_hardware import ServerHardware
from app.routes.api.server_node import SERVER_NODE_ROUTES
from app.routes.api.server_switch import ServerPower
from app.routes.api.servers import Servers, take_servers_in
from app.routes.api.space_import import AddressSpace
from app.routes.api.unreadable import refuse_json, refuse_nul
from app.routes.api.usage import ServiceUsage
from app.routes.api.vlan_groups import VlanGroups

API: tuple[ControllerRouterHandler, ...] = (
    Router(
        "/api/v1",
        route_handlers=[
            Flows,
            FlowDeeds,
            check_flow,
            list_flow_bindings,
            show_schema,
            NodeTypes,
            start_a_flow,
            *FLOW_TRIALS,
            Runs,
            RunDeeds,
            retry_runs,
            Prefixes,
            Available,
            list_all_vrfs,
            create_vrf,
            delete_vrf,
            VlanGroups,
            Reservations,
            show_address,
            set_hostname,
            AddressClaims,
            AddressAudits,
            AddressSpace,
            Servers,
            take_servers_in,
            Racks,
            Devices,
            Cables,
            CpuModels,
            CpuEquivalences,
            *ALLOCATION,
            ServerBmcs,
            ServerBurnIns,
            ServerPower,
            ServerHardware,
            *NODE_ROUTES,
            RackMoves,
            NewDeliveries,
            *MACHINE_ROUTES,
            *SERVER_NODE_ROUTES,
            ServiceUsage,
        ],
        dependencies=DEPENDENCIES,
        before_request=refuse_nul,
        exception_handlers={RecursionError: refuse_json, UnicodeDecodeError: refuse_json},
    ),
)
"""Every handler of the API, for the composition root."""

# The documents alone: Litestar's pages for them need scripts that our policy forbids. Ours, which
# needs none, is `/admin/api`.
OPENAPI = OpenAPIConfig(
    title="Slipway",
    version="1",
    summary="Flows with their runs, addresses, the datacentre and allocation, for programs.",
    description="Send `Authorization: Bearer slw_…`. Lists are read page by page: `next` of one "
    "is `cursor` of the following. A POST with an `Idempotency-Key` is done once. What can change "
    "has an `ETag`; with `If-Match` it is only changed as you know it. Refusals are "
    "`application/problem+json` with a stable `code`. Times are UTC.",
    path="/api",
    components=COMPONENTS,
    tags=[
        Tag("Flows", "What is to be done, and in which versions of it."),
        Tag("Node types", "What flows can be made of."),
        Tag("Runs", "Executions of flows: what they did, and what a person may do to them."),
        Tag("Prefixes", "Networks, what is free in them, VRFs, and all of it as a file."),
        Tag("VLANs", "Groups of VLAN ids."),
        Tag("Reservations", "Addresses that are kept for a client or a purpose."),
        Tag("Addresses", "Who has what, who had it, claims by hand, and audits."),
        Tag("Servers", "Machines: hardware, place, state, and how their BMCs are reached."),
        Tag("Racks", "What stands where, and what is plugged into what."),
        Tag("Machines", "Virtual ones: what their providers say, what differs, what is done."),
        Tag("Nodes", "Servers at clouds of bare metal: what these say, what differs."),
        Tag("Allocation", "Which order gets which server and why, who waits, what can be sold."),
    ],
    render_plugins=[
        JsonRenderPlugin(path="/openapi.json"),
        YamlRenderPlugin(path="/openapi.yaml"),
    ],
)
