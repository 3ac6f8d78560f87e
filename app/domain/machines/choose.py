"""Choose the place of a new virtual machine by what providers have free. Pure."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec
from msgspec.structs import replace

from app.domain.connections.grouping import Member
from app.domain.machines.rules import MachinePlace, MachineSize, size_in_words
from app.drivers.hypervisor.contract import Capacity, Offer, Offers
from app.drivers.hypervisor.iso import is_iso


class Seen(msgspec.Struct, frozen=True):
    """A place, and what its provider said of itself a moment ago."""

    place: MachinePlace
    offers: Offers
    capacity: tuple[Capacity, ...]
    weight: int = 100
    """How much its provider takes beside the others of its group."""


class Promised(msgspec.Struct, frozen=True):
    """Machines that are planned on a node and not made: the provider does not count them yet."""

    memory_mb: int = 0
    disk_gb: int = 0


class Chosen(msgspec.Struct, frozen=True):
    place: MachinePlace
    node: str


def choose_place(
    seen: Sequence[Seen],
    size: MachineSize,
    template: str,
    *,
    promised: Mapping[tuple[str, str], Promised],
    near: str = "",
) -> Chosen | None:
    """Return the node with the largest share of memory free once the machine is there.

    The share counts by the provider's weight. `promised` is by connection and node. Nodes in the
    datacentre `near`, where the order has its addresses already, come before all others. Ties go
    to the node with fewer machines, then to the earlier place, then by name, so that the same is
    chosen again. None when it fits nowhere.
    """
    fits = [
        (
            one.place.datacentre != near,
            -one.weight * (free_mb - size.memory_mb) / max(node.memory_mb, 1),
            node.machines,
            number,
            node.node,
        )
        for number, one in enumerate(seen)
        for node in _usable(one, template)
        for taken in [promised.get((one.place.connection, node.node), Promised())]
        for free_mb in [node.free_memory_mb - taken.memory_mb]
        if free_mb >= size.memory_mb
        and node.free_disk_gb - taken.disk_gb >= size.disk_gb
        and node.cores >= size.cores
    ]
    if not fits:
        return None
    *_, number, name = min(fits)
    return Chosen(seen[number].place, name)


class Site(msgspec.Struct, frozen=True):
    """A place at one provider, by its own name, and the provider's weight."""

    place: MachinePlace
    weight: int


def sites_of(
    places: Iterable[MachinePlace], members: Mapping[str, Sequence[Member]]
) -> tuple[tuple[Site, ...], tuple[str, ...]]:
    """Return the places at providers that take new machines, and the names of those that do not.

    A place at a group is one at each of its providers.
    """
    sites = [
        (Site(replace(place, connection=member.connection), member.weight), member.is_draining)
        for place in places
        for member in members.get(place.connection, ())
    ]
    drained = dict.fromkeys(site.place.connection for site, is_draining in sites if is_draining)
    return tuple(site for site, is_draining in sites if not is_draining), tuple(drained)


def why_nowhere(
    seen: Iterable[Seen],
    silent: Mapping[str, str],
    size: MachineSize,
    template: str,
    *,
    drained: Iterable[str] = (),
) -> str:
    """Say for staff why no place will do, a line each; `silent` are errors by connection."""
    need = size_in_words(size.cores, size.memory_mb, size.disk_gb)
    lines = []
    for one in seen:
        usable = [node.node for node in _usable(one, template)]
        lines.append(
            f"{one.place.connection}: no room for {need} on {', '.join(usable)}."
            if usable
            else f"{one.place.connection}: {_missing(one, template)}"
        )
    lines += [f"{name} does not answer: {why}" for name, why in silent.items()]
    lines += [f"{name} is drained: no new machine is made there." for name in drained]
    return "\n".join(lines)


def _usable(one: Seen, template: str) -> list[Capacity]:
    """Return the nodes that are up, allowed, and can copy the template or have the ISO."""
    homes = {offer.node for offer in _of_kind(one.offers, template) if offer.code == template}
    is_everywhere = "" in homes or (
        not is_iso(template)
        and any(offer.code == one.place.storage and not offer.node for offer in one.offers.storages)
    )
    return [
        node
        for node in one.capacity
        if node.is_up
        and homes
        and (is_everywhere or node.node in homes)
        and (not one.place.nodes or node.node in one.place.nodes)
    ]


def _missing(one: Seen, template: str) -> str:
    names = sorted({offer.code for offer in _of_kind(one.offers, template)})
    what = "ISO" if is_iso(template) else "template"
    if template not in names:
        return f"no {what} is called {template}; there are {', '.join(names) or 'none'}."
    allowed = f" Allowed are {', '.join(one.place.nodes)}." if one.place.nodes else ""
    return f"no node that is up has the {what} {template}.{allowed}"


def _of_kind(offers: Offers, template: str) -> tuple[Offer, ...]:
    return offers.isos if is_iso(template) else offers.templates
