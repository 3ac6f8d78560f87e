"""Ask connections in turns for all that they have: each now and then, silent ones less often."""

from collections.abc import Sequence
from datetime import timedelta

import msgspec

from app.core.database import Tx, storable
from app.core.outbox import emit


class Rounds(msgspec.Struct, frozen=True, kw_only=True):
    """The turns of all connections of some kinds.

    The context that reads them keeps a `table` of its own, a row for each connection: `due_at`,
    `asked_at`, `silent_since` and `silence` are written here, the rest by that context.
    """

    table: str
    kinds: tuple[str, ...]
    topic: str
    """Of the admin's page of that name, which shows what they said."""
    doorbell: str
    period: timedelta
    """How often one is asked, or up to a fifth earlier."""
    longest: timedelta
    """How often one that is silent is asked at least."""
    alarm: timedelta
    """A silence of that length is told to the staff."""

    async def take_due(self, tx: Tx, limit: int, *, silent: bool) -> Sequence[str]:
        """Take up to `limit` connections that are to be asked now, silent ones or others.

        Who takes one puts off its next turn, which is later than an answer may take. A connection
        that was added or changed is due at once.
        """
        await tx.execute(
            f"INSERT INTO {self.table} (connection, due_at) SELECT name, $2 FROM connection c "
            f"WHERE kind = ANY($1) AND NOT EXISTS (SELECT FROM {self.table} "
            "WHERE connection = c.name) ON CONFLICT DO NOTHING",
            self.kinds,
            tx.now(),
        )
        rows = await tx.fetch(
            f"WITH due AS MATERIALIZED (SELECT w.connection FROM {self.table} w "
            "JOIN connection c ON c.name = w.connection AND c.kind = ANY($6) "
            "WHERE (w.due_at <= $1 OR c.updated_at > w.asked_at) "
            "AND (w.silent_since IS NOT NULL) = $2 ORDER BY w.due_at LIMIT $3 "
            "FOR UPDATE OF w SKIP LOCKED) "
            f"UPDATE {self.table} w SET asked_at = $1, due_at = $1::timestamptz + "
            "(0.8 + 0.2 * random()) * "
            "least(greatest($1::timestamptz - silent_since, $4::interval), $5::interval) "
            "FROM due WHERE w.connection = due.connection RETURNING w.connection",
            tx.now(),
            silent,
            limit,
            self.period,
            self.longest,
            self.kinds,
        )
        return [row["connection"] for row in rows]

    async def ask_now(self, tx: Tx, connection: str) -> None:
        """Have one asked after the commit instead of when it is due."""
        await tx.execute(
            f"UPDATE {self.table} SET due_at = $2 WHERE connection = $1", connection, tx.now()
        )
        tx.publish(self.doorbell)

    async def note_silence(self, tx: Tx, connection: str, words: str) -> bool:
        """Write down that one did not answer, and why; returns whether its silence begins.

        Staff are told once it has lasted.
        """
        row = await tx.fetchrow(
            f"WITH old AS (SELECT connection, silent_since, silence FROM {self.table} "
            "WHERE connection = $1 FOR NO KEY UPDATE) "
            f"UPDATE {self.table} w SET silence = $2, silent_since = coalesce(w.silent_since, $3) "
            "FROM old WHERE w.connection = old.connection "
            "RETURNING w.silent_since, old.silent_since AS before, old.silence <> $2 AS is_other",
            connection,
            storable(words),
            tx.now(),
        )
        if row is None:
            return False
        begins = row["before"] is None
        if begins or row["is_other"]:
            tx.publish(self.topic)
        if tx.now() - row["silent_since"] >= self.alarm:
            key = f"{self.topic}.silent:{connection}:{row['silent_since'].isoformat()}"
            facts = {
                "title": f"{connection} does not answer",
                "text": "It is asked again by itself, and runs that need it wait. "
                f"It says: {words}",
                "path": f"/admin/{self.topic}",
            }
            await emit(tx, "admin.notice", key, facts)
        return begins

    async def forget_removed(self, tx: Tx, *tables: str) -> None:
        """Forget the turns of connections that were removed, and what `tables` know of them."""
        for table in (*tables, self.table):
            await tx.execute(
                f"DELETE FROM {table} t WHERE NOT EXISTS "
                "(SELECT FROM connection c WHERE c.name = t.connection AND c.kind = ANY($1))",
                self.kinds,
            )
