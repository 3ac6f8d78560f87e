"""All that keeps a row of a file of servers out, and not its first fault alone."""

from collections.abc import Mapping
from typing import Any

import msgspec

from app.core.database import Tx
from app.core.errors import Invalid
from app.domain.inventory.seed import ServerSeed
from app.domain.inventory.server_sheet import COLUMNS, facts_of, read_row
from app.domain.inventory.units import rack_of, require_units

_NAMED = """
SELECT NOT EXISTS (SELECT FROM cpu_model WHERE name = $2) AS cpu_model,
    EXISTS (SELECT FROM server WHERE name = $3 AND serial <> $1) AS name,
    EXISTS (SELECT FROM server WHERE mac = $4 AND serial <> $1) AS mac
"""


async def row_faults(
    tx: Tx, row: Mapping[str, str], known: ServerSeed | None, found: Mapping[str, str]
) -> str:
    """Say what is wrong with a row, a line each: what was `found`, and what else can be told.

    What its rack has left is no part of it: that is counted once the row is right in itself.
    At most four statements, for rows that are refused alone.
    """
    told: dict[str, str] = {}
    try:
        read_row(row, known)
    except Invalid as invalid:
        told = invalid.fields
    facts, _ = facts_of(row)
    if known is not None:
        facts = msgspec.structs.asdict(known) | facts
    told = {**await _unknown(tx, facts), **await _no_place(tx, facts, told), **told, **found}
    order = {name: place for place, name in enumerate(COLUMNS)}
    names = sorted(told, key=lambda name: order.get(name, -1))
    return "\n".join(f"{name}: {told[name]}" for name in names)


async def _unknown(tx: Tx, facts: Mapping[str, Any]) -> dict[str, str]:
    """Return what it names that is not there, or is another server's."""
    cpu = facts.get("cpu_model", "")
    (named,) = await tx.fetch(
        _NAMED, facts.get("serial", ""), cpu, facts.get("name", ""), facts.get("mac", "")
    )
    said = {
        "cpu_model": f"There is no CPU model {cpu}. Write it down first.",
        "name": "Another server has this name.",
        "mac": "Another server has this network card.",
    }
    return {name: words for name, words in said.items() if named[name] and facts.get(name)}


async def _no_place(tx: Tx, facts: Mapping[str, Any], unread: Mapping[str, str]) -> dict[str, str]:
    """Return why it cannot stand where it says, as far as that can be read."""
    if not (facts.get("datacentre") and facts.get("rack")):
        return {}
    try:
        rack = await rack_of(tx, facts["datacentre"], facts["rack"])
        if {"u_position", "u_height", "side"} & unread.keys():
            return {}
        await require_units(
            tx,
            rack,
            _number(facts["u_position"]),
            _number(facts.get("u_height", 1)),
            facts.get("side", "both"),
            besides=await tx.fetchval(
                "SELECT array_agg(id) FROM server WHERE serial = $1", facts.get("serial", "")
            )
            or [],
        )
    except Invalid as invalid:
        return invalid.fields
    return {}


def _number(cell: object) -> int:
    """Return what a cell that `read_row` takes for a whole number comes to; `4.0` is 4."""
    return msgspec.convert(cell, int, strict=False)
