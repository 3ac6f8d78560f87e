"""Turns at BMCs and rejected credentials, kept in the database for all workers.

A turn ends by itself: the worker that has it says every second that it lives, and one that dies
holds a BMC for a few seconds only, less than the next call waits. Credentials that were rejected
are kept sealed, to be told from others.
"""

import asyncio
import contextlib
import dataclasses
import random
from collections.abc import AsyncIterator
from datetime import timedelta

import asyncpg
import structlog

from app.core.database import LOST, Database, Tx, storable
from app.core.ids import new_id
from app.core.secrets import CannotOpen, Vault
from app.core.turns import DatabaseTurns
from app.drivers.bmc.contract import BmcAddress
from app.drivers.bmc.guard import LockedOut, Turn
from app.drivers.errors import Unauthorised

LOOK_AGAIN_S = 0.05
"""How often a worker looks whether a BMC that another one talks to is free."""
RENEW_S = 1.0
"""How often the worker that has a turn says that it lives, and how long it tries to say so."""
TURN_S = 4.0
"""How long a turn lasts past its worker's last word: two words may come to nothing."""
SERIAL_LEFT = timedelta(seconds=65)
"""After this a BMC has ended a console whose program is gone (IPMI 2.0, 6.12.15: 60 s)."""
log = structlog.get_logger()


class SharedTurns:
    """Adapter of `app.drivers.bmc.guard.BmcGuard`.

    Cost of a turn: three short statements, and one a second.
    """

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault
        self._turns = DatabaseTurns(database)

    @contextlib.asynccontextmanager
    async def turn(self, address: BmcAddress) -> AsyncIterator[Turn]:
        key, holder = f"bmc:{address.peer}", str(new_id())
        try:
            while not await self._turns.take(key, holder, for_s=TURN_S):  # noqa: ASYNC110 - other workers tell nobody
                await asyncio.sleep(LOOK_AGAIN_S * random.uniform(0.5, 1.5))  # noqa: S311 - jitter, no secret
            async with self._kept(key, holder):
                turn = await self._known(address)
                before = dataclasses.replace(turn)
                try:
                    yield turn
                except LockedOut:
                    raise
                except Unauthorised as error:
                    await self._reject(address, error.message)
                    raise
                finally:
                    if turn != before:
                        await self._learn(address.peer, turn)
        finally:
            await self._turns.give_back(key, holder)

    @contextlib.asynccontextmanager
    async def _kept(self, key: str, holder: str) -> AsyncIterator[None]:
        """Say every second, for as long as the block lasts, that the worker lives."""

        async def renew() -> None:
            while True:
                await asyncio.sleep(RENEW_S)
                try:
                    async with asyncio.timeout(RENEW_S):
                        kept = await self._turns.take(key, holder, for_s=TURN_S)
                except (asyncpg.PostgresError, *LOST) as error:
                    # The turn outlives a word or two that the database did not take.
                    log.warning("bmc.turn_not_renewed", peer=key, error=str(error))
                else:
                    if not kept:
                        log.warning("bmc.turn_lost", peer=key)
                        return

        renewing = asyncio.create_task(renew(), name=f"turn-{key}")
        try:
            yield
        finally:
            renewing.cancel()
            await asyncio.gather(renewing, return_exceptions=True)

    async def _known(self, address: BmcAddress) -> Turn:
        """Return a turn with what the BMC agreed to and showed before. Raises LockedOut."""
        async with self._database.snapshot() as tx:
            rows = await tx.fetch(
                "SELECT p.cipher_suite, coalesce(p.ssh_host_key, '') AS ssh_host_key, "
                "coalesce(p.serial_left_at > $2, false) AS serial_is_left, "
                "r.sealed_credentials, r.words "
                "FROM (VALUES ($1::text)) AS asked (peer) LEFT JOIN bmc_peer p USING (peer) "
                "LEFT JOIN bmc_rejection r USING (peer)",
                address.peer,
                tx.now() - SERIAL_LEFT,
            )
        self._require_not_rejected(address, rows)
        known = rows[0]
        return Turn(known["cipher_suite"], known["ssh_host_key"], known["serial_is_left"])

    async def _learn(self, peer: str, turn: Turn) -> None:
        async with self._database.transaction() as tx:
            await tx.execute(
                "INSERT INTO bmc_peer (peer, cipher_suite, ssh_host_key, serial_left_at) "
                "VALUES ($1, $2, $3, $4) ON CONFLICT (peer) DO UPDATE SET "
                "cipher_suite = excluded.cipher_suite, ssh_host_key = excluded.ssh_host_key, "
                "serial_left_at = excluded.serial_left_at",
                peer,
                turn.cipher_suite,
                turn.ssh_host_key,
                tx.now() if turn.serial_is_left else None,
            )

    async def _reject(self, address: BmcAddress, words: str) -> None:
        async with self._database.transaction() as tx:
            await tx.execute(
                "INSERT INTO bmc_rejection "
                "(id, peer, username, sealed_credentials, words, rejected_at) "
                "VALUES ($1, $2, $3, $4, $5, $6)",
                new_id(),
                address.peer,
                address.username,
                self._vault.seal(_credentials(address)),
                storable(words),
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


async def forget_host_key(tx: Tx, peer: str) -> None:
    """Take the key that the BMC's SSH server shows next for its own: it may be another board."""
    await tx.execute("UPDATE bmc_peer SET ssh_host_key = '' WHERE peer = $1", peer)


def _credentials(address: BmcAddress) -> str:
    return f"{address.username}\0{address.password.reveal()}"
