"""Place an order: from the answers of the form to an invoice and a held server.

The way on: `billing/settle.py` when the money is there, `orders/expire.py` when it is not.
"""

from datetime import timedelta
from uuid import UUID

import asyncpg
import msgspec
from msgspec.structs import replace

from app.core.database import Tx
from app.core.errors import Invalid, NotFound
from app.core.ids import new_id
from app.core.outbox import emit
from app.domain.billing.issue import issue
from app.domain.billing.settle import settle_nothing
from app.domain.billing.tax import tax_rate_bp
from app.domain.catalog.find import find_product
from app.domain.catalog.price import PriceBreakdown, price
from app.domain.catalog.selection import SSH_KEYS, Selection, check_selection
from app.domain.orders.errors import AccountDisabled, KeyReused
from app.domain.orders.find import find_order
from app.domain.orders.hold import HOLD_FOR, hold, note_hold
from app.domain.orders.states import OrderState, move
from app.domain.orders.views import OrderView

PAY_WITHIN = timedelta(days=7)


class OrderRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A client's wish: `product` is a slug, `idempotency_key` comes with the form."""

    account: UUID
    product: str
    selection: Selection
    idempotency_key: str
    hold_for: timedelta = HOLD_FOR
    pay_within: timedelta = PAY_WITHIN


async def place(tx: Tx, request: OrderRequest) -> OrderView:
    """Return the order, awaiting its payment; held for `hold_for` from now.

    The same key by the same client returns the order that it made, once it is there: the
    second of two waits for the first. An order that costs nothing is paid at once.
    Raises Invalid (by field), OutOfStock (nothing is held then, and the transaction has to
    be rolled back), NotFound (product), AccountDisabled, KeyReused. Some 20 statements.
    """
    if earlier := await _earlier(tx, request):
        return await _same(tx, earlier, request)
    await _check_account(tx, request.account)
    product = await find_product(tx, request.product)
    check_selection(product, request.selection)
    selection = await _with_keys(tx, request.account, request.selection)
    rate_bp = await tax_rate_bp(tx, request.account)
    breakdown = price(product, selection, tax_rate_bp=rate_bp)
    order = await _write(tx, request, product.id, selection, breakdown)
    if order is None:
        # The same form, sent at the same time, was first; it is committed and found now.
        return await place(tx, request)
    expires_at = tx.now() + request.hold_for
    await hold(tx, order, product, selection, expires_at=expires_at)
    await move(tx, order, OrderState.held)
    await note_hold(tx, order, expires_at)
    invoice = await issue(
        tx,
        breakdown,
        account=request.account,
        order=order,
        due_at=tx.now() + request.pay_within,
    )
    await move(tx, order, OrderState.awaiting_payment)
    await emit(tx, "order.placed", f"order.placed:{order}", {"order": str(order)})
    if breakdown.total_minor == 0:
        await settle_nothing(tx, invoice)
    return await find_order(tx, order)


def _key(request: OrderRequest) -> str:
    """Return the key as a client's own: nobody reaches another's order by guessing one."""
    return f"{request.account}:{request.idempotency_key}"


async def _earlier(tx: Tx, request: OrderRequest) -> asyncpg.Record | None:
    return await tx.fetchrow(
        "SELECT o.id, o.number, o.selection, p.slug FROM client_order o "
        "JOIN product p ON p.id = o.product WHERE o.idempotency_key = $1",
        _key(request),
    )


async def _same(tx: Tx, earlier: asyncpg.Record, request: OrderRequest) -> OrderView:
    """Return the order that the key made, if it is the same wish."""
    made = msgspec.json.decode(earlier["selection"], type=Selection)
    # What was kept begins with the texts of the chosen keys, as `_with_keys` put them there.
    chosen = made.ssh_keys[: len(made.ssh_key_ids)]
    texts = tuple(dict.fromkeys((*chosen, *request.selection.ssh_keys)))
    if earlier["slug"] != request.product or replace(request.selection, ssh_keys=texts) != made:
        raise KeyReused(earlier["number"])
    return await find_order(tx, earlier["id"], account=request.account)


async def _check_account(tx: Tx, account: UUID) -> None:
    row = await tx.fetchrow("SELECT disabled_at FROM account WHERE id = $1", account)
    if row is None:
        raise NotFound("account", account)
    if row["disabled_at"] is not None:
        raise AccountDisabled


async def _with_keys(tx: Tx, account: UUID, selection: Selection) -> Selection:
    """Copy the texts of the chosen keys into the order; each must be the client's own."""
    rows = await tx.fetch(
        "SELECT id, public_key FROM ssh_key WHERE account = $1 AND id = ANY($2)",
        account,
        list(selection.ssh_key_ids),
    )
    if len(rows) != len(selection.ssh_key_ids):
        raise Invalid({SSH_KEYS: "One of these keys is not in your list any more; choose again."})
    texts = {row["id"]: row["public_key"] for row in rows}
    chosen = (texts[key] for key in selection.ssh_key_ids)
    return replace(selection, ssh_keys=tuple(dict.fromkeys((*chosen, *selection.ssh_keys))))


async def _write(
    tx: Tx,
    request: OrderRequest,
    product: UUID,
    selection: Selection,
    breakdown: PriceBreakdown,
) -> UUID | None:
    """Write the order; None when its key is taken, after waiting for whoever was taking it."""
    written: UUID | None = await tx.fetchval(
        "INSERT INTO client_order (id, account, product, state, state_since, hostname, currency, "
        "cycle, total_minor, recurring_minor, selection, idempotency_key, placed_at) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $5) "
        "ON CONFLICT (idempotency_key) DO NOTHING RETURNING id",
        new_id(),
        request.account,
        product,
        OrderState.cart,
        tx.now(),
        selection.hostname,
        selection.currency,
        selection.cycle,
        breakdown.total_minor,
        breakdown.recurring_minor,
        msgspec.json.encode(selection).decode(),
        _key(request),
    )
    return written
