"""`server.switch`: start, shut down, restart or reset a server, as who has it wants it."""

import asyncio
from collections.abc import Awaitable
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

import msgspec

from app.core.database import Database
from app.core.errors import Refusal
from app.core.outbox import Parcel, finish
from app.core.secrets import Vault
from app.domain.connections.open import open_connection
from app.domain.inventory.find import bmc_of
from app.domain.machines.errand import Deed
from app.domain.metal.switch import (
    GOOD_FOR,
    SOFT,
    ServerSwitch,
    go_on,
    is_still_wanted,
    note_gave_way,
    note_not_switched,
    note_switched,
)
from app.drivers.bmc.contract import BmcFleet
from app.drivers.errors import Busy, DriverError, Refused, Retriable
from app.drivers.metal.contract import (
    MetalCloud,
    MetalNode,
    MetalPeer,
    NodeRef,
    WorkFailed,
    Working,
)
from app.drivers.peers import Peers
from app.drivers.power import Power
from app.jobs.stop_then_start import stop_then_start
from app.jobs.told_power import ToldPower

AGAIN_S = 15.0
"""After an answer that may be another one in a moment."""
LOOK_AGAIN_S = (1.0, 5.0)
"""At first, and at the longest, when a machine that was asked to stop is looked at again."""
DEADLINE_S = 10.0
"""How long a BMC may take to switch before it is asked again."""
PART_S = 24.0
"""Less than the relay gives."""
T = TypeVar("T")


class Unheard(DriverError):
    """It was told to reset, and nobody knows whether it heard."""

    def __init__(self, peer: str, words: str) -> None:
        super().__init__(
            peer, f"it was told once, and nobody knows whether it heard: {words}. Look, then again."
        )


class ServerSwitches:
    """What a worker does to the power of servers since somebody asked for it."""

    def __init__(self, database: Database, vault: Vault, fleet: BmcFleet, peers: Peers) -> None:
        self._database = database
        self._vault = vault
        self._fleet = fleet
        self._peers = peers

    async def consume(self, parcel: Parcel) -> None:
        """Do the next part of a switch; what it comes to is written down.

        Safe to do twice: each part begins by looking, a restart that was switched off goes on from
        there, and no part comes again once the next one is written down. Only a reset may be done
        twice, by a worker that dies between button and record.
        """
        switch = msgspec.convert(parcel.payload, ServerSwitch)
        async with self._database.snapshot() as tx:
            now, is_wanted = tx.now(), await is_still_wanted(tx, switch)
        found, words = None, switch.words
        # What a worker did that died before it wrote anything down, nobody knows. One of an earlier
        # release told of its first part by the memo alone.
        is_told = switch.is_told or bool(switch.memo) or parcel.attempts > 1
        if is_wanted and now <= switch.until:
            found, words, tells = await self._next_part(switch, now)
            is_told = is_told or tells
        switch = msgspec.structs.replace(switch, is_told=is_told)
        async with self._database.transaction() as tx:
            if not await finish(tx, parcel):
                return
            if not is_wanted:
                await note_gave_way(tx, switch)
            elif isinstance(found, Working):
                at, until = tx.now() + timedelta(seconds=found.again_s), _until(found.memo)
                await go_on(tx, switch, memo=found.memo, at=at, until=until, words=words)
            elif isinstance(found, MetalNode | Power):
                await note_switched(tx, switch, found)
            else:
                await note_not_switched(tx, switch, words or "No worker came to it in time.")

    async def _next_part(
        self, switch: ServerSwitch, now: datetime
    ) -> tuple[MetalNode | Power | Working | None, str, bool]:
        """Return what it came to, what went wrong, and whether the server may have been told.

        What went wrong is in words, "" where nothing did.
        """
        found: MetalNode | Power | Working | None = None
        words, power = "", None
        is_at_cloud = False
        try:
            async with asyncio.timeout(PART_S):
                if switch.connection is None or switch.service is None:
                    power = await self._power_of(switch.server)
                    found = await _by_bmc(power, switch, now)
                else:
                    is_at_cloud = True
                    found = await self._at_cloud(switch, switch.connection, switch.service)
        except WorkFailed as error:
            words = error.message
        except Retriable as error:
            found, words = Working(switch.memo, AGAIN_S, ""), error.message
        except TimeoutError:
            words = f"no answer within {PART_S:g} s"
            # A reset may have been heard.
            found = None if switch.deed is Deed.reset else Working(switch.memo, AGAIN_S, "")
        except (DriverError, Refusal) as error:
            words = error.message
        return found, words, is_at_cloud or (power is not None and power.is_told)

    async def _power_of(self, server: UUID) -> ToldPower:
        async with self._database.snapshot() as tx:
            address, _ = await bmc_of(tx, self._vault, server)
        return ToldPower(self._fleet.bmc(address).power)

    async def _at_cloud(
        self, switch: ServerSwitch, connection: str, service: UUID
    ) -> MetalNode | Working:
        async with self._database.snapshot() as tx:
            peer = await open_connection(tx, self._vault, connection)
        if not isinstance(peer, MetalPeer):
            raise Refused(connection, field="connection", reason="no cloud of bare metal")
        ref = NodeRef(switch.node, service)
        return await _by_cloud(self._peers.metal(peer), ref, switch)


async def _by_bmc(power: ToldPower, switch: ServerSwitch, now: datetime) -> Power | Working:
    if switch.deed is Deed.start or switch.memo.get("is_off"):
        await power.ensure(Power.ON, deadline_s=DEADLINE_S)
        return Power.ON
    # Written down before it goes on again: a crash does not switch a running machine off twice.
    is_off = Working({"is_off": True, "until": (now + GOOD_FOR).isoformat()}, 0, "")
    if switch.deed is Deed.reset:
        return Power.ON if await _reset(power) else is_off
    waits = await _softly(power, switch.memo.get("asked"), now)
    if waits is not None:
        return waits
    return Power.OFF if switch.deed is Deed.stop else is_off


async def _reset(power: ToldPower) -> bool:
    """Press the button; False where it is off, or was switched off since its BMC has none."""
    if await power.read() is Power.OFF:
        return False
    try:
        await _pressed_once(power.reset())
    except Refused:
        await power.ensure(Power.OFF, deadline_s=DEADLINE_S)
        return False
    return True


async def _pressed_once(press: Awaitable[T]) -> T:
    """Return what comes of a press; where its answer is lost it is not pressed again.

    Raises Unheard then: it may have been heard.
    """
    try:
        return await press
    except Busy:
        raise  # it was not pressed
    except Retriable as error:
        raise Unheard(error.peer, error.message) from error


async def _softly(power: ToldPower, asked: str | None, now: datetime) -> Working | None:
    """Ask its system to stop, and after a while not; None once it is off."""
    if await power.read() is Power.OFF:
        return None
    if asked is None:
        try:
            await power.shut_down()
        except Refused:
            # This BMC has no way to ask.
            await power.ensure(Power.OFF, deadline_s=DEADLINE_S)
            return None
    since = now if asked is None else datetime.fromisoformat(asked)
    if now >= since + SOFT:
        await power.ensure(Power.OFF, deadline_s=DEADLINE_S)
        return None
    first_s, most_s = LOOK_AGAIN_S
    memo = {"asked": since.isoformat(), "until": (since + SOFT + GOOD_FOR).isoformat()}
    again_s = min(max(first_s, (now - since).total_seconds()), most_s)
    return Working(memo, again_s, "")


async def _by_cloud(cloud: MetalCloud, ref: NodeRef, switch: ServerSwitch) -> MetalNode | Working:
    memo = switch.memo
    match switch.deed:
        case Deed.reset if "asked" not in memo:
            await cloud.read(ref.node)  # a cloud that is away is not asked yet
            return await _pressed_once(cloud.reboot(ref, memo))
        case Deed.reset:
            return await cloud.reboot(ref, memo)
        case Deed.stop:
            return await cloud.power(ref, Power.OFF, memo, soft=True)
        case Deed.restart:
            stop = partial(cloud.power, ref, Power.OFF, soft=True)
            return await stop_then_start(stop, partial(cloud.power, ref, Power.ON), memo)
        case _:
            return await cloud.power(ref, Power.ON, memo)


def _until(memo: dict[str, Any]) -> datetime | None:
    until = memo.get("until")
    return None if until is None else datetime.fromisoformat(until)
