"""What a Redfish BMC tells of itself and of the ways to its machine's screen and serial line."""

from collections.abc import Iterator, Mapping
from typing import Any

from sushy import exceptions as sushy_errors

from app.drivers.bmc.contract import Access, Console, ConsolePort
from app.drivers.bmc.redfish.session import fetch
from app.drivers.bmc.vendors import Profile, profile_of

SSH_PORT = 22
_WAYS = ("SSH", "Telnet", "IPMI")


def access_of(system: Any) -> Access:
    """Read the system and its first manager, which of them tells of consoles varies.

    The system's word goes first: managers say only which ways there are, and no more since
    Redfish 1.13.
    """
    fetch(system)
    manager = manager_of(system)
    if manager is not None:
        fetch(manager)
    profile = profile_of_both(system, manager)
    told: Mapping[str, Any] = {} if manager is None else manager.json
    serial = list(_serial_of_system(system.json.get("SerialConsole") or {}))
    consoles = [
        *(serial or _of_manager("serial", told.get("SerialConsole"), profile.serial_command)),
        *_of_manager(
            "graphical", system.json.get("GraphicalConsole") or told.get("GraphicalConsole")
        ),
        *_of_manager("shell", told.get("CommandShell")),
    ]
    return Access(vendor=profile.vendor, consoles=tuple(consoles))


def manager_of(system: Any) -> Any:
    """Return the first manager of the system; None where it names none."""
    try:
        return system.managers[0]
    except (sushy_errors.MissingAttributeError, IndexError):
        return None


def profile_of_both(system: Any, manager: Any) -> Profile:
    """Return the profile by the machine's maker, else by what the manager has of its own."""
    oem = {} if manager is None else manager.json.get("Oem") or {}
    return profile_of(system.manufacturer, oem)


def _serial_of_system(told: Mapping[str, Any]) -> Iterator[Console]:
    """Read `ComputerSystem.SerialConsole` (DSP0268, since v1.13): each way by itself."""
    for name in _WAYS:
        if not isinstance(way := told.get(name), Mapping):
            continue
        yield Console(
            kind="serial",
            ways=(name.lower(),),
            is_enabled=bool(way.get("ServiceEnabled")),
            ssh=_port(way) if name == "SSH" else None,
        )


def _port(way: Mapping[str, Any]) -> ConsolePort | None:
    """Return where the line is; None for a command line that does not say how to get to it."""
    port = int(way.get("Port") or SSH_PORT)
    command = str(way.get("ConsoleEntryCommand") or "")
    shared = way.get("SharedWithManagerCLI")
    # OpenBMC says nothing of it, and has the line alone at a port of its own (2200).
    is_command_line = (bool(command) or port == SSH_PORT) if shared is None else bool(shared)
    if is_command_line and not command:
        return None
    return ConsolePort(port=port, command=command, is_command_line=is_command_line)


def _of_manager(kind: str, told: Mapping[str, Any] | None, command: str = "") -> Iterator[Console]:
    """Read a console of `Manager`, whose ways are names; `command` is what its vendor's want."""
    if told:
        ways = tuple(str(way).lower() for way in told.get("ConnectTypesSupported") or ())
        yield Console(
            kind=kind,
            ways=ways,
            is_enabled=bool(told.get("ServiceEnabled")),
            ssh=ConsolePort(port=SSH_PORT, command=command, is_command_line=True)
            if command and "ssh" in ways
            else None,
        )
