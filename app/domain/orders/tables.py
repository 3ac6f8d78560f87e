"""Orders: what a client wants, from cart to delivery."""

from piccolo.columns import JSONB, UUID, BigInt, BigSerial, Boolean, Integer, SmallInt
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
    priority = SmallInt(default=0, help_text="of paid orders that wait for a server, higher first")
    passed = Integer(default=0, help_text="times that others were served while it waited")

    known_state = Check(
        "state IN ('cart', 'held', 'awaiting_payment', 'paid', 'provisioning', 'delivered', "
        "'failed', 'cancelled')"
    )


class BacklogPlan(Table, tablename="backlog_plan"):
    """What came of serving all waiting orders together, once."""

    id = key()
    at = moment(index=True)
    waiting = Integer()
    placed = Integer()
    bound = Integer(help_text="no plan could have placed more")
    is_proven = Boolean(help_text="whether the choice of servers is proven to be the best too")
    took_ms = Integer()
