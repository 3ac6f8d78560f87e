"""Turns: one at a time, over all processes, at what stands outside of the database.

A lease is for work that somebody must finish; a turn is only the right to go first, and ends by
itself.
"""

from datetime import timedelta

from piccolo.columns import Text
from piccolo.table import Table

from app.core.columns import moment, text
from app.core.database import Database, Tx


class Turn(Table, tablename="turn"):
    """Who may go first at `key` until `until`."""

    key = Text(primary_key=True, default=None)
    holder = text()
    until = moment()


class DatabaseTurns:
    """Turns that all workers see."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def take(self, key: str, holder: str, *, for_s: float, at_once: int = 1) -> bool:
        """Return whether `holder` has the turn now; asked again, it keeps it for longer.

        So many as `at_once`, 1 or 2, may have it. Of two that ask at once the row of a place
        lets one through.
        """
        async with self._database.transaction() as tx:
            if await keep(tx, key, holder, for_s=for_s):
                return True
            return await take_place(tx, key, holder, for_s=for_s, at_once=at_once)

    async def give_back(self, key: str, holder: str) -> None:
        """End a turn; one that ended by itself, and is another's by now, stays that one's."""
        async with self._database.transaction() as tx:
            await end(tx, key, holder)


def places(key: str) -> list[str]:
    """Return the keys of the places that a turn may have."""
    return [key, f"{key}#2"]


async def keep(tx: Tx, key: str, holder: str, *, for_s: float) -> bool:
    """Have a turn end later; returns whether `holder` has it."""
    kept = await tx.fetchval(
        "UPDATE turn SET until = $3 WHERE key = ANY($1) AND holder = $2 RETURNING true",
        places(key),
        holder,
        tx.now() + timedelta(seconds=for_s),
    )
    return bool(kept)


async def take_place(tx: Tx, key: str, holder: str, *, for_s: float, at_once: int) -> bool:
    """Take the first place of a turn that is free; returns whether there was one."""
    for place in places(key)[:at_once]:
        taken = await tx.fetchval(
            "INSERT INTO turn AS t (key, holder, until) VALUES ($1, $2, $3) "
            "ON CONFLICT (key) DO UPDATE SET holder = $2, until = $3 "
            "WHERE t.holder = $2 OR t.until <= $4 RETURNING true",
            place,
            holder,
            tx.now() + timedelta(seconds=for_s),
            tx.now(),
        )
        if taken:
            return True
    return False


async def end(tx: Tx, key: str, holder: str) -> bool:
    """End a turn; returns whether `holder` had it."""
    ended = await tx.fetchval(
        "DELETE FROM turn WHERE key = ANY($1) AND holder = $2 RETURNING true", places(key), holder
    )
    return bool(ended)
