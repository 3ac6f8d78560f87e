"""By which of the ways that a BMC offers its machine's serial line is opened here. Pure.

Who leaves a line that is reached through the BMC's own command line stands at that, and may do
anything there: it is opened for those only who may change the BMC itself.
"""

from collections.abc import Sequence
from enum import StrEnum

from app.drivers.bmc.contract import (
    BmcAddress,
    BmcProtocol,
    Console,
    ConsolePort,
    url_host_of,
)
from app.drivers.errors import Refused


class SerialOffer(StrEnum):
    """Whether a machine's serial line can be opened here, as its BMC said last."""

    UNKNOWN = "unknown"
    """It was not asked yet, or has not answered."""
    NONE = "none"
    """It offers none, or none in a way that is spoken here."""
    OFF = "off"
    """It has one, and it is switched off there."""
    COMMAND_LINE = "command-line"
    """By the BMC's own command line alone."""
    OPEN = "open"

    def is_open_to(self, *, by_command_line: bool) -> bool:
        """Say whether it is opened for one who may (not) stand at the BMC's command line."""
        return self is SerialOffer.OPEN or (by_command_line and self is SerialOffer.COMMAND_LINE)


def serial_offer(consoles: Sequence[Console]) -> SerialOffer:
    """Return what the consoles of a BMC come to; never `UNKNOWN`."""
    spoken = [each for each in consoles if each.kind == "serial" and _is_spoken(each)]
    enabled = [each for each in spoken if each.is_enabled]
    if _ssh(enabled, by_command_line=False) or any("ipmi" in each.ways for each in enabled):
        return SerialOffer.OPEN
    if enabled:
        return SerialOffer.COMMAND_LINE
    return SerialOffer.OFF if spoken else SerialOffer.NONE


def serial_way(
    address: BmcAddress, consoles: Sequence[Console], *, by_command_line: bool
) -> ConsolePort | BmcAddress:
    """Return where a Redfish BMC has its serial line: by SSH, else by IPMI, by the same account.

    Raises `Refused` with what it offers instead.
    """
    offered = [each for each in consoles if each.kind == "serial"]
    enabled = [each for each in offered if each.is_enabled]
    if (port := _ssh(enabled, by_command_line=by_command_line)) is not None:
        return port
    if any("ipmi" in each.ways for each in enabled):
        return BmcAddress(
            protocol=BmcProtocol.IPMI,
            url=f"ipmi://{url_host_of(address.url)}",
            username=address.username,
            password=address.password,
        )
    raise Refused(address.url, field="serial", reason=_why_not(address, offered, enabled))


def _is_spoken(console: Console) -> bool:
    return console.ssh is not None or "ipmi" in console.ways


def _ssh(consoles: Sequence[Console], *, by_command_line: bool) -> ConsolePort | None:
    ports = (each.ssh for each in consoles if each.ssh is not None)
    return next((each for each in ports if by_command_line or not each.is_command_line), None)


def _why_not(address: BmcAddress, offered: Sequence[Console], enabled: Sequence[Console]) -> str:
    ways = sorted({way for each in enabled for way in each.ways})
    if any(each.ssh is not None for each in enabled):
        return "it has its serial console behind its command line, which is not for everybody"
    if any(_is_spoken(each) for each in offered):
        return "its serial console is switched off there; enable it in the BMC"
    if ways:
        command = f": ssh {address.username}@{address.host}" if "ssh" in ways else ""
        return f"it offers its serial console by {', '.join(ways)} only; open it there{command}"
    return "it offers no serial console; enable serial over IPMI or SSH in the BMC"
