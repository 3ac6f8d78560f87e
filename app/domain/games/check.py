"""Look whether the panels of a product's game servers are there, and have what it names."""

from collections.abc import Mapping

from app.core.database import Tx
from app.core.errors import Invalid
from app.domain.connections.kinds import Kind
from app.domain.games.rules import GameRules
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
        settings = {found.code for found in egg.variables}
        for field, names in (("variables", rules.variables), ("chosen", rules.chosen)):
            if strange := sorted(names.keys() - settings):
                faults[field] = f"{rules.egg} has no variable {strange[0]}."
    return faults
