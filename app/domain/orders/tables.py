"""Orders: what a client wants, from cart to delivery."""

from piccolo.columns import JSONB, UUID, BigInt, BigSerial
from piccolo.constraints import Check
from piccolo.table import Table

from app.core.columns import key, moment, reference, text
from app.domain.accounts.tables import Account
from app.domain.catalog.tables import Product


class Order(Table, tablename="client_order"):
    """One product for one client. `selection` is the validated answer to the order form.

    `state` changes only through `states.py`. `idempotency_key` comes with the form, so that a
    form sent twice makes one order.
    """

    id = key()
    number = BigSerial(unique=True)
    account = reference(Account)
    product = reference(Product)
    state = text(index=True)
    state_since = moment()
    state_reason = text(default="")
    hostname = text()
    currency = text()
    cycle = text()
    total_minor = BigInt()
    recurring_minor = BigInt(help_text="each cycle before tax, as it was when ordered")
    selection = JSONB(default="{}")
    idempotency_key = text(unique=True)
    placed_at = moment()
    hold_expires_at = moment(null=True)
    paid_at = moment(null=True)
    delivered_at = moment(null=True)
    run = UUID(null=True, default=None)

    known_state = Check(
        "state IN ('cart', 'held', 'awaiting_payment', 'paid', 'provisioning', 'delivered', "
        "'failed', 'cancelled')"
    )
