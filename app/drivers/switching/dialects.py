"""What switches are told and how they answer, by the words of their makers."""

from collections.abc import Mapping
from typing import Protocol

from app.drivers.switching import eos, ios
from app.drivers.switching.contract import PortChange, SwitchState


class Dialect(Protocol):
    """One maker's command line. Pure: commands out, answers in."""

    LABEL: str
    PLATFORM: str
    """What netmiko calls it."""
    READ: tuple[str, ...]
    """Commands whose answers `state_of` takes, in this order."""
    REFUSAL: str
    """What an answer to a command that was not taken matches (a regular expression)."""

    def state_of(self, answers: tuple[str, ...]) -> SwitchState:
        """Return what they say. Raises ValueError for answers that cannot be read."""
        ...

    def commands(self, change: PortChange) -> list[str]:
        """Return what puts a port from one state into the other, in configuration mode."""
        ...


DIALECTS: Mapping[str, Dialect] = {"cisco_ios": ios, "arista_eos": eos}
"""By the name that is written down."""


def commands_of(
    dialect: Dialect, changes: tuple[PortChange, ...], known: Mapping[int, str]
) -> tuple[str, ...]:
    """Return all commands of some changes; VLANs that the switch lacks are made first.

    Of a port that takes every VLAN none are made: it takes those that there are.
    """
    wanted = {vid for change in changes for vid in _named(change)}
    made = [f"vlan {vid}" for vid in sorted(wanted - known.keys())]
    return (*made, *(line for change in changes for line in dialect.commands(change)))


MOST_MADE = 256
"""VLANs that are made for one port; more are a range that someone means to let through."""


def _named(change: PortChange) -> frozenset[int]:
    vids = change.after.vids
    return vids if len(vids) <= MOST_MADE else vids & {change.after.untagged or 0}
