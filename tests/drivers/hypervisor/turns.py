"""Turns of one process, for tests of drivers that need nothing more."""


class LocalTurns:
    """Whoever took a turn has it until it is given back."""

    def __init__(self) -> None:
        self.taken: dict[str, str] = {}

    async def take(self, key: str, holder: str, *, for_s: float, at_once: int = 1) -> bool:
        return self.taken.setdefault(key, holder) == holder

    async def give_back(self, key: str, holder: str) -> None:
        if self.taken.get(key) == holder:
            del self.taken[key]
