"""Failed sign-ins, counted by e-mail and by address, so that guessing is slow.

An attempt is written before the password is looked at and taken back when it was
right: a thousand tries sent at once are counted like a thousand sent in turn.
"""

import ipaddress
from datetime import datetime, timedelta
from uuid import UUID

from app.core.database import Tx
from app.core.ids import new_id
from app.domain.accounts.errors import TooManyAttempts

WINDOW = timedelta(minutes=15)
PER_EMAIL = 10
PER_ADDRESS = 50


async def count_attempt(tx: Tx, *, email: str, address: str) -> list[UUID]:
    """Write one attempt by e-mail and one by address; returns their ids.

    Raises `TooManyAttempts`, having written nothing, when either had its share within
    `WINDOW`. Advisory locks, taken in one order, make the count exact.
    """
    shares = {f"email:{email}": PER_EMAIL, f"address:{network_of(address)}": PER_ADDRESS}
    retry_at: datetime | None = None
    for subject in sorted(shares):
        await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", subject)
        # When the oldest of the newest ones leaves the window, there is room again.
        recent = await tx.fetch(
            "SELECT at FROM sign_in_attempt WHERE subject = $1 AND at > $2 "
            "ORDER BY at DESC LIMIT $3",
            subject,
            tx.now() - WINDOW,
            shares[subject],
        )
        if len(recent) >= shares[subject]:
            free_at = recent[-1]["at"] + WINDOW
            retry_at = max(retry_at or free_at, free_at)
    if retry_at is not None:
        raise TooManyAttempts(retry_at, now=tx.now())
    ids = [new_id() for _ in shares]
    await tx.executemany(
        "INSERT INTO sign_in_attempt (id, subject, at) VALUES ($1, $2, $3)",
        [(key, subject, tx.now()) for key, subject in zip(ids, shares, strict=True)],
    )
    return ids


async def take_back(tx: Tx, attempt: list[UUID], *, email: str) -> None:
    """Forget the attempt that succeeded, and the failures by the same e-mail before it."""
    await tx.execute(
        "DELETE FROM sign_in_attempt WHERE id = ANY($1) OR subject = $2",
        attempt,
        f"email:{email}",
    )


def network_of(address: str) -> str:
    """Return what is counted as one client: of IPv6 a whole /64, since one has that many."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        # A socket for both families shows IPv4 as ::ffff:0:0/96, which is one /64 for all.
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((int(parsed), 64), strict=False))
    return str(parsed)
