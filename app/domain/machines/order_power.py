"""A machine or game server is switched by who has it: an errand that a worker does, audited."""

from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.errors import Conflict, NotFound
from app.core.ids import new_id
from app.domain.machines.errand import ERRAND, SWITCHES, Deed, Errand
from app.domain.machines.held import HELD
from app.domain.machines.order_errand import hand_over
from app.domain.machines.watch import UNDER_WAY
from app.domain.services.ask import PATIENCE
from app.domain.services.states import ServiceState

GOOD_FOR = timedelta(minutes=5)
"""Longer than any guest is given to shut down; a click from before that is not done any more."""
FAILED_SHOWN = timedelta(minutes=15)
"""How long it is said that one was not done."""


class NotNow(Conflict):
    code = "machines.not_now"

    def __init__(self, why: str) -> None:
        super().__init__(why)


class Switching(msgspec.Struct, frozen=True, kw_only=True):
    """What is being done to a service's machine because a person asked for it."""

    can_switch: bool = False
    """It was made, and is not removed."""
    why_not: str = ""
    """Why a server is not switched now, where its BMC or cloud could."""
    is_at_work: bool = False
    """A server is being rescued or installed anew, to the end of its run."""
    is_game: bool = False
    is_server: bool = False
    """A physical one: it has a button that resets it."""
    has_iso: bool = False
    """An ISO is in its drive."""
    doing: Deed | None = None
    can_reset: bool = False
    """What is being done waits for a server's system, which a reset need not."""
    failed: Deed | None = None
    """The last thing that was asked for, which could not be done."""
    failed_at: datetime | None = None
    done: Deed | None = None
    """The last thing that was asked for and done, while that is news; of servers alone."""
    done_at: datetime | None = None
    off_by_staff_at: datetime | None = None
    """When staff had a server of a client shut down that is meant to be off since."""
    failed_why: str = ""
    """In the peer's words, for staff; of servers alone."""
    is_untouched: bool = False
    """What failed did not get so far that the server was told anything; of servers alone."""


async def order_power(
    tx: Tx, service: UUID, deed: Deed, *, account: UUID | None, actor: UUID, actor_label: str
) -> None:
    """Have a machine started, shut down, restarted or killed, or its ISO taken out.

    It is that of a client, or any where `account` is None; it is done once no run is at it.

    Raises NotFound, NotNow, UnderWay.
    """
    row = await tx.fetchrow(
        "SELECT s.hostname, s.state, h.connection, g.id IS NOT NULL AS is_game, "
        "coalesce(m.is_iso_in, false) AS has_iso, "
        f"({UNDER_WAY} OR coalesce(s.asked_at > $3, false)) AS is_under_way "
        f"FROM service s LEFT JOIN {HELD} h ON h.service = s.id AND h.made_at IS NOT NULL "
        "AND h.removed_at IS NULL LEFT JOIN game_server g ON g.service = s.id "
        "LEFT JOIN machine m ON m.service = s.id "
        "WHERE s.id = $1 AND ($2::uuid IS NULL OR s.account = $2)",
        service,
        account,
        tx.now() - PATIENCE,
    )
    if row is None or row["connection"] is None:
        raise NotFound("machine of service", service)
    if deed not in SWITCHES or (deed is Deed.kill and not row["is_game"]):
        raise NotFound("deed", deed)
    if deed is Deed.eject and not row["has_iso"]:
        raise NotNow("No ISO is in its drive.")
    if row["state"] != ServiceState.active:
        raise NotNow(f"The service is {row['state']}: it is switched while it is active.")
    if row["is_under_way"]:
        raise NotNow("Something is being done to it already. Wait until that is over.")
    errand = Errand(
        id=new_id(),
        deed=deed,
        about=service,
        service=service,
        hostname=row["hostname"],
        connection=row["connection"],
        until=tx.now() + GOOD_FOR,
        actor=actor,
        actor_label=actor_label,
    )
    await hand_over(tx, errand)


async def switching_of(tx: Tx, service: UUID) -> Switching:
    """Return what is being done to a service's machine, and what was not; one statement."""
    row = await tx.fetchrow(
        "SELECT h.kind IS NOT NULL AS can_switch, coalesce(h.kind = 'game', false) AS is_game, "
        "coalesce(h.is_iso_in, false) AS has_iso, "
        "(SELECT b.payload->>'deed' FROM outbox b WHERE b.topic = $2 AND b.done_at IS NULL "
        "AND b.payload->>'about' = s.id::text LIMIT 1) AS doing, "
        "CASE WHEN e.action = 'machines.could_not' THEN e.\"after\"->>'deed' END AS failed, "
        "CASE WHEN e.action = 'machines.could_not' THEN e.at END AS failed_at "
        "FROM service s LEFT JOIN LATERAL ("
        "SELECT 'machine' AS kind, is_iso_in FROM machine WHERE service = s.id "
        "AND made_at IS NOT NULL AND removed_at IS NULL UNION ALL "
        "SELECT 'game', false FROM game_server WHERE service = s.id AND made_at IS NOT NULL "
        "AND removed_at IS NULL) h ON true "
        'LEFT JOIN LATERAL (SELECT action, "after", at FROM audit_entry WHERE subject = s.id '
        "AND action = ANY($3) AND at > $4 ORDER BY at DESC, id DESC LIMIT 1) e ON true "
        "WHERE s.id = $1",
        service,
        ERRAND,
        ["machines.done", "machines.could_not"],
        tx.now() - FAILED_SHOWN,
    )
    return Switching() if row is None else msgspec.convert(dict(row), Switching)
