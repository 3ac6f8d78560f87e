"""Look whether the places of a product's machines are written down."""

from collections.abc import Mapping

from app.core.database import Tx
from app.core.errors import Invalid
from app.domain.connections.grouping import GROUP
from app.domain.connections.kinds import Kind
from app.domain.machines.rules import MachineRules
from app.drivers.hypervisor.contract import Offer, Offers
from app.drivers.hypervisor.iso import is_iso


async def check_places(tx: Tx, rules: MachineRules) -> None:
    """Refuse connections, datacentres and racks that are not there. Two statements.

    Raises Invalid, by field: `places.0.connection` and so on.
    """
    kinds = {
        row["name"]: row["kind"]
        for row in await tx.fetch(
            "SELECT x.name, min(c.kind) AS kind FROM unnest($1::text[]) AS x (name) "
            "JOIN connection c ON c.name = x.name "
            "OR (c.in_group <> '' AND '@' || c.in_group = x.name) GROUP BY 1",
            [place.connection for place in rules.places],
        )
    }
    sites = {
        (row["code"], row["rack"])
        for row in await tx.fetch(
            "SELECT d.code, coalesce(r.name, '') AS rack FROM datacentre d "
            "LEFT JOIN rack r ON r.datacentre = d.id"
        )
    }
    codes = {code for code, _ in sites}
    faults = {}
    for number, place in enumerate(rules.places):
        at = f"places.{number}"
        kind = kinds.get(place.connection)
        if kind is None:
            faults[f"{at}.connection"] = (
                f"There is no group {place.connection}; put a connection into it first."
                if place.connection.startswith(GROUP)
                else f"There is no connection {place.connection}; add it under Connections."
            )
        elif kind != Kind.HYPERVISOR:
            faults[f"{at}.connection"] = f"{place.connection} is no provider of virtual machines."
        if place.datacentre not in codes:
            faults[f"{at}.datacentre"] = f"There is no datacentre {place.datacentre}."
        elif place.rack and (place.datacentre, place.rack) not in sites:
            faults[f"{at}.rack"] = f"There is no rack {place.rack} in {place.datacentre}."
    if faults:
        raise Invalid(faults)


def offer_faults(rules: MachineRules, offers: Mapping[str, Offers]) -> dict[str, str]:
    """Return what providers say is not there, by field; those not in `offers` are passed over."""
    faults = {}
    for number, place in enumerate(rules.places):
        at, there = f"places.{number}", offers.get(place.connection)
        if there is None:
            continue
        for field, named, known in (
            ("nodes", place.nodes, there.nodes),
            ("storage", (place.storage,), there.storages),
            ("bridge", (place.bridge,), there.bridges),
            ("plan", (place.plan,), there.plans),
        ):
            if unknown := _unknown(named, known):
                faults[f"{at}.{field}"] = f"{place.connection} has no {unknown}."
        for system, template in rules.templates.items():
            known, what = (there.isos, "ISO") if is_iso(template) else (there.templates, "template")
            if _unknown((template,), known):
                faults[f"templates.{system}"] = f"{place.connection} has no {what} {template}."
    return faults


def _unknown(named: tuple[str, ...], known: tuple[Offer, ...]) -> str:
    """Return the first name that is not among what is known; "" when all are."""
    codes = {offer.code for offer in known}
    return next((name for name in named if name and name not in codes), "")
