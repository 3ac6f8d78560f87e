"""A provider that connections lead to: what it is called, what is asked for, what it delivers by.

A package registers one of its own under `[project.entry-points."slipway.providers.KIND"]`, with
the name of its driver: `nimbus = "slipway_nimbus.form:provider"`. KIND is hypervisor or game.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points

import msgspec

from app.core.plug_ins import Added, Fault, Misfit, gather
from app.domain.connections.field import Field, Look
from app.domain.connections.kinds import FACTS, Kind
from app.drivers import registry

PLUGGABLE = (Kind.HYPERVISOR, Kind.GAME)
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_TAKEN = frozenset(
    {"name", "seen", "is_new", "provider", "trust", "ca_pem", "pin", "settings", "_csrf_token"}
)
"""What the form asks for by itself, beside a provider's own fields."""


class Provider(msgspec.Struct, frozen=True, kw_only=True):
    """A provider as people choose it, and what a connection to it is made of.

    Fields that are secret are sealed. Those called `base_url`, `username`, `owner`, `virt` and
    `panel_url`, and the secrets `secret` and `client_key`, are the peer's own; any others it has
    by their names, as `settings` and `more_secrets`.
    """

    label: str
    fields: tuple[Field, ...]
    about: str = ""
    """One sentence about it, where it is chosen."""
    flows: Mapping[str, str] = {}
    """By event, the flow that serves categories sold at it alone, in place of the general one."""


@cache
def plugged(kind: Kind) -> tuple[tuple[Added[Provider], ...], tuple[Fault, ...]]:
    """Return the providers of other packages by driver's name, and what is wrong with some."""
    if kind not in PLUGGABLE:
        return (), ()

    def read(point: EntryPoint, thing: object) -> Iterator[tuple[str, Provider]]:
        yield point.name, checked(kind, point.name, thing)

    return gather(entry_points(group=f"slipway.providers.{kind}"), read)


def checked(kind: Kind, name: str, thing: object) -> Provider:
    """Return a plug-in's provider. Raises Misfit with what is to be changed."""
    if not isinstance(thing, Provider):
        raise Misfit(f"It is a {type(thing).__name__}; name a Provider.")
    driver: registry.Kind = "hypervisor" if kind is Kind.HYPERVISOR else "game"
    if name not in registry.names(driver):
        raise Misfit(f"There is no driver {name} under slipway.drivers.{driver}; add it.")
    try:
        registry.load(driver, name)
    except registry.BrokenDriver:
        raise Misfit(f"Its driver {name} is left out too.") from None
    fields = {field.name: field for field in thing.fields}
    if len(fields) != len(thing.fields):
        raise Misfit("Two of its fields have one name.")
    if "base_url" not in fields or fields["base_url"].is_optional:
        raise Misfit("It needs a field base_url: the address that its connections lead to.")
    for field in thing.fields:
        if words := _fault_of(field, kind):
            raise Misfit(f"Its field {field.name} {words}.")
    return thing


def _fault_of(field: Field, kind: Kind) -> str:
    """Return what is wrong with a field, as `Its field X …` goes on; empty when nothing is."""
    faults = {
        "is not named by small letters, digits and _": _NAME.fullmatch(field.name) is None,
        "has a name that the form uses itself": field.name in _TAKEN,
        "has no label": not field.label,
        "is a choice whose default is none of its choices": field.look is Look.CHOICE
        and field.default not in field.choices,
        "is secret under a name that is shown": field.is_secret
        and field.name in FACTS[kind].__struct_fields__,
        "has a pattern that is no regular expression": not _is_pattern(field.pattern),
    }
    return next((words for words, is_so in faults.items() if is_so), "")


def _is_pattern(text: str) -> bool:
    try:
        re.compile(text)
    except re.error:
        return False
    return True
