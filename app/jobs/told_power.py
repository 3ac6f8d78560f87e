"""The power of a server, and whether anything was told to it: a look leaves it as it is."""

from app.drivers.power import Power, PowerDriver


class ToldPower:
    """A `PowerDriver` that remembers whether it was asked for more than to read.

    What begins with a look of its own counts as told, also where that look fails.
    """

    def __init__(self, power: PowerDriver) -> None:
        self._power = power
        self.is_told = False

    async def read(self) -> Power:
        return await self._power.read()

    async def ensure(self, wanted: Power, *, deadline_s: float) -> None:
        self.is_told = True
        await self._power.ensure(wanted, deadline_s=deadline_s)

    async def shut_down(self) -> None:
        self.is_told = True
        await self._power.shut_down()

    async def reset(self) -> None:
        self.is_told = True
        await self._power.reset()
