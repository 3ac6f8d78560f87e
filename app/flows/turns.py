"""Turns at a provider, handed on from run to run: who waits sleeps until it is its own."""

from app.core.turns import DatabaseTurns
from app.flows.signals import wake_first


class SignalledTurns(DatabaseTurns):
    """Turns whose end wakes the run that has waited for it longest."""

    async def give_back(self, key: str, holder: str) -> None:
        """End a turn, and signal one that waits for it, in one commit."""
        async with self._database.transaction() as tx:
            ended = await tx.fetchval(
                "DELETE FROM turn WHERE key = $1 AND holder = $2 RETURNING true", key, holder
            )
            if ended:
                await wake_first(tx, turn_signal(key))


def turn_signal(key: str) -> str:
    """Return how the signals begin that wake who waits for a turn."""
    return f"turn:{key}:"
