"""One-time boot over IPMI: set with the time-out disabled, read back, compare."""

import asyncio
from typing import Any

import msgspec

from app.drivers.bmc.ipmi.link import Link
from app.drivers.bmc.vendors import profile_of_number
from app.drivers.boot import BootDevice, BootMode, BootOverride
from app.drivers.errors import NotReached, Refused

DEVICES = {BootDevice.PXE: 1, BootDevice.DISK: 2, BootDevice.CD: 5}
"""Boot device selectors, IPMI 2.0 table 28-14; UEFI's HTTP boot has none."""
_DEVICE_OF = {selector: device for device, selector in DEVICES.items()}


class Flags(msgspec.Struct, frozen=True):
    """The boot flags as `verbs.read_boot` reads them."""

    valid: bool
    persistent: bool
    efi: bool
    device: int
    manufacturer: int


class IpmiBoot:
    """Adapter of `app.drivers.boot.BootDriver`."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def read(self) -> BootOverride | None:
        return _seen(await self._link.call("read_boot"))

    async def set_once(
        self,
        device: BootDevice,
        *,
        mode: BootMode | None = None,
        http_boot_uri: str | None = None,
        deadline_s: float = 20.0,
    ) -> BootOverride:
        peer = self._link.peer
        if device not in DEVICES or http_boot_uri is not None:
            reason = f"IPMI has no {device}; boot from the network, the virtual CD or the disk"
            raise Refused(peer, field="boot", reason=reason)
        try:
            async with asyncio.timeout(deadline_s), self._link.commands:
                flags = await self._link.call(
                    # Without a mode asked for, UEFI: a flag that says legacy is taken at its word.
                    "set_boot",
                    device=DEVICES[device],
                    efi=mode is not BootMode.LEGACY,
                )
        except TimeoutError:
            raise NotReached(
                peer,
                wanted=f"boot from {device}",
                seen="busy with another change",
                deadline_s=deadline_s,
            ) from None
        seen = _seen(flags)
        if seen is None or seen.device is not device or not _is_mode(mode, seen):
            reason = f"{device} was accepted, yet {_text(seen)} is set; use another boot device"
            raise Refused(peer, field="boot", reason=reason)
        return seen


def _is_mode(wanted: BootMode | None, seen: BootOverride) -> bool:
    """Say whether the mode is right, as far as the BMC tells it."""
    return wanted is None or seen.mode is None or seen.mode is wanted


def _seen(raw: Any) -> BootOverride | None:
    flags = msgspec.convert(raw, Flags)
    keeps_flags = profile_of_number(flags.manufacturer).keeps_boot_flags
    device = _DEVICE_OF.get(flags.device)
    if device is None or (keeps_flags and not flags.valid):
        return None
    if not keeps_flags:
        return BootOverride(device=device, mode=None, once=False)
    mode = BootMode.UEFI if flags.efi else BootMode.LEGACY
    return BootOverride(device=device, mode=mode, once=not flags.persistent)


def _text(seen: BootOverride | None) -> str:
    return "no override" if seen is None else f"{seen.device} ({seen.mode or 'mode unknown'})"
