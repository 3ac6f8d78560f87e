"""Read servers, racks and datacentres; one or two statements each."""

from collections.abc import Iterable
from uuid import UUID

import asyncpg
import msgspec

from app.core.database import Tx
from app.core.errors import NotFound
from app.core.paging import Listing, containing, read_page
from app.core.secrets import Vault
from app.domain.inventory.errors import NoBmc
from app.domain.inventory.power import LASTING
from app.domain.inventory.seed import BootMethod
from app.domain.inventory.states import ServerState
from app.domain.inventory.views import (
    DatacentreView,
    ServerPage,
    ServerRow,
    ServerView,
    SilentBmc,
)
from app.drivers.bmc.contract import BmcAddress, BmcProtocol
from app.drivers.secret import Secret
from app.drivers.tls import Tls, TrustAnything, TrustCa, TrustPin, TrustSystem

_COLUMNS = """
s.id, s.name, s.serial, s.model, d.code AS datacentre, r.name AS rack, s.u_position, s.u_height,
s.side, s.feeds, s.power_draw_watts, s.weight_kg, a.email AS account_email, s.maintenance_ends_at,
c.name AS cpu_model, s.cpu_count, c.cores * s.cpu_count AS cores, s.ram_gb, s.state,
s.state_since, s.state_reason, s.holder, o.number AS order_number, s.hold_expires_at, s.seq,
s.power, s.power_seen_at, s.power_drift_since, s.power_taken, b.silent_since,
s.recheck_at, s.rechecks, CASE WHEN s.state = 'quarantined' THEN
    (SELECT e.before->>'state' FROM audit_entry e WHERE e.subject = s.id
     AND e.action = 'inventory.quarantine' ORDER BY e.at DESC, e.id DESC LIMIT 1)
END AS aside_from,
(SELECT coalesce(jsonb_agg(jsonb_build_array(k.kind, k.capacity_gb, k.quantity)
                           ORDER BY k.kind, k.capacity_gb), '[]')
 FROM disk k WHERE k.server = s.id) AS disks
"""
_FROM = """
FROM server s JOIN rack r ON r.id = s.rack JOIN datacentre d ON d.id = r.datacentre
JOIN cpu_model c ON c.id = s.cpu_model LEFT JOIN client_order o ON o.id = s.holder
LEFT JOIN account a ON a.id = o.account LEFT JOIN bmc b ON b.server = s.id
"""
_DRIFTS = "(s.power_drift_since IS NOT NULL AND s.power <> 'unknown')"
_LASTS = "(s.state = 'active' AND b.silent_since <= {before})"
_MORE = """
d.name AS datacentre_name, r.id AS rack_id, s.raid_controller, s.raid_model, s.mac,
s.warranty_ends_on, s.note, b.url AS bmc_url, b.protocol AS bmc_protocol,
nullif(b.vendor, '') AS bmc_vendor, b.serial AS bmc_serial, b.boot_method, b.silence,
v.id AS service_id, v.state AS service_state, coalesce(v.hostname, o.hostname) AS hostname
"""
_MORE_FROM = """LEFT JOIN service v ON v."order" = o.id"""


async def bmc_of(tx: Tx, vault: Vault, server_id: UUID) -> tuple[BmcAddress, BootMethod]:
    """Return where the server's BMC is, and how a system gets onto the machine.

    Raises NoBmc.
    """
    row = await tx.fetchrow(
        "SELECT protocol, url, username, sealed_password, system_path, tls_mode, ca_pem, "
        "boot_method FROM bmc WHERE server = $1",
        server_id,
    )
    if row is None:
        raise NoBmc(server_id)
    address = BmcAddress(
        protocol=BmcProtocol(row["protocol"]),
        url=row["url"],
        username=row["username"],
        password=Secret(vault.open(row["sealed_password"])),
        system_path=row["system_path"] or None,
        tls=_tls(row["tls_mode"], row["ca_pem"]),
    )
    method: BootMethod = row["boot_method"]
    return address, method


def _tls(mode: str, text: str) -> Tls:
    match mode:
        case "off":
            return TrustAnything()
        case "pin":
            return TrustPin(text)
        case _:
            return TrustCa(text) if text else TrustSystem()


async def find_server(tx: Tx, server_id: UUID) -> ServerView:
    """Return a server with its disks, place and BMC, and the order and service it is for.

    Raises NotFound.
    """
    row = await tx.fetchrow(
        f"SELECT {_COLUMNS}, {_MORE} {_FROM} {_MORE_FROM} WHERE s.id = $1", server_id
    )
    if row is None:
        raise NotFound("server", server_id)
    return msgspec.convert(_facts(row), ServerView)


async def list_servers(
    tx: Tx,
    *,
    states: Iterable[ServerState] = (),
    datacentre: str = "",
    search: str = "",
    drifting: bool = False,
    silent: bool = False,
    page: int = 1,
) -> ServerPage:
    """Return servers of the states (any when empty) by name, 50 a page.

    `drifting`: only those that are on or off against what they should be. `silent`: only those
    that are delivered and whose BMC has said nothing for a while. `datacentre` is a code.
    `search` is a part of the name, serial number, MAC or CPU, the rack's name, or the number of
    the order; with a `#` before it, that number alone.
    """
    words = search.strip().removeprefix("#")
    where = (
        "(cardinality($1::text[]) = 0 OR s.state = ANY($1)) AND ($2 = '' OR d.code = $2) AND "
        "($3 = '' OR o.number::text = $3 OR ($5 AND (s.name ILIKE $4 OR s.serial ILIKE $4 "
        "OR s.mac ILIKE $4 OR c.name ILIKE $4 OR lower(r.name) = lower($3)))) "
        f"AND (NOT $6 OR {_DRIFTS}) AND ($7::timestamptz IS NULL OR {_LASTS.format(before='$7')})"
    )
    is_text = not search.strip().startswith("#")
    listing = Listing(
        columns=_COLUMNS,
        source=_FROM,
        where=where,
        order_by="s.name",
        values=[
            list(states),
            datacentre,
            words,
            containing(words),
            is_text,
            drifting,
            tx.now() - LASTING if silent else None,
        ],
    )
    return await read_page(tx, listing, page, _row)


async def server_of(tx: Tx, holder: UUID) -> ServerRow | None:
    """Return the server that an order has, if any."""
    row = await tx.fetchrow(
        f"SELECT {_COLUMNS} {_FROM} WHERE s.holder = $1 ORDER BY s.id LIMIT 1", holder
    )
    return None if row is None else _row(row)


async def counts_by_state(tx: Tx, *, datacentre: str = "") -> dict[ServerState, int]:
    """Return how many servers are in each state, 0 included, in the order of a server's life."""
    rows = await tx.fetch(
        "SELECT s.state, count(*) FROM server s JOIN rack r ON r.id = s.rack "
        "JOIN datacentre d ON d.id = r.datacentre WHERE $1 = '' OR d.code = $1 GROUP BY s.state",
        datacentre,
    )
    counted = {row["state"]: row["count"] for row in rows}
    return {state: counted.get(state.value, 0) for state in ServerState}


async def count_drifts(tx: Tx, *, datacentre: str = "") -> int:
    """Return how many servers are on or off against what they should be."""
    count: int = await tx.fetchval(
        "SELECT count(*) FROM server s JOIN rack r ON r.id = s.rack "
        f"JOIN datacentre d ON d.id = r.datacentre WHERE {_DRIFTS} AND ($1 = '' OR d.code = $1)",
        datacentre,
    )
    return count


async def count_silent(tx: Tx, *, datacentre: str = "") -> int:
    """Return how many delivered servers have a BMC that has said nothing for a while.

    A silence that has just begun (`power.LASTING`) is none yet.
    """
    count: int = await tx.fetchval(
        "SELECT count(*) FROM server s JOIN bmc b ON b.server = s.id JOIN rack r ON r.id = s.rack "
        f"JOIN datacentre d ON d.id = r.datacentre WHERE {_LASTS.format(before='$1')} "
        "AND ($2 = '' OR d.code = $2)",
        tx.now() - LASTING,
        datacentre,
    )
    return count


async def silent_bmcs(tx: Tx, *, limit: int) -> tuple[SilentBmc, ...]:
    """Return what `count_silent` counts, whose BMC has been silent longest first."""
    rows = await tx.fetch(
        "SELECT s.id AS server, s.name, b.silent_since, b.silence FROM server s "
        f"JOIN bmc b ON b.server = s.id WHERE {_LASTS.format(before='$1')} "
        "ORDER BY b.silent_since, s.name LIMIT $2",
        tx.now() - LASTING,
        limit,
    )
    return tuple(msgspec.convert(dict(row), SilentBmc) for row in rows)


async def servers_in(tx: Tx, rack: UUID) -> tuple[ServerRow, ...]:
    """Return the servers of a rack from the lowest unit upwards."""
    rows = await tx.fetch(
        f"SELECT {_COLUMNS} {_FROM} WHERE s.rack = $1 ORDER BY s.u_position, s.side", rack
    )
    return tuple(_row(row) for row in rows)


async def latest_servers(
    tx: Tx, *, datacentre: str, state: str, rack: str, before: UUID | None, limit: int
) -> list[ServerView]:
    """Return servers by id, the latest first; an empty filter is none."""
    rows = await tx.fetch(
        f"SELECT {_COLUMNS}, {_MORE} {_FROM} {_MORE_FROM} WHERE ($1 = '' OR d.code = $1) AND "
        "($2 = '' OR s.state = $2) AND ($3 = '' OR r.name = $3) AND "
        "($4::uuid IS NULL OR s.id < $4) ORDER BY s.id DESC LIMIT $5",
        datacentre,
        state,
        rack,
        before,
        limit,
    )
    return [msgspec.convert(_facts(row), ServerView) for row in rows]


async def list_datacentres(tx: Tx) -> tuple[DatacentreView, ...]:
    """Return all sites by code, with how much stands there."""
    rows = await tx.fetch(
        "SELECT d.id, d.code, d.name, d.city, d.country, count(DISTINCT r.id) AS racks, "
        "count(s.id) AS servers, count(s.id) FILTER (WHERE s.state = 'available') AS available "
        "FROM datacentre d LEFT JOIN rack r ON r.datacentre = d.id "
        "LEFT JOIN server s ON s.rack = r.id GROUP BY d.id ORDER BY d.code"
    )
    return tuple(DatacentreView(**dict(row)) for row in rows)


def _row(row: asyncpg.Record) -> ServerRow:
    return msgspec.convert(_facts(row), ServerRow)


def _facts(row: asyncpg.Record) -> dict[str, object]:
    facts = dict(row)
    facts["disks"] = [
        {"kind": kind, "capacity_gb": capacity_gb, "count": count}
        for kind, capacity_gb, count in msgspec.json.decode(row["disks"])
    ]
    return facts
