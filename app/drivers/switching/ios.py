"""Cisco IOS and IOS XE. Pure.

Read by ntc-templates, which knows how releases differ. The native VLAN of a trunk cannot be taken
away: one that is not let through is none.
"""

from typing import Any

from ntc_templates.parse import parse_output

from app.drivers.switching.contract import (
    PortChange,
    PortVlans,
    SwitchPort,
    SwitchState,
    key_of,
    same_port,
)
from app.drivers.switching.vids import read_vids, write_vids

LABEL = "Cisco IOS, IOS XE"
PLATFORM = "cisco_ios"
READ: tuple[str, ...] = ("show interfaces switchport", "show interfaces status", "show vlan brief")
REFUSAL = r"^\s*%\s?\S.*"
_TEMPLATES = ("show interfaces switchport", "show interfaces status", "show vlan")


def state_of(answers: tuple[str, ...]) -> SwitchState:
    """Return what the three answers say. Raises ValueError."""
    ports, links, vlans = (
        _rows(template, answer) for template, answer in zip(_TEMPLATES, answers, strict=True)
    )
    if not ports:
        raise ValueError("it names no port of VLANs")
    up = {key_of(row["port"]): row for row in links}
    return SwitchState(
        vlans={int(row["vlan_id"]): row["vlan_name"] for row in vlans},
        ports=tuple(_port(row, up) for row in ports),
    )


def commands(change: PortChange) -> list[str]:
    """Return an access port's commands, or a trunk's; what is as it should be is left out."""
    after = change.after
    lines = [f"interface {change.port}"]
    if not after.vids:
        lines += ["switchport mode trunk", "switchport trunk allowed vlan none"]
    elif not after.tagged:
        lines += ["switchport mode access", f"switchport access vlan {after.untagged}"]
    else:
        native = after.untagged or min(set(range(1, 4095)) - after.tagged_vids)
        lines += [
            "switchport mode trunk",
            f"switchport trunk native vlan {native}",
            f"switchport trunk allowed vlan {write_vids(after.vids)}",
        ]
    return [*lines, "exit"]


def _rows(command: str, answer: str) -> list[dict[str, Any]]:
    try:
        rows: list[dict[str, Any]] = parse_output(PLATFORM, command, answer)
    except Exception as error:
        # textfsm's own errors share no base with those of ntc-templates.
        raise ValueError(f"its answer to {command!r} cannot be read: {error}") from error
    return rows


def _port(row: dict[str, Any], links: dict[tuple[str, str], dict[str, Any]]) -> SwitchPort:
    key = key_of(row["interface"])
    link = next((found for name, found in links.items() if same_port(name, key)), {})
    return SwitchPort(
        name=row["interface"],
        description=str(link.get("name", "")).strip(),
        is_up=link.get("status") == "connected",
        vlans=_vlans(row),
    )


def _vlans(row: dict[str, Any]) -> PortVlans | None:
    if not row["switchport"].lower().startswith("enabled") or "member of bundle" in row["mode"]:
        return None
    is_trunk = row["admin_mode"].strip() == "trunk" or row["mode"].strip() == "trunk"
    if not is_trunk:
        access = row["access_vlan"]
        return PortVlans(untagged=int(access)) if access.isdigit() else None
    allowed = read_vids(",".join(row["trunking_vlans"]))
    native = int(row["native_vlan"] or 1)
    untagged = native if native in allowed else None
    return PortVlans(untagged=untagged, tagged=write_vids(allowed - {native}))
