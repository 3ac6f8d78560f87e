"""Where the virtual machines of a product may be, of what they are copied and how large. Pure."""

from collections.abc import Iterable
from typing import Annotated

import msgspec

MOST_PLACES = 20
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Words = Annotated[str, msgspec.Meta(max_length=200)]


def size_in_words(cores: int, memory_mb: int, disk_gb: int) -> str:
    """Return a size as people read it: `2 cores, 4 GB memory, 40 GB disk`."""
    number = "1 core" if cores == 1 else f"{cores} cores"
    memory = f"{memory_mb:,} MB" if memory_mb % 1024 else f"{memory_mb // 1024:,} GB"
    return f"{number}, {memory} memory, {disk_gb:,} GB disk"


class MachineSize(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What each machine of the product may use."""

    cores: Annotated[int, msgspec.Meta(ge=1, le=512)]
    memory_mb: Annotated[int, msgspec.Meta(ge=128, le=16_777_216)]
    disk_gb: Annotated[int, msgspec.Meta(ge=1, le=131_072)]


class MachinePlace(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A provider where machines may be made, and where their addresses come from."""

    connection: Name
    """Name of a connection of kind hypervisor, or `@` and that of a group of these."""
    datacentre: Name
    """Code of the datacentre whose addresses reach it."""
    rack: Words = ""
    """Of the rack whose addresses it may use too; "" for those of the whole datacentre alone."""
    nodes: tuple[Name, ...] = ()
    """The provider's nodes that may be used; all when empty."""
    storage: Words = ""
    """Where disks are; that of the template when empty."""
    bridge: Words = ""
    """What the network card is plugged into; that of the template when empty."""
    plan: Words = ""
    """The panel's plan, for all that is not the size; the nearest by size when empty."""


class MachineRules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The rules of a product whose machines are virtual."""

    size: MachineSize
    templates: dict[Name, Name]
    """What is copied, by the code of the option of the group `os`; named as at each place.

    Or the ISO, `STORAGE:iso/FILE`, that is put into an empty machine for its client to install."""
    places: Annotated[tuple[MachinePlace, ...], msgspec.Meta(min_length=1, max_length=MOST_PLACES)]

    def places_in(self, datacentre: str | None) -> tuple[MachinePlace, ...]:
        """Return the places that a client's answer to `datacentre` leaves; None: no answer."""
        return tuple(
            place for place in self.places if datacentre is None or place.datacentre == datacentre
        )


def template_faults(rules: MachineRules, systems: Iterable[str]) -> dict[str, str]:
    """Return what is wrong with the templates of a product that offers these systems, by field."""
    offered = list(systems)
    if not offered:
        return {"templates": "Clients choose a system: give the product an option group “os”."}
    for system in offered:
        if system not in rules.templates:
            return {"templates": f"Say which template is copied for {system}, which is offered."}
    for system in rules.templates:
        if system not in offered:
            return {"templates": f"The product offers no system {system}."}
    return {}
