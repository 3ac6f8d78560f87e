"""The demo's racks as a datacentre has them: rows, feeds, switches, PDUs, and cables to all."""

from datetime import date, timedelta
from typing import Any

from app.domain.inventory.seed import CableSeed, DeviceSeed, PortSeed, RackSeed

SWITCH_PORTS = 24
OUTLETS = 24
KG_A_UNIT = 14
WARRANTY = timedelta(days=3 * 365)


def rack_seed(rack: dict[str, Any]) -> RackSeed:
    """Return a rack of the lab in a row of its letter, with what its feeds and floor carry."""
    letter, number = rack["name"][:1], rack["name"][1:]
    return RackSeed(
        **rack,
        room="Hall 1",
        row=letter,
        place=int(number),
        feed_a_watts=rack["power_budget_watts"],
        feed_b_watts=rack["power_budget_watts"],
        weight_kg=800,
    )


def devices_of(rack: dict[str, Any]) -> tuple[DeviceSeed, ...]:
    """Return the switch at the top, the patch panel behind it, and a PDU for each feed."""
    place = {"datacentre": rack["datacentre"], "rack": rack["name"]}
    outlets = tuple(PortSeed(name=f"out{number}", kind="power") for number in range(1, OUTLETS + 1))
    ports = tuple(
        PortSeed(name=f"swp{number}", speed_mbps=10_000) for number in range(1, SWITCH_PORTS + 1)
    )
    return (
        DeviceSeed(
            name=f"{_stem(rack)}-sw1",
            kind="switch",
            model="SN2010",
            u_position=rack["u_height"],
            side="front",
            power_draw_watts=90,
            weight_kg=6,
            ports=ports,
            **place,
        ),
        DeviceSeed(
            name=f"{_stem(rack)}-pp1",
            kind="panel",
            model="24 × LC",
            u_position=rack["u_height"],
            side="rear",
            **place,
        ),
        *(
            DeviceSeed(
                name=f"{_stem(rack)}-pdu-{feed.lower()}",
                kind="pdu",
                model="32 A, metered",
                feeds=feed,
                ports=outlets,
                **place,
            )
            for feed in ("A", "B")
        ),
    )


def ports_of(machine: dict[str, Any]) -> tuple[PortSeed, ...]:
    return (
        PortSeed(name="eth0", mac=machine["mac"], speed_mbps=10_000),
        PortSeed(name="psu1", kind="power"),
        PortSeed(name="psu2", kind="power"),
    )


def cables_of(machine: dict[str, Any], number: int) -> tuple[CableSeed, ...]:
    """Return the cables of the machine `number` (from 1) of its rack."""
    stem = f"{machine['datacentre']}-{machine['rack'].lower()}"
    return (
        CableSeed(
            a=(machine["name"], "eth0"),
            b=(f"{stem}-sw1", f"swp{number}"),
            label=f"{machine['rack']}-{number:02d}",
            colour="blue",
            length_cm=150,
        ),
        *(
            CableSeed(
                a=(machine["name"], psu),
                b=(f"{stem}-pdu-{feed}", f"out{number}"),
                colour=colour,
                length_cm=100,
            )
            for psu, feed, colour in (("psu1", "a", "red"), ("psu2", "b", "black"))
        ),
    )


def warranty_of(number: int) -> date:
    """Return when the warranty of the machine ends: they were bought over two years."""
    return date(2024, 1, 15) + WARRANTY + timedelta(days=30 * number)


def _stem(rack: dict[str, Any]) -> str:
    return f"{rack['datacentre']}-{rack['name'].lower()}"
