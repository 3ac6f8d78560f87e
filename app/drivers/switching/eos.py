"""Arista EOS, which answers in JSON. Pure."""

import msgspec

from app.drivers.switching.contract import PortVlans, SwitchPort, SwitchState
from app.drivers.switching.ios import commands
from app.drivers.switching.vids import read_vids, write_vids

__all__ = ["LABEL", "PLATFORM", "READ", "REFUSAL", "commands", "state_of"]

LABEL = "Arista EOS"
PLATFORM = "arista_eos"
READ: tuple[str, ...] = (
    "show interfaces switchport | json",
    "show interfaces status | json",
    "show vlan | json",
)
REFUSAL = r"^\s*%\s?\S.*"


class _Info(msgspec.Struct, frozen=True, rename="camel"):
    mode: str
    access_vlan_id: int = 1
    trunking_native_vlan_id: int = 1
    trunk_allowed_vlans: str = "none"


class _Switchport(msgspec.Struct, frozen=True, rename="camel"):
    enabled: bool
    switchport_info: _Info | None = None


class _Switchports(msgspec.Struct, frozen=True):
    switchports: dict[str, _Switchport]


class _Status(msgspec.Struct, frozen=True, rename="camel"):
    link_status: str = ""
    description: str = ""


class _Statuses(msgspec.Struct, frozen=True, rename="camel"):
    interface_statuses: dict[str, _Status]


class _Vlan(msgspec.Struct, frozen=True):
    name: str


class _Vlans(msgspec.Struct, frozen=True):
    vlans: dict[str, _Vlan]


def state_of(answers: tuple[str, ...]) -> SwitchState:
    """Return what the three answers say. Raises ValueError."""
    try:
        ports = msgspec.json.decode(answers[0], type=_Switchports).switchports
        links = msgspec.json.decode(answers[1], type=_Statuses).interface_statuses
        vlans = msgspec.json.decode(answers[2], type=_Vlans).vlans
    except msgspec.MsgspecError as error:
        raise ValueError(f"its answer cannot be read: {error}") from error
    return SwitchState(
        vlans={int(vid): vlan.name for vid, vlan in vlans.items()},
        ports=tuple(_port(name, port, links.get(name, _Status())) for name, port in ports.items()),
    )


def _port(name: str, port: _Switchport, link: _Status) -> SwitchPort:
    return SwitchPort(
        name=name,
        description=link.description,
        is_up=link.link_status == "connected",
        vlans=_vlans(port.switchport_info) if port.enabled and port.switchport_info else None,
    )


def _vlans(info: _Info) -> PortVlans | None:
    if info.mode == "access":
        return PortVlans(untagged=info.access_vlan_id)
    if info.mode != "trunk":
        return None
    allowed, native = read_vids(info.trunk_allowed_vlans), info.trunking_native_vlan_id
    untagged = native if native in allowed else None
    return PortVlans(untagged=untagged, tagged=write_vids(allowed - {native}))
