"""`/invoices/{id}/pay`: the client pays an open invoice."""

from datetime import timedelta
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath

from app.components.csp import content_security_policy
from app.components.notice import Flash
from app.components.portal.pay import (
    CardWay,
    Paying,
    done_address,
    pay_address,
    pay_page,
    pay_status,
)
from app.core.money import Money
from app.domain.billing.errors import InvoiceNotOpen, NoCredit
from app.domain.billing.pay_from_credit import pay_from_credit
from app.domain.billing.settle import Outcome
from app.domain.billing.states import InvoiceState
from app.domain.billing.views import InvoiceView
from app.domain.orders.errors import OutOfStock
from app.domain.orders.hold import lengthen_hold, renew_hold
from app.drivers.payment.contract import SettledBy
from app.routes.portal.pay_desk import Desk, provide_desk
from app.routes.security.dependencies import Frame, HttpRequest
from app.routes.security.flashes import go
from app.routes.security.guards import signed_in
from app.routes.security.html import html
from app.routes.security.rate_limit import CHECKOUT, limited
from app.settings import Settings

STRIPE_HOST = "js.stripe.com"
TRANSFER = "transfer"
CAME_BACK_WELL = frozenset({"succeeded", "processing", "pending"})
CAME_BACK_BADLY = "The payment was not completed, and nothing was charged. Please try again."


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
                await renew_hold(tx, invoice.order_id, account=desk.account, hold_for=desk.hold_for)

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
                    await lengthen_hold(
                        tx, invoice.order_id, account=desk.account, hold_for=hold_for
                    )
            except OutOfStock as refusal:
                return await _sold_out(desk, invoice, refusal, frame)
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
                settled = await pay_from_credit(
                    tx, invoice_id, account=desk.account, hold_for=desk.hold_for
                )
        except InvoiceNotOpen:  # a second click; the page knows where to go on
            return go(request, pay_address(invoice))
        except NoCredit as refusal:
            paying = await desk.paying(invoice, error=refusal.message)
            return _page(paying, frame, desk.settings, status_code=409)
        except OutOfStock as refusal:
            return await _sold_out(desk, invoice, refusal, frame)
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


async def _sold_out(
    desk: Desk, invoice: InvoiceView, refusal: OutOfStock, frame: Frame
) -> Response[str]:
    paying = await desk.seen(invoice, sold_out=refusal.message)
    return _page(paying, frame, desk.settings, status_code=409)


def _why(invoice: InvoiceView) -> tuple[Flash, ...]:
    """Say why there is nothing to pay, where that is not plain to see."""
    if invoice.state in {InvoiceState.open, InvoiceState.paid}:
        return ()
    return (
        Flash("info", f"Invoice {invoice.number} is {invoice.state}; there is nothing to pay."),
    )
