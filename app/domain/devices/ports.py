"""Ports of switches: which a server is cabled to, and what each is to have."""

from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.errors import NotFound
from app.core.ids import new_id
from app.domain.devices.ask import last_said
from app.drivers.switching.contract import PortVlans, SwitchPort, key_of, same_port


class ManagedPort(msgspec.Struct, frozen=True, kw_only=True):
    """A port of a switch that is reached, at the other end of a server's cable."""

    device: UUID
    switch: str
    """Name of the switch."""
    port: UUID
    name: str
    parking_vid: int
    wanted: PortVlans | None
    """What it is to have; None where nobody has said."""


async def ports_of_server(tx: Tx, server: UUID) -> tuple[ManagedPort, ...]:
    """Return the ports at which a server is cabled to switches that are reached; one statement."""
    rows = await tx.fetch(
        "SELECT d.id AS device, d.name AS switch, q.id AS port, q.name, a.parking_vid, "
        "w.untagged, w.tagged FROM port p JOIN cable c ON p.id IN (c.a_port, c.b_port) "
        "JOIN port q ON q.id = CASE WHEN c.a_port = p.id THEN c.b_port ELSE c.a_port END "
        "JOIN device d ON d.id = q.device JOIN device_access a ON a.device = d.id "
        "LEFT JOIN switch_port w ON w.port = q.id "
        "WHERE p.server = $1 AND p.kind = 'network' AND d.kind = 'switch' ORDER BY d.name, q.name",
        server,
    )
    return tuple(
        ManagedPort(
            **{name: row[name] for name in ("device", "switch", "port", "name", "parking_vid")},
            wanted=_vlans(row["untagged"], row["tagged"]),
        )
        for row in rows
    )


async def note_vlans(tx: Tx, port: UUID, vlans: PortVlans) -> None:
    """Write down what a port is to have, and, where the switch was read, that it has it."""
    device = await tx.fetchval("SELECT device FROM port WHERE id = $1", port)
    tx.publish(f"device:{device}")
    if not vlans.vids:  # what lets nothing through is nothing to hold a port to
        await tx.execute("DELETE FROM switch_port WHERE port = $1", port)
        return
    await tx.execute(
        "INSERT INTO switch_port (id, port, untagged, tagged, set_at) VALUES ($1, $2, $3, $4, $5) "
        "ON CONFLICT (port) DO UPDATE SET untagged = $3, tagged = $4, set_at = $5",
        new_id(),
        port,
        vlans.untagged,
        vlans.tagged,
        tx.now(),
    )


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """A port of which record and switch say different things."""

    name: str
    """As the record calls it; as the switch does where it is not written down."""
    port: UUID | None
    """None where it is not written down."""
    written: str
    found: str
    wanted: PortVlans | None = None
    """What it is to have, where the switch could be told so."""
    note: str = ""
    """Why it cannot be accepted as it stands, and what to do; "" when it can."""


async def compare(tx: Tx, device: UUID) -> tuple[Difference, ...]:
    """Return where a switch, as it was read last, differs from the record."""
    said = await last_said(tx, device)
    if said is None or said.state is None:
        return ()
    rows = await tx.fetch(
        "SELECT p.id, p.name, w.untagged, w.tagged, "
        "EXISTS (SELECT FROM cable c WHERE p.id IN (c.a_port, c.b_port)) AS is_plugged "
        "FROM port p LEFT JOIN switch_port w ON w.port = p.id "
        "WHERE p.device = $1 AND p.kind = 'network' ORDER BY length(p.name), p.name",
        device,
    )
    found = list(said.state.ports)
    differences = []
    for row in rows:
        port = _take(found, row["name"])
        wanted = _vlans(row["untagged"], row["tagged"])
        if port is None:
            note = "Unplug its cable first." if row["is_plugged"] else ""
            differences.append(
                Difference(
                    name=row["name"], port=row["id"], written="a port",
                    found="no such port", note=note,
                )
            )  # fmt: skip
        elif wanted is not None and port.vlans != wanted:
            differences.append(
                Difference(
                    name=row["name"], port=row["id"], written=wanted.words,
                    found=port.vlans.words if port.vlans else "no port of VLANs",
                    wanted=wanted if port.vlans else None,
                    note="" if port.vlans else "Look what became of it on the switch.",
                )
            )  # fmt: skip
    differences += [
        Difference(
            name=port.name, port=None, written="no such port",
            found=port.vlans.words if port.vlans else "a port",
        )
        for port in found
    ]  # fmt: skip
    return tuple(differences)


async def accept(tx: Tx, device: UUID, name: str) -> Difference:
    """Bring the record of one port to what the switch says; returns how they differed.

    Raises NotFound where they do not differ any more.
    """
    difference = next((one for one in await compare(tx, device) if one.name == name), None)
    said = await last_said(tx, device)
    if difference is None or difference.note or said is None or said.state is None:
        raise NotFound("difference", name)
    seen = said.state.port(name)
    if difference.port is None:
        port = new_id()
        await tx.execute(
            "INSERT INTO port (id, device, name, kind) VALUES ($1, $2, $3, 'network')",
            port,
            device,
            name,
        )
    elif seen is None:
        await tx.execute("DELETE FROM switch_port WHERE port = $1", difference.port)
        await tx.execute("DELETE FROM port WHERE id = $1", difference.port)
        return difference
    else:
        port = difference.port
    if seen is not None and seen.vlans is not None:
        await note_vlans(tx, port, seen.vlans)
    return difference


def _vlans(untagged: int | None, tagged: str | None) -> PortVlans | None:
    """Return what is written down; None where nothing is."""
    if untagged is None and not tagged:
        return None
    return PortVlans(untagged=untagged, tagged=tagged or "")


def _take(ports: list[SwitchPort], name: str) -> SwitchPort | None:
    """Return the port of that name, and take it out of those that are left."""
    wanted = key_of(name)
    found = next((one for one in ports if same_port(key_of(one.name), wanted)), None)
    if found is not None:
        ports.remove(found)
    return found
