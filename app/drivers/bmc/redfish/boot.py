"""One-time boot over Redfish: set, read back, compare."""

import asyncio
from typing import Any

from sushy import BootSource, BootSourceOverrideEnabled, BootSourceOverrideMode
from sushy import exceptions as sushy_errors

from app.drivers.bmc.redfish.link import Link
from app.drivers.bmc.redfish.session import fetch, read_page
from app.drivers.bmc.redfish.words import translate
from app.drivers.bmc.vendors import ModeSent, profile_of
from app.drivers.boot import BootDevice, BootMode, BootOverride
from app.drivers.errors import NotReached, Refused

_SOURCES = {
    BootDevice.PXE: BootSource.PXE,
    BootDevice.CD: BootSource.CD,
    BootDevice.DISK: BootSource.HDD,
    BootDevice.UEFI_HTTP: BootSource.UEFI_HTTP,
}
_MODES = {
    BootMode.UEFI: BootSourceOverrideMode.UEFI,
    BootMode.LEGACY: BootSourceOverrideMode.LEGACY,
}
_DEVICE_OF = {source: device for device, source in _SOURCES.items()} | {
    # Supermicro presents virtual media as a USB CD, and sushy asks it for that one.
    BootSource.USB_CD: BootDevice.CD,
}
_MODE_OF = {source: mode for mode, source in _MODES.items()}


class RedfishBoot:
    """Adapter of `app.drivers.boot.BootDriver`."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def read(self) -> BootOverride | None:
        return await self._link.call(_read)

    async def set_once(
        self,
        device: BootDevice,
        *,
        mode: BootMode | None = None,
        http_boot_uri: str | None = None,
        deadline_s: float = 20.0,
    ) -> BootOverride:
        try:
            async with asyncio.timeout(deadline_s), self._link.commands:
                return await self._link.call(
                    lambda system: _set(self._link.peer, system, device, mode, http_boot_uri),
                    deadline_s=deadline_s,
                )
        except TimeoutError:
            raise NotReached(
                self._link.peer,
                wanted=f"boot from {device}",
                seen="busy with another change",
                deadline_s=deadline_s,
            ) from None


def _set(
    peer: str, system: Any, device: BootDevice, mode: BootMode | None, uri: str | None
) -> BootOverride:
    """Try the payloads that vendors want, and believe only what is read back.

    Some BMCs answer an error and apply, some answer 200 and revert, Supermicro
    wants the mode sent again and HPE rejects it.
    """
    rejection: sushy_errors.SushyError | None = None
    seen: BootOverride | None = None
    # Read anew: with its mark (ETag) a change is sent, and some take none that is older.
    fetch(system)
    profile = profile_of(system.manufacturer)
    current = system.boot.mode if system.boot else None
    for mode_sent in _payload_modes(profile.boot_mode_sent, mode, current):
        try:
            system.set_system_boot_options(
                _SOURCES[device],
                enabled=BootSourceOverrideEnabled.ONCE,
                mode=mode_sent,
                http_boot_uri=uri,
            )
        except (sushy_errors.AccessError, sushy_errors.ConnectionError):
            raise
        except sushy_errors.SushyError as error:
            rejection = error
        fetch(system)
        seen = _seen(system)
        for each in (seen, _pending(system)):
            if each is not None and each.device is device and _is_mode(mode, each):
                return each
    if rejection is not None:
        raise translate(peer, rejection) from rejection
    raise Refused(
        peer,
        field="boot",
        reason=f"{device} was accepted, yet {_text(seen)} is set; use another boot device",
    )


def _payload_modes(
    sent: ModeSent, wanted: BootMode | None, current: BootSourceOverrideMode | None
) -> tuple[BootSourceOverrideMode | None, ...]:
    """Return which modes to send, in turn; None leaves the mode out of the payload."""
    if sent is ModeSent.NEVER:
        return (None,)
    if wanted is not None:
        return (_MODES[wanted],)
    if current is None:
        return (None,)
    return (current,) if sent is ModeSent.ALWAYS else (None, current)


def _read(system: Any) -> BootOverride | None:
    fetch(system)
    return _pending(system) or _seen(system)


def _pending(system: Any) -> BootOverride | None:
    """Return what the next restart will put into force, where that has a page of its own.

    AMI's boards (Nokia's) take a change there, and tell it at the system only once it has come so.
    """
    settings = system.json.get("@Redfish.Settings") or {}
    path = (settings.get("SettingsObject") or {}).get("@odata.id")
    if not path:
        return None
    boot = read_page(system, path).get("Boot") or {}
    return _override(
        _named(BootSource, boot.get("BootSourceOverrideTarget")),
        _named(BootSourceOverrideEnabled, boot.get("BootSourceOverrideEnabled")),
        _named(BootSourceOverrideMode, boot.get("BootSourceOverrideMode")),
    )


def _named(kind: type[Any], value: Any) -> Any:
    """Return the member of that value; None for none that is known."""
    return next((each for each in kind if each.value == value), None)


def _seen(system: Any) -> BootOverride | None:
    boot = system.boot
    return None if boot is None else _override(boot.target, boot.enabled, boot.mode)


def _override(
    target: BootSource | None,
    enabled: BootSourceOverrideEnabled | None,
    mode: BootSourceOverrideMode | None,
) -> BootOverride | None:
    device = _DEVICE_OF.get(target)
    if device is None or enabled is BootSourceOverrideEnabled.DISABLED:
        return None
    return BootOverride(
        device=device,
        mode=_MODE_OF.get(mode),
        once=enabled is BootSourceOverrideEnabled.ONCE,
    )


def _is_mode(wanted: BootMode | None, seen: BootOverride) -> bool:
    """Say whether the mode is right, as far as the BMC tells it."""
    return wanted is None or seen.mode is None or seen.mode is wanted


def _text(seen: BootOverride | None) -> str:
    if seen is None:
        return "no override"
    return f"{seen.device} ({seen.mode or 'mode unknown'})"
