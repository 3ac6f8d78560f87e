"""`/invoices/{id}/pay`: the client pays an open invoice."""

from datetime import timedelta
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import structlog
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath

from app.components.csp import content_security_policy
from app.components.notice import Flash
from app.components.portal.pay import (
    CardWay,
    CreditWay,
    Paying,
    TransferWay,
    Way,
    done_address,
    pay_address,
    pay_page,
    pay_status,
)
from app.core.database import Database, Tx
from app.core.money import Money
from app.domain.billing.credit import balance
from app.domain.billing.errors import InvoiceNotOpen, NoCredit
from app.domain.billing.find import find_invoice
from app.domain.billing.pay_from_credit import pay_from_credit
from app.domain.billing.settle import Outcome
from app.domain.billing.start_payment import PaymentBegun, start_payment
from app.domain.billing.states import InvoiceState
from app.domain.billing.views import InvoiceView
from app.domain.catalog.find import product_by_id
from app.domain.orders.errors import OutOfStock
from app.domain.orders.find import find_order
from app.domain.orders.hold import hold, note_hold, renew_hold
from app.domain.orders.states import tell
from app.drivers.errors import DriverError
from app.drivers.payment.contract import Gateway, SettledBy
from app.routes.security.dependencies import Config, Db, Frame, Gateways, HttpRequest, Me
from app.routes.security.flashes import go
from app.routes.security.guards import signed_in
from app.routes.security.html import html
from app.routes.security.rate_limit import CHECKOUT, limited
from app.settings import Settings

STRIPE_HOST = "js.stripe.com"
TRANSFER = "transfer"
CAME_BACK_WELL = frozenset({"succeeded", "processing", "pending"})
CAME_BACK_BADLY = "The payment was not completed, and nothing was charged. Please try again."

log = structlog.get_logger(__name__)


class Desk:
    """Where one client pays: what can be offered for an invoice."""

    def __init__(
        self, database: Database, gateways: dict[str, Gateway], settings: Settings, account: UUID
    ) -> None:
        self.database = database
        self.gateways = gateways
        self.settings = settings
        self.account = account

    async def invoice(self, invoice: UUID) -> InvoiceView:
        """Return the client's own invoice. Raises NotFound."""
        async with self.database.snapshot() as tx:
            return await find_invoice(tx, invoice, account=self.account)

    async def seen(self, invoice: InvoiceView, *, sold_out: str = "") -> Paying:
        """Return the invoice as it stands, with nothing begun at any gateway."""
        expires_at = None
        if invoice.order_id:
            async with self.database.snapshot() as tx:
                order = await find_order(tx, invoice.order_id, account=self.account)
            expires_at = order.hold_expires_at
        return Paying(
            invoice=invoice,
            ways=(),
            chosen="",
            hold_expires_at=expires_at,
            return_url=self.settings.base_url + pay_address(invoice),
            sold_out=sold_out,
        )

    async def paying(
        self,
        invoice: InvoiceView,
        *,
        chosen: str = "",
        with_instructions: bool = False,
        error: str = "",
    ) -> Paying:
        """Return the invoice with every way to pay it; a card payment is begun for its form.

        Reloading continues the same payment. A gateway that does not answer is shown as
        unavailable, and keeps nobody from another way.
        """
        ways: list[Way] = []
        try:
            for key, gateway in self.gateways.items():
                match gateway.settled_by:
                    case SettledBy.WEBHOOK:
                        ways.append(await self._card(key, gateway, invoice))
                    case SettledBy.ADMIN:
                        ways.append(
                            await self._transfer(key, gateway, invoice, begin=with_instructions)
                        )
                    case SettledBy.LEDGER:
                        if way := await self._credit(key, gateway, invoice):
                            ways.append(way)
        except OutOfStock as refusal:
            return await self.seen(invoice, sold_out=refusal.message)
        plain = await self.seen(invoice)
        return Paying(
            invoice=invoice,
            ways=ways,
            chosen=chosen,
            hold_expires_at=plain.hold_expires_at,
            return_url=plain.return_url,
            error=error,
        )

    async def _card(self, key: str, gateway: Gateway, invoice: InvoiceView) -> CardWay:
        try:
            client_secret = (await self._begin(gateway, invoice)).started.client_secret
        except DriverError as error:
            log.warning("payment not begun", gateway=key, invoice=str(invoice.id), error=str(error))
            client_secret = None
        return CardWay(
            key=key,
            label=gateway.label,
            script_url=self.settings.stripe_js_url,
            publishable_key=self.settings.stripe_publishable_key,
            client_secret=client_secret,
        )

    async def _transfer(
        self, key: str, gateway: Gateway, invoice: InvoiceView, *, begin: bool
    ) -> TransferWay:
        instructions = (await self._begin(gateway, invoice)).started.instructions if begin else ()
        return TransferWay(
            key=key,
            label=gateway.label,
            hold_hours=self.settings.transfer_hold_hours,
            instructions=instructions,
        )

    async def _credit(self, key: str, gateway: Gateway, invoice: InvoiceView) -> CreditWay | None:
        async with self.database.snapshot() as tx:
            has_minor = await balance(tx, self.account, invoice.currency)
        if has_minor <= 0:
            return None
        return CreditWay(
            key=key,
            label=gateway.label,
            balance=Money(has_minor, invoice.currency),
            is_enough=has_minor >= invoice.due_minor,
        )

    async def _begin(self, gateway: Gateway, invoice: InvoiceView) -> PaymentBegun:
        return await start_payment(
            self.database,
            gateway,
            invoice.id,
            account=self.account,
            return_url=self.settings.base_url + pay_address(invoice),
        )


async def provide_desk(db: Db, gateways: Gateways, settings: Config, me: Me) -> Desk:
    return Desk(db, gateways, settings, me.id)


class Pay(Controller):
    """The pay page, and what its panels send."""

    path = "/invoices/{invoice_id:uuid}/pay"
    guards = (signed_in,)
    dependencies = MappingProxyType({"desk": Provide(provide_desk)})
    include_in_schema = False

    @get()
    async def show(
        self,
        request: HttpRequest,
        frame: Frame,
        desk: NamedDependency[Desk],
        invoice_id: FromPath[UUID],
    ) -> Response[Any]:
        """Return the page; who comes back from the bank's own page, or has paid, is led on."""
        back = request.query_params.get("redirect_status")
        invoice = await desk.invoice(invoice_id)
        if not invoice.due_minor or back in CAME_BACK_WELL:
            return go(request, done_address(invoice), *_why(invoice))
        try:
            paying = await desk.paying(
                invoice,
                chosen=request.query_params.get("way", ""),
                with_instructions=request.query_params.get("step") == TRANSFER,
                error=CAME_BACK_BADLY if back else "",
            )
        except InvoiceNotOpen:  # paid while the gateway was asked
            return go(request, done_address(invoice))
        return _page(paying, frame, desk.settings)

    @get("/status")
    async def status(
        self,
        request: HttpRequest,
        frame: Frame,
        desk: NamedDependency[Desk],
        invoice_id: FromPath[UUID],
    ) -> Response[Any]:
        """Return the live part; when another amount is due than shown, load the page again."""
        invoice = await desk.invoice(invoice_id)
        if str(invoice.due_minor) != request.query_params.get("due"):
            return go(request, pay_address(invoice))
        return html(pay_status(await desk.seen(invoice), frame=frame))

    @post("/hold", guards=[limited(CHECKOUT)], status_code=204)
    async def hold_again(self, desk: NamedDependency[Desk], invoice_id: FromPath[UUID]) -> None:
        """Have the server held before money moves. Raises OutOfStock, InvoiceNotOpen."""
        invoice = await desk.invoice(invoice_id)
        if not invoice.due_minor:
            raise InvoiceNotOpen(invoice.number, state=invoice.state)
        if invoice.order_id:
            async with desk.database.transaction() as tx:
                await renew_hold(tx, invoice.order_id, account=desk.account)

    @post("/transfer", guards=[limited(CHECKOUT)], status_code=200)
    async def transfer(
        self,
        request: HttpRequest,
        frame: Frame,
        desk: NamedDependency[Desk],
        invoice_id: FromPath[UUID],
    ) -> Response[Any]:
        """Hold the server for as long as a transfer takes, and show where to send the money."""
        invoice = await desk.invoice(invoice_id)
        ways = desk.gateways.items()
        key = next((key for key, each in ways if each.settled_by is SettledBy.ADMIN), None)
        if key is None or not invoice.due_minor:
            return go(request, pay_address(invoice))
        if invoice.order_id:
            hold_for = timedelta(hours=desk.settings.transfer_hold_hours)
            try:
                async with desk.database.transaction() as tx:
                    await _hold_longer(
                        tx, invoice.order_id, account=desk.account, hold_for=hold_for
                    )
            except OutOfStock as refusal:
                paying = await desk.seen(invoice, sold_out=refusal.message)
                return _page(paying, frame, desk.settings, status_code=409)
        return go(request, f"{pay_address(invoice)}?way={key}&step={TRANSFER}")

    @post("/credit", guards=[limited(CHECKOUT)], status_code=200)
    async def credit(
        self,
        request: HttpRequest,
        frame: Frame,
        desk: NamedDependency[Desk],
        invoice_id: FromPath[UUID],
    ) -> Response[Any]:
        invoice = await desk.invoice(invoice_id)
        try:
            async with desk.database.transaction() as tx:
                settled = await pay_from_credit(tx, invoice_id, account=desk.account)
        except InvoiceNotOpen:  # a second click; the page knows where to go on
            return go(request, pay_address(invoice))
        except NoCredit as refusal:
            paying = await desk.paying(invoice, error=refusal.message)
            return _page(paying, frame, desk.settings, status_code=409)
        except OutOfStock as refusal:
            paying = await desk.seen(invoice, sold_out=refusal.message)
            return _page(paying, frame, desk.settings, status_code=409)
        if settled.outcome is Outcome.part:
            taken = Money(settled.applied_minor, invoice.currency).text()
            words = f"{taken} of your credit was used; please pay the rest another way."
            return go(request, pay_address(invoice), Flash("info", words))
        return go(request, done_address(invoice))


def gateway_policy(script_url: str) -> str:
    """Return the page's policy with the origins of the gateway's script, and no others.

    Source: Stripe's "Integration security guide", Content Security Policy. A stand-in has
    one origin for all.
    """
    parts = urlsplit(script_url)
    if parts.hostname != STRIPE_HOST:
        origin = f"{parts.scheme}://{parts.netloc}"
        return content_security_policy(
            extra_script=(origin,), extra_frame=(origin,), extra_connect=(origin,)
        )
    scripts = (f"https://{STRIPE_HOST}", f"https://*.{STRIPE_HOST}")
    return content_security_policy(
        extra_script=scripts,
        extra_frame=(*scripts, "https://hooks.stripe.com"),
        extra_connect=("https://api.stripe.com",),
    )


def _page(
    paying: Paying, frame: Frame, settings: Settings, *, status_code: int = 200
) -> Response[str]:
    headers = {}
    if any(isinstance(way, CardWay) for way in paying.ways):
        headers["Content-Security-Policy"] = gateway_policy(settings.stripe_js_url)
    return html(pay_page(paying, frame=frame), status_code=status_code, headers=headers)


def _why(invoice: InvoiceView) -> tuple[Flash, ...]:
    """Say why there is nothing to pay, where that is not plain to see."""
    if invoice.state in {InvoiceState.open, InvoiceState.paid}:
        return ()
    return (
        Flash("info", f"Invoice {invoice.number} is {invoice.state}; there is nothing to pay."),
    )


async def _hold_longer(tx: Tx, order: UUID, *, account: UUID, hold_for: timedelta) -> None:
    """Hold what an unpaid order holds, or held, until `hold_for` from now; never shorter.

    Raises OutOfStock when the hold had expired and nothing is left.
    """
    held_until = await renew_hold(tx, order, account=account, hold_for=hold_for)
    until = tx.now() + hold_for
    if held_until is None or held_until >= until:
        return
    view = await find_order(tx, order)
    product = await product_by_id(tx, view.product_id)
    # Both the server and the claims of a holder that has them put their expiry off.
    await hold(tx, order, product, view.selection, expires_at=until)
    await note_hold(tx, order, until)
    tell(tx, order, account)
