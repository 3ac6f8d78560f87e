"""Pages for clients."""

from litestar.types import ControllerRouterHandler

from app.routes.portal.account import Account
from app.routes.portal.catalogue import Catalogue
from app.routes.portal.invoices import Invoices
from app.routes.portal.order_form import OrderForm
from app.routes.portal.orders import Orders
from app.routes.portal.own_console import OwnConsole
from app.routes.portal.own_panel import OwnProviderPanel
from app.routes.portal.own_power import OwnPower
from app.routes.portal.own_serial import OwnSerial
from app.routes.portal.own_services import Services
from app.routes.portal.pay import Pay
from app.routes.portal.reverse_dns import ReverseDns
from app.routes.portal.service_asks import ServiceAsks
from app.routes.portal.sign_in import SignIn, SignOut
from app.routes.portal.sign_up import SignUp
from app.routes.portal.usage import OwnUsage

PORTAL: tuple[ControllerRouterHandler, ...] = (
    Catalogue,
    OrderForm,
    SignUp,
    SignIn,
    SignOut,
    Account,
    Orders,
    Invoices,
    Pay,
    Services,
    OwnUsage,
    OwnConsole,
    OwnSerial,
    OwnPower,
    OwnProviderPanel,
    ReverseDns,
    ServiceAsks,
)
"""Every handler of the portal."""
