"""Finds adapters by kind and name, from entry points, so that a plug-in can add one.

A package registers `[project.entry-points."slipway.drivers.KIND"] name = "module:Class"`.
"""

from functools import cache
from importlib.metadata import entry_points
from typing import Any, Literal

Kind = Literal[
    "bmc",
    "deploy",
    "hypervisor",
    "game",
    "metal",
    "payment",
    "mail",
    "dns",
    "probe",
    "switch",
    "pdu",
]  # fmt: skip


class UnknownDriver(LookupError):
    """No installed package registers a driver of that name."""

    def __init__(self, kind: Kind, name: str, known: tuple[str, ...]) -> None:
        super().__init__(
            f"no {kind} driver is called {name!r}; installed are: {', '.join(known) or 'none'}"
        )
        self.kind = kind
        self.name = name
        self.known = known


@cache
def names(kind: Kind) -> tuple[str, ...]:
    """Return the names of the installed drivers of `kind`, sorted."""
    return tuple(sorted(entry_points(group=f"slipway.drivers.{kind}").names))


@cache
def load(kind: Kind, name: str) -> Any:
    """Return the class registered as `name`; its contract is in `app.drivers.KIND.contract`.

    Raises `UnknownDriver`. The module is imported at the first call only.
    """
    found = tuple(entry_points(group=f"slipway.drivers.{kind}", name=name))
    if not found:
        raise UnknownDriver(kind, name, names(kind))
    return found[0].load()
