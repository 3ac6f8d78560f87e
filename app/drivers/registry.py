"""Finds adapters by kind and name, from entry points, so that a plug-in can add one.

A package registers `[project.entry-points."slipway.drivers.KIND"] name = "module:Class"`.
"""

from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Literal, get_args

from app.core.plug_ins import OURS, Fault, package_of, taken, why
from app.drivers.errors import DriverError

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
KINDS: tuple[Kind, ...] = get_args(Kind)


class UnknownDriver(DriverError):
    """No installed package registers a driver of that name."""

    def __init__(self, kind: Kind, name: str, known: tuple[str, ...]) -> None:
        super().__init__(
            name,
            f"no {kind} driver is called {name!r}; installed are: {', '.join(known) or 'none'}",
        )
        self.kind = kind
        self.name = name
        self.known = known


class BrokenDriver(DriverError):
    """A package registers the driver, and it cannot be used: `fault` says why."""

    def __init__(self, kind: Kind, name: str, fault: Fault) -> None:
        super().__init__(name, fault.words)
        self.kind = kind
        self.name = name
        self.fault = fault


@cache
def names(kind: Kind) -> tuple[str, ...]:
    """Return the names of the installed drivers of `kind`, sorted."""
    return tuple(sorted(entry_points(group=_group(kind)).names))


@cache
def load(kind: Kind, name: str) -> Any:
    """Return the class registered as `name`; its contract is in `app.drivers.KIND.contract`.

    Raises `UnknownDriver`, `BrokenDriver`. The module is imported at the first call only.
    """
    point = _point(kind, name)
    try:
        return point.load()
    except (Exception, SystemExit) as error:
        if package_of(point) == OURS:
            raise
        fault = Fault(package_of(point), point.group, name, why(error))
        raise BrokenDriver(kind, name, fault) from error


@cache
def package_of_driver(kind: Kind, name: str) -> str:
    """Return which package registers it. Raises as `load` does."""
    return package_of(_point(kind, name))


def faults(kind: Kind) -> tuple[Fault, ...]:
    """Return what is wrong with the drivers of other packages; imports them all."""
    found: list[Fault] = []
    for point in entry_points(group=_group(kind)):
        if package_of(point) == OURS:
            continue
        try:
            load(kind, point.name)
        except BrokenDriver as broken:
            found.append(broken.fault)
        else:
            # Two of that name, and ours is the one that is used.
            if package_of_driver(kind, point.name) != package_of(point):
                found.append(_clash(point, [OURS]))
    return tuple(dict.fromkeys(found))


def _point(kind: Kind, name: str) -> EntryPoint:
    found = tuple(entry_points(group=_group(kind), name=name))
    if not found:
        raise UnknownDriver(kind, name, names(kind))
    ours = [point for point in found if package_of(point) == OURS]
    if len(found) > 1 and not ours:
        packages = sorted(package_of(point) for point in found)
        raise BrokenDriver(kind, name, _clash(found[0], packages))
    return (ours or list(found))[0]


def _clash(point: EntryPoint, packages: list[str]) -> Fault:
    others = [other for other in packages if other != package_of(point)]
    return Fault(package_of(point), point.group, point.name, taken(others))


def _group(kind: Kind) -> str:
    return f"slipway.drivers.{kind}"
