"""Power by any protocol: read, act, then poll until the BMC says so."""

import asyncio
from enum import StrEnum
from typing import Protocol

from app.drivers.bmc.polling import until
from app.drivers.errors import NotReached, Refused, Retriable
from app.drivers.power import Power


class PowerOrder(StrEnum):
    """What a BMC is told to do with the power."""

    ON = "on"
    OFF = "off"
    """Hard."""
    SHUT_DOWN = "shut_down"
    RESET = "reset"


class PowerWire(Protocol):
    """What a protocol must offer; it neither waits nor repeats beyond its BMC's quirks."""

    async def read(self) -> Power: ...

    async def send(self, order: PowerOrder) -> bool:
        """Pass one order on; False when the BMC refused because it is there already."""
        ...


class Switch:
    """Adapter of `app.drivers.power.PowerDriver` over a `PowerWire`."""

    def __init__(self, peer: str, commands: asyncio.Lock, wire: PowerWire) -> None:
        self._peer = peer
        self._commands = commands
        self._wire = wire

    async def read(self) -> Power:
        return await self._wire.read()

    async def ensure(self, wanted: Power, *, deadline_s: float) -> None:
        if wanted is Power.UNKNOWN:
            raise ValueError("a server can be asked to be on or off, not unknown")
        seen = Power.UNKNOWN

        async def read() -> Power:
            nonlocal seen
            seen = await self._wire.read()
            return seen

        try:
            async with asyncio.timeout(deadline_s), self._commands:
                if await read() is wanted:
                    return
                order = PowerOrder.ON if wanted is Power.ON else PowerOrder.OFF
                if await self._wire.send(order):
                    await until(read, lambda state: state is wanted)
        except TimeoutError:
            raise NotReached(self._peer, wanted=wanted, seen=seen, deadline_s=deadline_s) from None

    async def shut_down(self) -> None:
        async with self._commands:
            if await self._wire.read() is Power.OFF:
                return
            try:
                await self._wire.send(PowerOrder.SHUT_DOWN)
            except (Refused, Retriable):
                if await self._wire.read() is not Power.OFF:  # it may have gone off by itself
                    raise

    async def stop(self, *, patience_s: float, deadline_s: float) -> bool:
        try:
            async with asyncio.timeout(patience_s):
                await self.shut_down()
                if await self._wire.read() is not Power.OFF:
                    # Without the lock: a hard off of another is not kept waiting by this.
                    await until(self._wire.read, lambda state: state is Power.OFF)
        except (TimeoutError, Refused):
            await self.ensure(Power.OFF, deadline_s=deadline_s)
            return True
        return False

    async def cycle(self, *, deadline_s: float) -> None:
        try:
            async with asyncio.timeout(deadline_s):
                await self.ensure(Power.OFF, deadline_s=deadline_s)
                await self.ensure(Power.ON, deadline_s=deadline_s)
        except TimeoutError:
            seen = "between off and on"
            raise NotReached(
                self._peer, wanted="off and on again", seen=seen, deadline_s=deadline_s
            ) from None

    async def reset(self) -> None:
        async with self._commands:
            if await self._wire.read() is not Power.ON:
                raise Refused(self._peer, field="power", reason="it is off; switch it on instead")
            await self._wire.send(PowerOrder.RESET)
