"""Where one client pays: the ways that are open for an invoice, each begun as far as it must be."""

from datetime import timedelta
from uuid import UUID

import structlog

from app.components.portal.pay import CardWay, CreditWay, Paying, TransferWay, Way, pay_address
from app.core.database import Database
from app.core.money import Money
from app.domain.billing.credit import balance
from app.domain.billing.find import find_invoice
from app.domain.billing.start_payment import PaymentBegun, start_payment
from app.domain.billing.views import InvoiceView
from app.domain.orders.errors import OutOfStock
from app.domain.orders.find import find_order
from app.drivers.errors import DriverError
from app.drivers.payment.contract import Gateway, SettledBy
from app.routes.security.dependencies import Config, Db, Gateways, Me
from app.settings import Settings

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
        self.hold_for = timedelta(minutes=settings.hold_minutes)

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
            hold_for=self.hold_for,
        )


async def provide_desk(db: Db, gateways: Gateways, settings: Config, me: Me) -> Desk:
    return Desk(db, gateways, settings, me.id)
