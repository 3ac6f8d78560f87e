"""What other packages add to this process by all points of entry, and what is wrong with it."""

from functools import cache
from importlib.metadata import entry_points

import msgspec
import structlog

from app.core.plug_ins import OURS, Fault, package_of
from app.domain.connections.provider import PLUGGABLE, plugged
from app.domain.connections.provider_fields import provider_faults
from app.drivers import registry as drivers
from app.flows.gallery import plugged_templates, template_faults
from app.flows.registry import node_faults, plugged_nodes
from app.flows.shipped import why_not

log = structlog.get_logger()


class PlugIn(msgspec.Struct, frozen=True, kw_only=True):
    """A package that adds to Slipway. `adds` are its things as `kind name`, those that work."""

    package: str
    version: str
    adds: tuple[str, ...]
    faults: tuple[str, ...]


def list_plug_ins() -> tuple[PlugIn, ...]:
    """Return the packages that add anything, by name; imports all that they add."""
    versions: dict[str, str] = {}
    adds: dict[str, list[str]] = {}

    def note(package: str, version: str, what: str) -> None:
        versions[package] = version
        adds.setdefault(package, []).append(what)

    faults = list_faults()
    faulty = {(fault.package, fault.group, fault.name) for fault in faults}
    for kind in PLUGGABLE:
        for one in plugged(kind)[0]:
            note(one.package, one.version, f"provider {one.name} ({one.thing.label})")
    for driver in drivers.KINDS:
        for point in entry_points(group=f"slipway.drivers.{driver}"):
            package = package_of(point)
            if package != OURS and (package, point.group, point.name) not in faulty:
                version = point.dist.version if point.dist is not None else ""
                note(package, version, f"driver {driver}/{point.name}")
    for node in plugged_nodes():
        note(node.package, node.version, f"node {node.name}")
    for flow in plugged_templates():
        note(flow.package, flow.version, f"flow {flow.name}")
    packages = sorted({*adds, *(fault.package for fault in faults)})
    return tuple(
        PlugIn(
            package=package,
            version=versions.get(package, ""),
            adds=tuple(adds.get(package, ())),
            faults=tuple(fault.words for fault in faults if fault.package == package),
        )
        for package in packages
    )


@cache
def list_faults() -> tuple[Fault, ...]:
    """Return all that is wrong with what other packages add; what is faulty is left out.

    Found once: a process has what was installed when it began.
    """
    return tuple(
        dict.fromkeys(
            (
                *(fault for kind in drivers.KINDS for fault in drivers.faults(kind)),
                *provider_faults(),
                *_drivers_without_a_form(),
                *node_faults(),
                *template_faults(),
                *_flows_that_cannot_serve(),
            )
        )
    )


def tell_faults() -> None:
    """Write what is wrong into the log, once, when a process begins; it goes on without it."""
    for fault in list_faults():
        log.error("plug_in.faulty", package=fault.package, name=fault.name, words=fault.words)


def _drivers_without_a_form() -> list[Fault]:
    found = []
    for kind in PLUGGABLE:
        formed = {one.name for one in plugged(kind)[0]}
        faulty = {fault.name for fault in plugged(kind)[1]}
        for point in entry_points(group=f"slipway.drivers.{kind}"):
            if package_of(point) != OURS and point.name not in formed | faulty:
                words = f"It has no form under slipway.providers.{kind}, so nobody can connect it."
                found.append(Fault(package_of(point), point.group, point.name, words))
    return found


def _flows_that_cannot_serve() -> list[Fault]:
    """Return what is wrong with the flows that providers name; the general ones serve instead."""
    return [
        Fault(
            one.package,
            f"slipway.providers.{kind}",
            f"{one.name}'s flow {flow}",
            f"{words} Categories are served by the general flow.",
        )
        for kind in PLUGGABLE
        for one in plugged(kind)[0]
        for trigger, flow in one.thing.flows.items()
        if (words := why_not(flow, trigger))
    ]
