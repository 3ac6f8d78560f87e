"""Turns at BMCs and rejected credentials, kept in the database for all workers.

A turn is a row with an end: a worker that dies holds a BMC for as long as its call could have
taken, and no longer. Credentials that were rejected are kept sealed, to be told from others.
"""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import asyncpg

from app.core.database import Database, Tx, storable
from app.core.ids import new_id
from app.core.secrets import CannotOpen, Vault
from app.drivers.bmc.contract import BmcAddress
from app.drivers.bmc.guard import LockedOut, Turn
from app.drivers.errors import Unauthorised

LOOK_AGAIN_S = 0.05
"""How often a worker looks whether a BMC that another one talks to is free."""
GRACE = timedelta(seconds=5)
"""How long a turn lasts past the deadline of its call, which is given up before."""

_TAKE = """
WITH taken AS (
    INSERT INTO bmc_peer AS p (peer, holder, held_until) VALUES ($1, $2, $3)
    ON CONFLICT (peer) DO UPDATE SET holder = excluded.holder, held_until = excluded.held_until
    WHERE p.held_until <= $4
    RETURNING cipher_suite
)
SELECT t.cipher_suite, r.sealed_credentials, r.words
FROM taken t LEFT JOIN bmc_rejection r ON r.peer = $1
"""


class SharedTurns:
    """Adapter of `app.drivers.bmc.guard.BmcGuard`. Cost of a turn: two short transactions."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    @contextlib.asynccontextmanager
    async def turn(self, address: BmcAddress, *, deadline_s: float) -> AsyncIterator[Turn]:
        holder = new_id()
        rows = await self._wait(address.peer, holder, timedelta(seconds=deadline_s) + GRACE)
        turn = Turn(rows[0]["cipher_suite"])
        rejection: str | None = None
        try:
            self._require_not_rejected(address, rows)
            yield turn
        except LockedOut:
            raise
        except Unauthorised as error:
            rejection = error.message
            raise
        finally:
            await self._end(address, holder, turn, rejection)

    async def _wait(self, peer: str, holder: UUID, length: timedelta) -> list[asyncpg.Record]:
        while True:
            async with self._database.transaction() as tx:
                now = tx.now()
                rows = await tx.fetch(_TAKE, peer, holder, now + length, now)
            if rows:
                return rows
            await asyncio.sleep(LOOK_AGAIN_S * random.uniform(0.5, 1.5))  # noqa: S311 - jitter, no secret

    async def _end(
        self, address: BmcAddress, holder: UUID, turn: Turn, rejection: str | None
    ) -> None:
        async with self._database.transaction() as tx:
            await tx.execute(
                "UPDATE bmc_peer SET held_until = $3, cipher_suite = $4 "
                "WHERE peer = $1 AND holder = $2",
                address.peer,
                holder,
                tx.now(),
                turn.cipher_suite,
            )
            if rejection is not None:
                await tx.execute(
                    "INSERT INTO bmc_rejection "
                    "(id, peer, username, sealed_credentials, words, rejected_at) "
                    "VALUES ($1, $2, $3, $4, $5, $6)",
                    new_id(),
                    address.peer,
                    address.username,
                    self._vault.seal(_credentials(address)),
                    storable(rejection),
                    tx.now(),
                )

    def _require_not_rejected(self, address: BmcAddress, rows: list[asyncpg.Record]) -> None:
        """Raise `LockedOut` if the BMC rejected these credentials; cost: 50 µs a rejection."""
        shown = _credentials(address)
        for row in rows:
            if row["words"] is None:
                continue
            # Sealed with a key that is gone: nobody can tell any more, so they are tried.
            with contextlib.suppress(CannotOpen):
                if self._vault.open(row["sealed_credentials"]) == shown:
                    raise LockedOut(address.url, row["words"])


async def allow_again(tx: Tx, peer: str, username: str) -> None:
    """Forget what a BMC rejected of this account: a person has looked, and saved its password."""
    await tx.execute("DELETE FROM bmc_rejection WHERE peer = $1 AND username = $2", peer, username)


def _credentials(address: BmcAddress) -> str:
    return f"{address.username}\0{address.password.reveal()}"
