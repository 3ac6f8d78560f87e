"""What a BMC's answer by IPMI comes to: its data, that it never will, or that it will not now."""

from collections.abc import Mapping
from typing import Any

from pyghmi.exceptions import IpmiException

NO_SUCH_THING = frozenset({0x80, 0xC1, 0xC9, 0xCB, 0xCC, 0xCD})
"""Completion codes that mean: not supported, invalid command, out of range, not present,
invalid field, command illegal for this sensor."""
NOT_NOW = frozenset({0xC0, 0xC3, 0xCE, 0xD0, 0xD1, 0xD5, 0xFF})
"""Busy, time-out, no response now, updating, initialising, not in the present state, and no
reason at all."""


class NotOffered(Exception):
    """The BMC will not do this; `field` says what to change."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field = field


def told(ipmi: Any, field: str, netfn: int, command: int, data: tuple[int, ...] = ()) -> bytes:
    return data_of(ipmi.raw_command(netfn=netfn, command=command, data=data), field)


def data_of(answer: Mapping[str, Any], field: str) -> bytes:
    """Return what the BMC answered. Raises `NotOffered` where it will never do it."""
    code = answer.get("code", 0)
    if code:
        words = f"completion code 0x{code:02x}: {answer.get('error', 'no reason given')}"
        if code in NOT_NOW or code > 0xFF:
            raise IpmiException("timeout" if code > 0xFF else words, code=code)
        raise NotOffered(field, words)
    return bytes(answer["data"])


def is_absence(error: IpmiException) -> bool:
    words = str(error)
    return "not present" in words or "Invalid data field" in words or "Invalid command" in words
