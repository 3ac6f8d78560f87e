"""What other packages add, by entry points. What is faulty is told and left out.

Our own entry points are read the same way, but for their faults: those are raised.
"""

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from typing import Generic, TypeVar

OURS = "slipway"
"""The distribution whose entry points are our own."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Fault:
    """Why something that a package adds is left out; `why` is whole sentences."""

    package: str
    group: str
    name: str
    why: str

    @property
    def words(self) -> str:
        return f"{self.package} adds {self.name} ({self.group}), which is left out. {self.why}"


@dataclass(frozen=True, slots=True)
class Added(Generic[T]):
    """A thing that a package adds under a name."""

    package: str
    version: str
    name: str
    thing: T

    @property
    def is_ours(self) -> bool:
        return self.package == OURS


class Misfit(Exception):
    """Raised by who reads a plug-in: it can be imported and is not what it should be."""


def package_of(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else point.value


def gather(
    points: Iterable[EntryPoint],
    read: Callable[[EntryPoint, object], Iterable[tuple[str, T]]],
    *,
    key: Callable[[str, T], Hashable] = lambda name, _: name,
    beside: Iterable[Added[T]] = (),
) -> tuple[tuple[Added[T], ...], tuple[Fault, ...]]:
    """Return what entry points add, and what is wrong with some of them.

    `read` makes of what a point names the things by name, and raises Misfit; `beside` are things
    of ours that no entry point names. Of two with one `key` ours stays; of two others' neither
    does, as nobody said which was meant.
    """
    points = sorted(points, key=lambda point: (package_of(point), point.name))
    added: list[Added[T]] = list(beside)
    faults: list[Fault] = []
    for point in points:
        package = package_of(point)
        version = point.dist.version if point.dist is not None else ""
        try:
            found = tuple(read(point, point.load()))
        # A package that calls sys.exit() when it is imported must not end ours.
        except (Exception, SystemExit) as error:
            if package == OURS:
                raise
            faults.append(Fault(package, point.group, point.name, why(error)))
        else:
            added += [Added(package, version, name, thing) for name, thing in found]
    kept, clashes = _once(added, points[0].group if points else "", key)
    return kept, (*faults, *clashes)


def why(error: BaseException) -> str:
    """Return what to do about a plug-in that cannot be used."""
    if isinstance(error, Misfit):
        return str(error)
    words = " ".join(str(error).split())[:500]
    told = f"{type(error).__name__}: {words}" if words else type(error).__name__
    return f"It cannot be loaded: {told}. Correct or uninstall the package, then restart."


def taken(others: Iterable[str]) -> str:
    """Return what to do about a name that other packages have too."""
    if OURS in others:
        return "Slipway has one of that name; give yours another."
    packages = " and ".join(sorted(set(others)))
    return f"{packages} has one of that name too; uninstall one of them."


def _once(
    added: Iterable[Added[T]], group: str, key: Callable[[str, T], Hashable]
) -> tuple[tuple[Added[T], ...], tuple[Fault, ...]]:
    by_key: dict[Hashable, list[Added[T]]] = {}
    for one in added:
        same = by_key.setdefault(key(one.name, one.thing), [])
        if all(one.thing is not other.thing for other in same):
            same.append(one)
    kept: list[Added[T]] = []
    faults: list[Fault] = []
    for same in by_key.values():
        stays = same if len(same) == 1 else [one for one in same if one.is_ours][:1]
        kept += stays
        for one in same:
            if one not in stays:
                others = [other.package for other in same if other is not one]
                faults.append(Fault(one.package, group, one.name, taken(others)))
    return tuple(kept), tuple(faults)
