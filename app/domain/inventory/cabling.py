"""Devices, ports and cables by hand: added, changed, plugged and unplugged, each audited."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.errors import Invalid, NotFound
from app.core.paging import Listing, Page, containing, read_page
from app.domain.audit.record import record
from app.domain.devices.forget import forget_device
from app.domain.inventory.errors import StillPlugged
from app.domain.inventory.find_racks import find_device
from app.domain.inventory.register_cables import plug, register_device, register_ports
from app.domain.inventory.seed import DeviceSeed, PortKind, PortSeed


class PortView(msgspec.Struct, frozen=True, kw_only=True):
    """A port, and the cable in it with what is at its other end."""

    id: UUID
    name: str
    kind: PortKind
    mac: str | None
    speed_mbps: int
    cable: UUID | None
    label: str | None
    colour: str | None
    far_owner: str | None
    far_port: str | None
    far_server: UUID | None
    far_device: UUID | None


class CableEnd(msgspec.Struct, frozen=True, kw_only=True):
    """Whose a port is."""

    owner: str
    server: UUID | None
    device: UUID | None


class CableView(msgspec.Struct, frozen=True, kw_only=True):
    """A cable with both of its ends."""

    id: UUID
    kind: PortKind
    label: str
    colour: str
    length_cm: int
    a_owner: str
    a_port: str
    a_rack: str
    a_server: UUID | None
    a_device: UUID | None
    b_owner: str
    b_port: str
    b_rack: str
    b_server: UUID | None
    b_device: UUID | None


MOST_PORTS = 500
"""Ports that a form offers."""

_PORTS = """
SELECT p.id, p.name, p.kind, p.mac, p.speed_mbps, c.id AS cable, c.label, c.colour,
    coalesce(s.name, d.name) AS far_owner, o.name AS far_port, s.id AS far_server,
    d.id AS far_device
FROM port p LEFT JOIN cable c ON p.id IN (c.a_port, c.b_port)
LEFT JOIN port o ON o.id = CASE WHEN c.a_port = p.id THEN c.b_port ELSE c.a_port END
LEFT JOIN server s ON s.id = o.server LEFT JOIN device d ON d.id = o.device
"""
_CABLES = """
FROM cable c JOIN port p ON p.id = c.a_port JOIN port q ON q.id = c.b_port
LEFT JOIN server ps ON ps.id = p.server LEFT JOIN device pd ON pd.id = p.device
LEFT JOIN server qs ON qs.id = q.server LEFT JOIN device qd ON qd.id = q.device
JOIN rack pr ON pr.id = coalesce(ps.rack, pd.rack)
JOIN rack qr ON qr.id = coalesce(qs.rack, qd.rack)
"""
_CABLE = """
c.id, p.kind, c.label, c.colour, c.length_cm, coalesce(ps.name, pd.name) AS a_owner,
p.name AS a_port, pr.name AS a_rack, ps.id AS a_server, pd.id AS a_device,
coalesce(qs.name, qd.name) AS b_owner, q.name AS b_port, qr.name AS b_rack, qs.id AS b_server,
qd.id AS b_device
"""


async def ports_of(
    tx: Tx, *, server: UUID | None = None, device: UUID | None = None
) -> tuple[PortView, ...]:
    """Return the ports of a server or of a device with what is plugged in; one statement."""
    rows = await tx.fetch(
        f"{_PORTS} WHERE p.server IS NOT DISTINCT FROM $1 AND p.device IS NOT DISTINCT FROM $2 "
        "ORDER BY p.kind, length(p.name), p.name",
        server,
        device,
    )
    return tuple(PortView(**dict(row)) for row in rows)


async def find_port(tx: Tx, port: UUID) -> tuple[PortView, CableEnd]:
    """Return a port, and whose it is. Raises NotFound."""
    row = await tx.fetchrow(f"{_PORTS} WHERE p.id = $1", port)
    end = await tx.fetchrow(
        "SELECT coalesce(s.name, d.name) AS owner, p.server, p.device FROM port p "
        "LEFT JOIN server s ON s.id = p.server LEFT JOIN device d ON d.id = p.device "
        "WHERE p.id = $1",
        port,
    )
    if row is None or end is None:
        raise NotFound("port", port)
    return PortView(**dict(row)), CableEnd(**dict(end))


async def free_ports(tx: Tx, port: UUID) -> list[tuple[UUID, str]]:
    """Return the free ports that a cable from `port` could go to: of its kind and datacentre.

    Those of its own rack first; of a server's port only devices', as one cables. At most
    `MOST_PORTS`.
    """
    rows = await tx.fetch(
        "WITH here AS (SELECT p.kind, p.server, r.id AS rack, r.datacentre FROM port p "
        "LEFT JOIN server s ON s.id = p.server LEFT JOIN device d ON d.id = p.device "
        "JOIN rack r ON r.id = coalesce(s.rack, d.rack) WHERE p.id = $1) "
        "SELECT p.id, r.name || ', ' || coalesce(s.name, d.name) || ', ' || p.name AS name "
        "FROM here, port p LEFT JOIN server s ON s.id = p.server "
        "LEFT JOIN device d ON d.id = p.device JOIN rack r ON r.id = coalesce(s.rack, d.rack) "
        "WHERE p.kind = here.kind AND p.id <> $1 AND r.datacentre = here.datacentre "
        "AND (here.server IS NULL OR p.server IS NULL) "
        "AND NOT EXISTS (SELECT FROM cable c WHERE p.id IN (c.a_port, c.b_port)) "
        "ORDER BY r.id <> here.rack, r.name, coalesce(s.name, d.name), length(p.name), p.name "
        f"LIMIT {MOST_PORTS}",
        port,
    )
    return [(row["id"], row["name"]) for row in rows]


async def list_cables(tx: Tx, *, search: str = "", page: int = 1) -> Page[CableView]:
    """Return cables by where they begin; `search` is part of a label, an end or a rack."""
    listing = Listing(
        columns=_CABLE,
        source=_CABLES,
        where="$1 = '' OR concat_ws(' ', c.label, ps.name, pd.name, qs.name, qd.name, p.name, "
        "q.name, pr.name, qr.name) ILIKE $2",
        order_by="coalesce(ps.name, pd.name), length(p.name), p.name, c.id",
        values=[search.strip(), containing(search.strip())],
    )
    return await read_page(tx, listing, page, lambda row: CableView(**dict(row)))


async def find_cable(tx: Tx, cable: UUID) -> CableView:
    """Return one cable. Raises NotFound."""
    row = await tx.fetchrow(f"SELECT {_CABLE} {_CABLES} WHERE c.id = $1", cable)
    if row is None:
        raise NotFound("cable", cable)
    return CableView(**dict(row))


async def connect(
    tx: Tx,
    a: UUID,
    b: UUID,
    *,
    label: str = "",
    colour: str = "",
    length_cm: int = 0,
    actor: UUID | None,
    actor_label: str,
) -> UUID:
    """Plug a cable into two free ports of one kind. Raises Invalid on `a` or `b`."""
    kinds = {
        row["id"]: row["kind"]
        for row in await tx.fetch("SELECT id, kind FROM port WHERE id = ANY($1)", [a, b])
    }
    for field, port in (("a", a), ("b", b)):
        if port not in kinds:
            raise Invalid({field: "There is no such port. Choose one of the list."})
    if kinds[a] != kinds[b]:
        raise Invalid({"b": f"A {kinds[a]} port and a {kinds[b]} port take no cable together."})
    cable = await plug(tx, a, b, label=label, colour=colour, length_cm=length_cm)
    await _tell(tx, "inventory.plug", await find_cable(tx, cable), (actor, actor_label))
    return cable


async def disconnect(
    tx: Tx, cable: UUID, *, actor: UUID | None, actor_label: str, reason: str = ""
) -> None:
    """Take a cable out of both ports. Raises NotFound."""
    view = await find_cable(tx, cable)
    await tx.execute("DELETE FROM cable WHERE id = $1", cable)
    await _tell(tx, "inventory.unplug", view, (actor, actor_label), reason)


async def _tell(
    tx: Tx, action: str, cable: CableView, by: tuple[UUID | None, str], reason: str = ""
) -> None:
    """Audit a cable at each end that is a server or a device."""
    between = f"{cable.a_owner} {cable.a_port} and {cable.b_owner} {cable.b_port}"
    for server, device in ((cable.a_server, cable.a_device), (cable.b_server, cable.b_device)):
        await record(
            tx,
            actor=by[0],
            actor_label=by[1],
            action=action,
            subject_kind="server" if server else "device",
            subject=server or device,
            before={},
            after={"between": between, "label": cable.label},
            reason=reason,
        )
        if server:
            tx.publish(f"server:{server}")


async def add_device(tx: Tx, seed: DeviceSeed, *, actor: UUID | None, actor_label: str) -> UUID:
    """Return the new device's id. Raises Invalid, by field."""
    if await tx.fetchval("SELECT EXISTS (SELECT FROM device WHERE name = $1)", seed.name):
        raise Invalid({"name": "Another device has this name."})
    return await save_device(tx, seed, actor=actor, actor_label=actor_label)


async def save_device(tx: Tx, seed: DeviceSeed, *, actor: UUID | None, actor_label: str) -> UUID:
    """Add a device, or change the one of that name; audited. Raises Invalid, by field."""
    known = await tx.fetchval("SELECT id FROM device WHERE name = $1", seed.name)
    before: dict[str, Any] = {}
    if known is not None:
        view = msgspec.structs.asdict(await find_device(tx, known))
        before = {name: view[name] for name in DeviceSeed.__struct_fields__ if name != "ports"}
    device = await register_device(tx, seed)
    after = {name: getattr(seed, name) for name in seed.__struct_fields__ if name != "ports"}
    await record(
        tx,
        actor=actor,
        actor_label=actor_label,
        action="inventory.change_device" if before else "inventory.add_device",
        subject_kind="device",
        subject=device,
        before={name: value for name, value in before.items() if after[name] != value},
        after={name: value for name, value in after.items() if before.get(name) != value},
    )
    return device


async def remove_device(tx: Tx, device: UUID, *, actor: UUID | None, actor_label: str) -> None:
    """Take a device out of its rack, with its ports. Raises StillPlugged, NotFound."""
    view = await find_device(tx, device)
    if view.cabled:
        raise StillPlugged(view.name, view.cabled)
    await forget_device(tx, device)
    await tx.execute("DELETE FROM port WHERE device = $1", device)
    await tx.execute("DELETE FROM device WHERE id = $1", device)
    await record(
        tx,
        actor=actor,
        actor_label=actor_label,
        action="inventory.remove_device",
        subject_kind="device",
        subject=device,
        before={"name": view.name, "rack": view.rack, "unit": view.u_position},
        after={},
    )
    tx.publish("servers")


async def save_ports(
    tx: Tx,
    ports: Sequence[PortSeed],
    *,
    server: UUID | None = None,
    device: UUID | None = None,
    actor: UUID | None,
    actor_label: str,
) -> None:
    """Add ports to a server or a device, or change those of these names. Raises Invalid."""
    await register_ports(tx, ports, server=server, device=device)
    await record(
        tx,
        actor=actor,
        actor_label=actor_label,
        action="inventory.save_ports",
        subject_kind="server" if server else "device",
        subject=server or device,
        before={},
        after={"ports": ", ".join(port.name for port in ports)},
    )
    if server:
        tx.publish(f"server:{server}")


def numbered(pattern: str) -> list[str]:
    """Return the names that a pattern stands for: `eth[0-3]` is eth0, eth1, eth2 and eth3.

    At most 128 of them. Raises Invalid on `name`.
    """
    head, bracket, rest = pattern.partition("[")
    if not bracket:
        return [pattern]
    span, closed, tail = rest.partition("]")
    first, dash, last = span.partition("-")
    if not (closed and dash and first.isdecimal() and last.isdecimal()):
        raise Invalid({"name": "Write several as eth[0-3]."})
    if not 0 <= int(last) - int(first) < 128:
        raise Invalid({"name": "At most 128 ports at a time, counted upwards."})
    return [f"{head}{number}{tail}" for number in range(int(first), int(last) + 1)]
