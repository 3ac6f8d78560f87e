"""Game rules as they are typed, and as they would be."""

import re
from collections.abc import Mapping

from msgspec.structs import replace

from app.domain.catalog.seed import OptionGroupSeed, OptionSeed
from app.domain.games.rules import MOST_PLACES, GameLimits, GamePlace, GameRules
from app.routes.admin.product_typed import CODE, CODE_WORDS, NewProduct, begin, finish
from app.routes.admin.space_typed import Entries

_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]{0,190}")
_SWAP = re.compile(r"-1|[0-9]{1,8}")
MOST_VARIABLES = 200
_COUNTS = ("databases", "backups", "ports")


def game_rules_of(values: Mapping[str, str]) -> tuple[GameRules, str]:
    """Return the rules that were typed, and the reason.

    A place without a connection is left out. Raises Invalid, by field.
    """
    entries = Entries(values)
    reason = entries.reason()
    places = _places(entries)
    egg = entries.text("egg", needed="Say which game it is.")
    limits = _limits(entries)
    variables, chosen = _lines(entries, values, "variables"), _lines(entries, values, "chosen")
    entries.require_all()
    rules = GameRules(
        egg=egg,
        image=entries.text("image"),
        limits=limits,
        variables=variables,
        chosen=chosen,
        places=places,
    )
    return rules, reason


def new_game_of(values: Mapping[str, str]) -> NewProduct:
    """Return the product of game servers that was typed. Raises Invalid, by field.

    A variable with something to choose is a question of the order form, and so its value is none.
    """
    entries, product, reason = begin(values)
    fixed = _named(entries, values, "variables")
    asked = {
        name: _choices(entries, name, words)
        for name, words in _named(entries, values, "choices").items()
    }
    groups = tuple(
        OptionGroupSeed(
            code=_group_code(name),
            name=entries.text(f"labels.{name}") or name,
            is_required=True,
            options=options,
        )
        for name, options in asked.items()
    )
    product = replace(
        product,
        game_rules=GameRules(
            egg=entries.text("egg", needed="Say which game it is."),
            image=entries.text("image"),
            limits=_limits(entries),
            variables={name: value for name, value in fixed.items() if name not in asked},
            chosen={name: _group_code(name) for name in asked},
            places=_places(entries),
        ),
        groups=groups,
    )
    return finish(entries, product, reason)


def _named(entries: Entries, values: Mapping[str, str], field: str) -> dict[str, str]:
    """Return what was typed of each variable, `field.NAME`; what is left empty is left out."""
    names = [name.partition(".")[2] for name in values if name.startswith(f"{field}.")]
    known = [name for name in names if _VARIABLE.fullmatch(name)][:MOST_VARIABLES]
    return {name: words for name in known if (words := entries.text(f"{field}.{name}"))}


def _choices(entries: Entries, name: str, words: str) -> tuple[OptionSeed, ...]:
    """Return what can be chosen: values with commas between, which clients read as they are."""
    codes = [word.strip() for word in words.split(",") if word.strip()]
    wrong = [code for code in codes if not CODE.fullmatch(code)]
    if wrong:
        entries.faults[f"choices.{name}"] = f"“{wrong[0][:60]}”: {CODE_WORDS}"
    if len(set(codes)) != len(codes):
        entries.faults[f"choices.{name}"] = "Two choices are the same."
    return tuple(OptionSeed(code=code, name=code) for code in codes)


def _group_code(name: str) -> str:
    """Return the code of the option group that asks for a variable: none that means more."""
    return f"game_{name.lower()}"[:60]


def _places(entries: Entries) -> tuple[GamePlace, ...]:
    places = tuple(
        _place(entries, number)
        for number in range(MOST_PLACES)
        if entries.text(f"places.{number}.connection")
    )
    if not places:
        entries.faults["places.0.connection"] = "Name at least one panel."
    return places


def _limits(entries: Entries) -> GameLimits:
    swap = entries.text("swap_mb") or "0"
    if not _SWAP.fullmatch(swap):
        entries.faults["swap_mb"] = "A whole number, or -1 for no limit."
        swap = "0"
    counts = {
        name: entries.number(name, low=0, high=10_000) for name in _COUNTS if entries.text(name)
    }
    io_weight = (
        entries.number("io_weight", low=10, high=1_000) if entries.text("io_weight") else 500
    )
    return GameLimits(
        memory_mb=entries.number("memory_mb", low=64, high=16_777_216),
        disk_mb=entries.number("disk_mb", low=64, high=2_147_483_647),
        cpu_percent=entries.number("cpu_percent", low=0, high=51_200),
        swap_mb=int(swap),
        io_weight=io_weight,
        **counts,
    )


def _place(entries: Entries, number: int) -> GamePlace:
    at = f"places.{number}"
    locations = entries.text(f"{at}.locations").split(",")
    return GamePlace(
        connection=entries.text(f"{at}.connection"),
        locations=tuple(code.strip() for code in locations if code.strip()),
        datacentre=entries.text(f"{at}.datacentre"),
    )


def _lines(entries: Entries, values: Mapping[str, str], field: str) -> dict[str, str]:
    """Return NAME=value of each line."""
    found: dict[str, str] = {}
    for line in filter(str.strip, values.get(field, "").splitlines()):
        name, equals, value = (part.strip() for part in line.partition("="))
        if not equals or not _VARIABLE.fullmatch(name) or (field == "chosen" and not value):
            entries.faults[field] = f"“{line[:60]}” is not of the form NAME=value."
            break
        found[name] = value
    return found


def values_of(rules: GameRules | None) -> dict[str, str]:
    """Return rules as they would be typed."""
    if rules is None:
        return {}
    limits = rules.limits
    numbers = ("memory_mb", "disk_mb", "cpu_percent", "swap_mb", "io_weight", *_COUNTS)
    values = {name: str(getattr(limits, name)) for name in numbers}
    values |= {"egg": rules.egg, "image": rules.image}
    for field, pairs in (("variables", rules.variables), ("chosen", rules.chosen)):
        values[field] = "\n".join(f"{name}={value}" for name, value in pairs.items())
    for number, place in enumerate(rules.places):
        values[f"places.{number}.connection"] = place.connection
        values[f"places.{number}.locations"] = ", ".join(place.locations)
        values[f"places.{number}.datacentre"] = place.datacentre
    return values
