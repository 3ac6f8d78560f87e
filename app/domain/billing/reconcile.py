"""Reconcile: ask gateways about payments whose webhook may be lost.

Two nets. Payments that are pending here are looked up one by one; and what a gateway lists
as recently paid is compared with what is settled here, which also finds payments that this
side never wrote down. The gateway is asked outside of any transaction; each fact is then
settled in one of its own, so one that cannot be settled keeps no other back.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import UUID

import msgspec

from app.core.database import Database, Tx
from app.core.errors import Refusal
from app.domain.billing.errors import UnknownPayment
from app.domain.billing.settle import Outcome, Settled, settle
from app.domain.billing.webhook import tell_of_unknown
from app.drivers.errors import DriverError
from app.drivers.payment.contract import Gateway, PaymentFact, SettledBy

GRACE = timedelta(seconds=30)
"""A webhook usually comes within seconds; before that, asking only costs."""
GIVEN_UP_AFTER = timedelta(days=7)
"""Nobody pays later than an unpaid order lives; `recent` would find it even so."""
LOOK_BACK = timedelta(hours=24)
AT_ONCE = 4
log = logging.getLogger(__name__)


class PendingPayment(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    invoice: UUID
    gateway: str
    gateway_ref: str


class Reconciled(msgspec.Struct, frozen=True, kw_only=True):
    """How many payments were asked about, what came of it, and which gateways did not answer."""

    asked: int
    settled: tuple[Settled, ...]
    """Only what moved money."""
    unanswered: tuple[str, ...]


async def pending_payments(
    tx: Tx, *, grace: timedelta = GRACE, limit: int = 100
) -> list[PendingPayment]:
    """Return payments that are undecided for longer than `grace`, the latest first.

    A declined payment counts as undecided: the client may try again on the gateway's page.
    """
    rows = await tx.fetch(
        "SELECT id, invoice, gateway, gateway_ref FROM payment "
        "WHERE state IN ('pending', 'failed') AND created_at <= $1 AND created_at > $2 "
        "ORDER BY created_at DESC LIMIT $3",
        tx.now() - grace,
        tx.now() - GIVEN_UP_AFTER,
        limit,
    )
    return [msgspec.convert(dict(row), PendingPayment) for row in rows]


async def reconcile(
    database: Database,
    gateways: Mapping[str, Gateway],
    *,
    grace: timedelta = GRACE,
    look_back: timedelta = LOOK_BACK,
) -> Reconciled:
    """Settle what gateways know and this side does not; safe to run at any time, anywhere.

    `gateways` is by name. One that does not answer is skipped and named in the result.
    """
    async with database.snapshot() as tx:
        pending = await pending_payments(tx, grace=grace)
    asked, settled, unanswered = 0, list[Settled](), list[str]()
    for name, gateway in gateways.items():
        if gateway.settled_by is not SettledBy.WEBHOOK:
            continue
        refs = [payment.gateway_ref for payment in pending if payment.gateway == name]
        asked += len(refs)
        facts, complete = await _ask(gateway, refs)
        try:
            listed = await gateway.recent(database.clock.now() - look_back)
        except DriverError as error:
            log.warning("%s does not list its recent payments: %s", name, error)
            listed, complete = [], False
        facts += await _unsettled(database, name, listed)
        settled += await _settle_all(database, name, facts)
        if not complete:
            unanswered.append(name)
    return Reconciled(asked=asked, settled=tuple(settled), unanswered=tuple(unanswered))


async def _ask(gateway: Gateway, refs: Sequence[str]) -> tuple[list[PaymentFact], bool]:
    """Return what the gateway says of each, and whether it answered for all of them."""
    slots = asyncio.Semaphore(AT_ONCE)

    async def one(ref: str) -> PaymentFact | None:
        async with slots:
            try:
                return await gateway.fetch(ref)
            except DriverError as error:
                log.warning("%s does not tell of payment %s: %s", gateway.key, ref, error)
                return None

    answers = await asyncio.gather(*(one(ref) for ref in refs))
    facts = [answer for answer in answers if answer is not None]
    return facts, len(facts) == len(answers)


async def _unsettled(
    database: Database, gateway: str, facts: Sequence[PaymentFact]
) -> list[PaymentFact]:
    """Leave out what is settled here already: nearly all, on most days."""
    async with database.snapshot() as tx:
        rows = await tx.fetch(
            "SELECT gateway_ref FROM payment WHERE gateway = $1 AND gateway_ref = ANY($2) "
            "AND state IN ('succeeded', 'refunded')",
            gateway,
            [fact.ref for fact in facts],
        )
    known = {row["gateway_ref"] for row in rows}
    return [fact for fact in facts if fact.ref not in known]


async def _settle_all(
    database: Database, gateway: str, facts: Sequence[PaymentFact]
) -> list[Settled]:
    settled = []
    for fact in facts:
        try:
            async with database.transaction() as tx:
                done = await settle(tx, fact, gateway=gateway)
        except UnknownPayment as error:
            async with database.transaction() as tx:
                await tell_of_unknown(tx, error)
        except Refusal:
            log.exception("payment %s of %s could not be settled", fact.ref, gateway)
        else:
            if done.outcome not in {Outcome.noted, Outcome.repeated}:
                settled.append(done)
    return settled
