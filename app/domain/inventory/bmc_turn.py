"""Turns at BMCs and rejected credentials, kept in the database for all workers.

A turn ends by itself: the worker that has it says every second that it lives, and one that dies
holds a BMC for a few seconds only, less than the next call waits. Credentials that were rejected
are kept sealed, a row a rejection, to be told from others: what is counted is one account with one
password at one BMC. Two servers behind one BMC, of which one has a wrong password written down,
share its turns and no rejection.
"""

import asyncio
import contextlib
import dataclasses
import random
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from uuid import UUID

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
TRY_AGAIN = (timedelta(minutes=2), timedelta(hours=1))
"""How long after its first and its second rejection an account is shown to its BMC once more.

HPE's reject everything for moments now and then, above all after a restart. What locks an account
is three to five within minutes.
"""
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
                turn, rejections = await self._known(address)
                before = dataclasses.replace(turn)
                try:
                    yield turn
                except LockedOut:
                    raise
                except Unauthorised as error:
                    turn.signed_in = False
                    await self._reject(address, error.message)
                    raise
                finally:
                    if rejections and turn.signed_in:
                        await self._forgive(rejections)
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

    async def _known(self, address: BmcAddress) -> tuple[Turn, list[UUID]]:
        """Return a turn with what the BMC agreed to and showed before, and its old rejections.

        These are of the credentials that are shown now. Raises LockedOut.
        """
        async with self._database.snapshot() as tx:
            rows = await tx.fetch(
                "SELECT p.cipher_suite, coalesce(p.ssh_host_key, '') AS ssh_host_key, "
                "coalesce(p.serial_left_at > $2, false) AS serial_is_left, "
                "r.id AS rejection, r.sealed_credentials, r.words, r.rejected_at "
                "FROM (VALUES ($1::text)) AS asked (peer) LEFT JOIN bmc_peer p USING (peer) "
                "LEFT JOIN bmc_rejection r USING (peer)",
                address.peer,
                tx.now() - SERIAL_LEFT,
            )
            rejected = self._rejected(address, rows)
            _require_due(address, rejected, tx.now())
        known = rows[0]
        turn = Turn(known["cipher_suite"], known["ssh_host_key"], known["serial_is_left"])
        return turn, [row["rejection"] for row in rejected]

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
                self._vault.seal(_credentials(address.username, address.password.reveal())),
                storable(words),
                tx.now(),
            )

    async def _forgive(self, rejections: list[UUID]) -> None:
        """Forget what credentials were rejected for that are taken by now."""
        async with self._database.transaction() as tx:
            await tx.execute("DELETE FROM bmc_rejection WHERE id = ANY($1)", rejections)

    def _rejected(self, address: BmcAddress, rows: list[asyncpg.Record]) -> list[asyncpg.Record]:
        """Return the rejections of these very credentials; cost: 50 µs a rejection."""
        shown = _credentials(address.username, address.password.reveal())
        return [row for row in rows if row["words"] is not None and _is_of(self._vault, row, shown)]


def _require_due(address: BmcAddress, rejected: list[asyncpg.Record], now: datetime) -> None:
    """Raise `LockedOut` unless it is time to show rejected credentials once more."""
    if not rejected:
        return
    last = max(rejected, key=lambda row: row["rejected_at"])
    again_at = due_again([row["rejected_at"] for row in rejected])
    if again_at is None or now < again_at:
        raise LockedOut(address.url, last["words"], again_at=again_at)


def due_again(rejected_at: Sequence[datetime]) -> datetime | None:
    """Return from when on credentials are shown once more that were rejected at these moments.

    None: not before they are saved anew.
    """
    if len(rejected_at) > len(TRY_AGAIN):
        return None
    return max(rejected_at) + TRY_AGAIN[len(rejected_at) - 1]


async def rejections_of(
    tx: Tx, vault: Vault, peer: str, username: str, password: str
) -> list[asyncpg.Record]:
    """Return what a BMC said to these credentials, `words` and `rejected_at`, the latest first."""
    rows = await tx.fetch(
        "SELECT sealed_credentials, words, rejected_at FROM bmc_rejection "
        "WHERE peer = $1 AND username = $2 ORDER BY rejected_at DESC",
        peer,
        username,
    )
    shown = _credentials(username, password)
    return [row for row in rows if _is_of(vault, row, shown)]


async def allow_again(tx: Tx, peer: str, username: str) -> None:
    """Forget what a BMC rejected of this account: a person has looked, and saved its password.

    Whatever the password was: other servers behind that BMC have theirs tried again, too.
    """
    await tx.execute("DELETE FROM bmc_rejection WHERE peer = $1 AND username = $2", peer, username)


async def forget_host_key(tx: Tx, peer: str) -> None:
    """Take the key that the BMC's SSH server shows next for its own: it may be another board."""
    await tx.execute("UPDATE bmc_peer SET ssh_host_key = '' WHERE peer = $1", peer)


def _is_of(vault: Vault, row: asyncpg.Record, credentials: str) -> bool:
    try:
        return vault.open(row["sealed_credentials"]) == credentials
    except CannotOpen:
        # Sealed with a key that is gone: nobody can tell any more, so they are tried.
        return False


def _credentials(username: str, password: str) -> str:
    return f"{username}\0{password}"
