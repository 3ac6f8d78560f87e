"""Look whether the panels of a product's game servers are there, and have what it names."""

from collections.abc import Iterable, Mapping

from app.core.database import Tx
from app.core.errors import Invalid
from app.domain.connections.kinds import Kind
from app.domain.games.rules import GameRules
from app.domain.games.variable_rules import value_fault
from app.drivers.game.contract import GameOffers


async def check_panels(tx: Tx, rules: GameRules) -> None:
    """Refuse connections that are not there, or are no panel. One statement.

    Raises Invalid, by field: `places.0.connection` and so on.
    """
    kinds = {
        row["name"]: row["kind"]
        for row in await tx.fetch(
            "SELECT name, kind FROM connection WHERE name = ANY($1)",
            [place.connection for place in rules.places],
        )
    }
    faults = {}
    for number, place in enumerate(rules.places):
        kind, field = kinds.get(place.connection), f"places.{number}.connection"
        if kind is None:
            faults[field] = f"There is no connection {place.connection}; add it under Connections."
        elif kind != Kind.GAME:
            faults[field] = f"{place.connection} is no panel of game servers."
    if faults:
        raise Invalid(faults)


def game_offer_faults(rules: GameRules, offers: Mapping[str, GameOffers]) -> dict[str, str]:
    """Return what panels say is not there, by field; those not in `offers` are passed over."""
    faults = {}
    for number, place in enumerate(rules.places):
        there = offers.get(place.connection)
        if there is None:
            continue
        known = {location.code for location in there.locations}
        unknown = [code for code in place.locations if code not in known]
        if unknown:
            fault = f"{place.connection} has no location {unknown[0]}."
            faults[f"places.{number}.locations"] = fault
        egg = next((egg for egg in there.eggs if egg.code == rules.egg), None)
        if egg is None:
            faults["egg"] = f"{place.connection} has no {rules.egg}."
            continue
        settings = {found.code: found for found in egg.variables}
        for field, names in (("variables", rules.variables), ("chosen", rules.chosen)):
            for strange in sorted(names.keys() - settings.keys()):
                faults[f"{field}.{strange}"] = f"{rules.egg} has no variable {strange}."
        for code, found in settings.items():
            if code in rules.chosen:
                continue
            value = rules.variables.get(code, found.default)
            if fault := value_fault(found.rules, value):
                words = (
                    f"{code} cannot be “{value}”. {fault}" if value else f"{code} needs a value."
                )
                faults[f"variables.{code}"] = words
    return faults


def answer_faults(
    rules: GameRules, answers: Mapping[str, Iterable[str]], offers: Mapping[str, GameOffers]
) -> dict[str, str]:
    """Return which answers of clients their panels would refuse, by field.

    `answers` are what can be chosen, by option group.
    """
    faults = {}
    for place in rules.places:
        there = offers.get(place.connection)
        eggs = there.eggs if there else ()
        variables = {
            found.code: found for egg in eggs if egg.code == rules.egg for found in egg.variables
        }
        for code in rules.chosen.keys() & variables.keys():
            for answer in answers.get(rules.chosen[code], ()):
                if fault := value_fault(variables[code].rules, answer):
                    faults[f"chosen.{code}"] = f"{code} cannot be “{answer}”. {fault}"
    return faults
