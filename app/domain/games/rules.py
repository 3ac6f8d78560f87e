"""Of what the game servers of a product are made, how large, and at which panels. Pure."""

from collections.abc import Mapping
from typing import Annotated

import msgspec

from app.drivers.game.contract import Limits

MOST_PLACES = 20
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Words = Annotated[str, msgspec.Meta(max_length=200)]
Variable = Annotated[str, msgspec.Meta(pattern=r"^[A-Z][A-Z0-9_]{0,190}$")]
Value = Annotated[str, msgspec.Meta(max_length=2_000)]
Amount = Annotated[int, msgspec.Meta(ge=0, le=16_777_216)]
Few = Annotated[int, msgspec.Meta(ge=0, le=10_000)]


class GameLimits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What each server may use; 0 is without limit where it says so."""

    memory_mb: Annotated[int, msgspec.Meta(ge=64, le=16_777_216)]
    disk_mb: Annotated[int, msgspec.Meta(ge=64, le=2_147_483_647)]
    cpu_percent: Annotated[int, msgspec.Meta(ge=0, le=51_200)]
    """Of one thread: 200 are two; 0 is without limit."""
    swap_mb: Annotated[int, msgspec.Meta(ge=-1, le=16_777_216)] = 0
    """0: none; -1: without limit."""
    io_weight: Annotated[int, msgspec.Meta(ge=10, le=1_000)] = 500
    databases: Few = 0
    backups: Few = 0
    ports: Few = 0
    """More of them that the client may take at the panel."""

    @property
    def as_asked(self) -> Limits:
        """Return them as panels are asked for them."""
        return msgspec.convert(msgspec.structs.asdict(self), Limits)

    @property
    def words(self) -> str:
        return limits_in_words(self.memory_mb, self.disk_mb, self.cpu_percent)


def limits_in_words(memory_mb: int, disk_mb: int, cpu_percent: int) -> str:
    """Return a size as people read it: `4 GB memory, 10,000 MB disk, 200 % CPU`."""
    memory = f"{memory_mb:,} MB" if memory_mb % 1024 else f"{memory_mb // 1024:,} GB"
    disk = f"{disk_mb:,} MB" if disk_mb % 1024 else f"{disk_mb // 1024:,} GB"
    return f"{memory} memory, {disk} disk, {f'{cpu_percent} %' if cpu_percent else 'any'} CPU"


class GamePlace(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A panel where servers may be made."""

    connection: Name
    """Name of a connection of kind game."""
    locations: tuple[Name, ...] = ()
    """The panel's locations that may be used; all when empty."""
    datacentre: Words = ""
    """What a client answers to the group `datacentre` to get this place; "": any answer."""


class GameRules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The rules of a product of game servers."""

    egg: Name
    """The game, as each panel calls it: `Minecraft/Paper`, its nest and its name."""
    image: Words = ""
    """Container image; the egg's first when empty."""
    limits: GameLimits
    variables: dict[Variable, Value] = {}
    """Of the egg; its defaults for those left out."""
    chosen: dict[Variable, Name] = {}
    """Variables that clients answer, by the option group that asks."""
    places: Annotated[tuple[GamePlace, ...], msgspec.Meta(min_length=1, max_length=MOST_PLACES)]

    def places_in(self, datacentre: str | None) -> tuple[GamePlace, ...]:
        """Return the places that a client's answer to `datacentre` leaves; None: no answer."""
        return tuple(
            place for place in self.places if datacentre is None or place.datacentre == datacentre
        )


class MadeOf(msgspec.Struct, frozen=True, kw_only=True):
    """What one server is made of: the rules as the client's answers make them."""

    egg: str
    image: str
    limits: GameLimits
    variables: dict[str, str]
    locations: tuple[str, ...]


class CustomRules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The rules of a product that its flow alone delivers, at an API of any kind."""

    settings: dict[Name, Value] = {}
    """What its flow is told of the product: a plan's number there, a region."""
    at_most: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] | None = None
    """How many may be sold at the same time; None: any number."""


def group_faults(rules: GameRules, groups: Mapping[str, object]) -> dict[str, str]:
    """Return what is wrong with the variables that clients answer, by field."""
    return {
        f"chosen.{name}": f"The product has no option group {group}, which should answer {name}."
        for name, group in rules.chosen.items()
        if group not in groups
    }
