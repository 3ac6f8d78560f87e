"""Turns: one at a time, over all processes, at what stands outside of the database.

A lease is for work that somebody must finish; a turn is only the right to go first, and ends by
itself.
"""

from datetime import timedelta

from piccolo.columns import Text
from piccolo.table import Table

from app.core.columns import moment, text
from app.core.database import Database


class Turn(Table, tablename="turn"):
    """Who may go first at `key` until `until`."""

    key = Text(primary_key=True, default=None)
    holder = text()
    until = moment()


class DatabaseTurns:
    """Turns that all workers see."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def take(self, key: str, holder: str, *, for_s: float) -> bool:
        """Return whether `holder` has the turn now; asked again, it keeps it for longer.

        One statement: of two that ask at once the row lets one through.
        """
        async with self._database.transaction() as tx:
            taken = await tx.fetchval(
                "INSERT INTO turn AS t (key, holder, until) VALUES ($1, $2, $3) "
                "ON CONFLICT (key) DO UPDATE SET holder = $2, until = $3 "
                "WHERE t.holder = $2 OR t.until <= $4 RETURNING true",
                key,
                holder,
                tx.now() + timedelta(seconds=for_s),
                tx.now(),
            )
        return bool(taken)

    async def give_back(self, key: str, holder: str) -> None:
        """End a turn; one that ended by itself, and is another's by now, stays that one's."""
        async with self._database.transaction() as tx:
            await tx.execute("DELETE FROM turn WHERE key = $1 AND holder = $2", key, holder)
