"""Orders as pages, flows and other contexts see them."""

from datetime import datetime
from typing import TypeAlias
from uuid import UUID

import msgspec

from app.core.paging import Page
from app.domain.catalog.cycle import Cycle
from app.domain.catalog.selection import Selection
from app.domain.orders.states import OrderState


class OrderView(msgspec.Struct, frozen=True, kw_only=True):
    """One order with who ordered it, what, and what has come of it so far."""

    id: UUID
    number: int
    account_id: UUID
    account_email: str
    account_name: str
    product_id: UUID
    product_slug: str
    product_name: str
    category_id: UUID
    state: OrderState
    state_since: datetime
    state_reason: str
    """What it waits for, or why it failed; "" when there is nothing to say."""
    hostname: str
    currency: str
    cycle: Cycle
    total_minor: int
    """Due now: one cycle, the set-up, tax."""
    recurring_minor: int
    """Due each cycle, before tax."""
    selection: Selection
    """`ssh_keys` are the texts of all keys that were chosen or pasted."""
    placed_at: datetime
    hold_expires_at: datetime | None
    """Until then a server, addresses and a VLAN are held for an unpaid order."""
    paid_at: datetime | None
    delivered_at: datetime | None
    run: UUID | None
    invoice_id: UUID | None
    invoice_number: int | None
    service_id: UUID | None
    server_id: UUID | None
    server_name: str | None

    @property
    def is_unpaid(self) -> bool:
        return self.state is OrderState.awaiting_payment


OrderPage: TypeAlias = Page[OrderView]
