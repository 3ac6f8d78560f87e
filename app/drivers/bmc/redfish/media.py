"""The virtual CD over Redfish: eject only what is inserted, insert, verify."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

import msgspec
from sushy import VirtualMediaType
from sushy import exceptions as sushy_errors

from app.drivers.bmc.polling import until
from app.drivers.bmc.redfish.link import Link
from app.drivers.bmc.redfish.session import MEDIA_READ_TIMEOUT_S, fetch
from app.drivers.errors import NotReached, Unreachable


class Drive(msgspec.Struct, frozen=True):
    """What the BMC reports of its virtual CD."""

    image: str | None

    def holds(self, url: str) -> bool:
        """Compare by name, since some BMCs report the image under another address."""
        return self.image is not None and _name(self.image) == _name(url)


class RedfishMedia:
    """Adapter of `app.drivers.virtual_media.MediaDriver`."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def insert(self, url: str, *, deadline_s: float = 60.0) -> None:
        seen = Drive(None)
        wanted = "an empty drive"

        async def read() -> Drive:
            nonlocal seen
            seen = await self._link.call(_read)
            return seen

        try:
            async with asyncio.timeout(deadline_s), self._link.commands:
                if (await read()).image == url:
                    return
                # All of our images have one name: one that sticks would pass for the next.
                await self._emptied(seen, read)
                wanted = f"{_name(url)} inserted"
                try:
                    await self._link.call(
                        lambda system: _cd(system).insert_media(url),
                        deadline_s=deadline_s,
                        read_timeout_s=MEDIA_READ_TIMEOUT_S,
                    )
                except Unreachable:
                    # It may be reading the image still; the drive tells.
                    await until(read, lambda now: now.holds(url))
                    return
                if not (await read()).holds(url):
                    await until(read, lambda now: now.holds(url))
        except TimeoutError:
            raise self._late(wanted, seen, deadline_s) from None

    async def eject(self, *, deadline_s: float = 30.0) -> None:
        seen = Drive(None)

        async def read() -> Drive:
            nonlocal seen
            seen = await self._link.call(_read)
            return seen

        try:
            async with asyncio.timeout(deadline_s), self._link.commands:
                await self._emptied(await read(), read)
        except TimeoutError:
            raise self._late("an empty drive", seen, deadline_s) from None

    async def _emptied(self, seen: Drive, read: Callable[[], Awaitable[Drive]]) -> None:
        """Return once the drive is empty; bounded by the caller's time-out."""
        if seen.image is None:
            return
        await self._link.call(_eject)
        if (await read()).image is not None:
            await until(read, lambda now: now.image is None)

    def _late(self, wanted: str, drive: Drive, deadline_s: float) -> NotReached:
        seen = "empty" if drive.image is None else f"holding {_name(drive.image)}"
        return NotReached(self._link.peer, wanted=wanted, seen=seen, deadline_s=deadline_s)


def _name(url: str) -> str:
    """Return the file's name only: the rest of the address may carry a one-time token."""
    return PurePosixPath(urlsplit(url).path).name


def _read(system: Any) -> Drive:
    device = _cd(system)
    fetch(device)
    return Drive((device.image or "unnamed") if device.inserted else None)


def _eject(system: Any) -> None:
    _cd(system).eject_media()


def _cd(system: Any) -> Any:
    """Return the CD or DVD drive: at the system, or on older BMCs at its manager."""
    try:
        collections = [system.virtual_media]
    except sushy_errors.MissingAttributeError:
        collections = [manager.virtual_media for manager in system.managers]
    for collection in collections:
        for device in collection.get_members():
            if {VirtualMediaType.CD, VirtualMediaType.DVD} & set(device.media_types):
                return device
    raise sushy_errors.MissingAttributeError(attribute="VirtualMedia (CD)", resource=system.path)
