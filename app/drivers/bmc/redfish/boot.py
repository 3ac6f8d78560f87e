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

_ADDRESS = "HttpBootUri"
_INSTEAD = "have its server install by network or virtual-media"


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
    if device is BootDevice.UEFI_HTTP:
        _require_http(peer, system)
        mode = mode or BootMode.UEFI
        # sushy refuses an address where there is no place for one; DHCP tells it then.
        uri = uri if _takes_address(system) else None
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
        told = (_seen(system), _pending(system))
        for each in told:
            if each is None or each.device is not device or not _is_mode(mode, each):
                continue
            if device is not BootDevice.UEFI_HTTP or each.http_boot_uri == uri:
                return each
        seen = next((one for one in told if one and one.device is device), told[0])
    if rejection is not None:
        raise translate(peer, rejection) from rejection
    if device is BootDevice.UEFI_HTTP and seen is not None and seen.device is device:
        raise Refused(peer, field="boot_method", reason=_why_not_http(seen))
    raise Refused(
        peer,
        field="boot",
        reason=f"{device} was accepted, yet {_text(seen)} is set; use another boot device",
    )


def _require_http(peer: str, system: Any) -> None:
    """Raise Refused where the BMC names what it boots from, and HTTP is not among that."""
    if BootSource.UEFI_HTTP in system.get_allowed_system_boot_source_values():
        return
    is_legacy = system.boot.mode is BootSourceOverrideMode.LEGACY
    why = " while its boot mode is legacy" if is_legacy else ""
    reason = f"this BMC offers no UEFI HTTP boot{why}; {_INSTEAD}"
    raise Refused(peer, field="boot_method", reason=reason)


def _takes_address(system: Any) -> bool:
    """Say whether the BMC has a place for what is fetched, for now or for the next restart."""
    return any(_ADDRESS in boot for boot in (system.json.get("Boot") or {}, _next_boot(system)))


def _why_not_http(seen: BootOverride) -> str:
    """Return what was not followed, without an address: who has it may read an installation."""
    if seen.mode is BootMode.LEGACY:
        return f"UEFI HTTP boot was accepted, yet the boot mode stays legacy; {_INSTEAD}"
    return f"UEFI HTTP boot was accepted, yet another address ({_ADDRESS}) is set; {_INSTEAD}"


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
    """Return what the next restart will put into force, where that has a page of its own."""
    boot = _next_boot(system)
    return _override(
        _named(BootSource, boot.get("BootSourceOverrideTarget")),
        _named(BootSourceOverrideEnabled, boot.get("BootSourceOverrideEnabled")),
        _named(BootSourceOverrideMode, boot.get("BootSourceOverrideMode")),
        boot.get(_ADDRESS),
    )


def _next_boot(system: Any) -> dict[str, Any]:
    """Return `Boot` as the next restart will have it; empty where that has no page of its own.

    AMI's boards (Nokia's) take a change there, and tell it at the system only once it has come so.
    """
    settings = system.json.get("@Redfish.Settings") or {}
    path = (settings.get("SettingsObject") or {}).get("@odata.id")
    return (read_page(system, path).get("Boot") or {}) if path else {}


def _named(kind: type[Any], value: Any) -> Any:
    """Return the member of that value; None for none that is known."""
    return next((each for each in kind if each.value == value), None)


def _seen(system: Any) -> BootOverride | None:
    boot = system.boot
    if boot is None:
        return None
    return _override(boot.target, boot.enabled, boot.mode, boot.http_boot_uri)


def _override(
    target: BootSource | None,
    enabled: BootSourceOverrideEnabled | None,
    mode: BootSourceOverrideMode | None,
    address: str | None,
) -> BootOverride | None:
    device = _DEVICE_OF.get(target)
    if device is None or enabled is BootSourceOverrideEnabled.DISABLED:
        return None
    return BootOverride(
        device=device,
        mode=_MODE_OF.get(mode),
        once=enabled is BootSourceOverrideEnabled.ONCE,
        http_boot_uri=(address or None) if device is BootDevice.UEFI_HTTP else None,
    )


def _is_mode(wanted: BootMode | None, seen: BootOverride) -> bool:
    """Say whether the mode is right, as far as the BMC tells it."""
    return wanted is None or seen.mode is None or seen.mode is wanted


def _text(seen: BootOverride | None) -> str:
    if seen is None:
        return "no override"
    return f"{seen.device} ({seen.mode or 'mode unknown'})"
