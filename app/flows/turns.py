"""Turns at a provider, handed on from run to run: who waits sleeps until it is its own."""

from app.core.turns import DatabaseTurns, end, keep, places, take_place
from app.flows.signals import wake_first


class SignalledTurns(DatabaseTurns):
    """Turns whose end wakes the run that has waited for it longest."""

    async def take(self, key: str, holder: str, *, for_s: float, at_once: int = 1) -> bool:
        """Take a turn; the first in line is woken for another place that is free then."""
        async with self._database.transaction() as tx:
            if await keep(tx, key, holder, for_s=for_s):
                return True
            if not await take_place(tx, key, holder, for_s=for_s, at_once=at_once):
                return False
            taken = await tx.fetchval(
                "SELECT count(*) FROM turn WHERE key = ANY($1) AND until > $2",
                places(key),
                tx.now(),
            )
            if taken < at_once:
                await wake_first(tx, turn_signal(key))
            return True

    async def give_back(self, key: str, holder: str) -> None:
        """End a turn, and signal one that waits for it, in one commit."""
        async with self._database.transaction() as tx:
            if await end(tx, key, holder):
                await wake_first(tx, turn_signal(key))


def turn_signal(key: str) -> str:
    """Return how the signals begin that wake who waits for a turn."""
    return f"turn:{key}:"
