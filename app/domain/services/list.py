"""Read services as the provider's people see them."""

from collections.abc import Iterable
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

import asyncpg
import msgspec

from app.core.database import Tx
from app.core.errors import NotFound
from app.core.paging import Listing, Page, containing, read_page
from app.domain.catalog.cycle import Cycle
from app.domain.catalog.kind import KIND_OF_P, ProductKind
from app.domain.games.rules import GameLimits
from app.domain.machines import now
from app.domain.machines.judge import Drift
from app.domain.machines.watch import CONFIRMED
from app.domain.services.states import InstallationState, ServiceState
from app.drivers.bmc.serial_way import SerialOffer
from app.drivers.deploy.live import Purpose
from app.drivers.power import Power


class ServiceLine(msgspec.Struct, frozen=True, kw_only=True):
    """One service in a list."""

    id: UUID
    account_id: UUID
    account_email: str
    account_name: str
    order_id: UUID
    order_number: int
    product_name: str
    category_id: UUID
    """Of the product: which flows serve it."""
    server_id: UUID | None
    """What it runs on, or what is being set up for it."""
    server_name: str | None
    is_virtual: bool
    """It runs on a virtual machine, and has no server."""
    kind: ProductKind
    """Of its product."""
    connection: str | None
    """Where its virtual machine or game server is; None while none is planned."""
    datacentre: str | None
    hostname: str
    os_code: str
    rescue_since: datetime | None
    """Since when its server runs the rescue system."""
    state: ServiceState
    state_since: datetime
    cycle: Cycle
    currency: str
    recurring_minor: int
    next_due_at: datetime | None
    created_at: datetime
    activated_at: datetime | None


ServiceLines: TypeAlias = Page[ServiceLine]


class CredentialLine(msgspec.Struct, frozen=True, kw_only=True):
    """That there is a credential, never what it is."""

    kind: str
    username: str
    created_at: datetime
    revealed_at: datetime | None


class MachineLine(msgspec.Struct, frozen=True, kw_only=True):
    """The virtual machine of a service, as its provider last said."""

    connection: str
    node: str
    number: str
    """Its id at the provider; "" before it is made."""
    template: str
    is_iso_in: bool
    """Whether the ISO that it is made from is in its drive."""
    cores: int
    memory_mb: int
    disk_gb: int
    storage: str
    bridge: str
    plan: str
    power: Power
    power_seen_at: datetime | None
    planned_at: datetime
    made_at: datetime | None
    removed_at: datetime | None
    silent_since: datetime | None
    """Since when its provider does not answer."""
    silence: str
    drift: Drift | None
    """How it differs from what the service says, once a second reading has said so."""


class InstallationLine(msgspec.Struct, frozen=True, kw_only=True):
    """One try to install a system for the service, or to boot a live one; `purpose` tells which."""

    id: UUID
    server_id: UUID
    server_name: str
    purpose: Purpose
    state: InstallationState
    stage: str
    percent: int
    error: str
    created_at: datetime
    updated_at: datetime
    finished_at: datetime | None


class GameLine(msgspec.Struct, frozen=True, kw_only=True):
    """The game server of a service, as its panel last said."""

    connection: str
    node: str
    number: str
    """Its id at the panel; "" before it is made."""
    egg: str
    limits: GameLimits
    state: str
    address: str
    username: str
    panel_url: str
    seen_at: datetime | None
    planned_at: datetime
    made_at: datetime | None
    removed_at: datetime | None
    power: Power
    power_seen_at: datetime | None
    silent_since: datetime | None
    """Since when its panel does not answer."""
    silence: str
    drift: Drift | None
    """How it differs from what the service says, once a second reading has said so."""


class ServiceDetails(msgspec.Struct, frozen=True, kw_only=True):
    """A service with its credentials' kinds and its installations, the latest first."""

    line: ServiceLine
    serial: SerialOffer | None
    """Whether its server's serial line can be opened; None without a server that has a BMC."""
    machine: MachineLine | None
    """None for a physical server, and while none is planned."""
    game: GameLine | None
    """None for all but game servers, and while none is planned."""
    credentials: tuple[CredentialLine, ...]
    installations: tuple[InstallationLine, ...]


_COLUMNS = f"""
s.id, s.account AS account_id, a.email AS account_email, a.name AS account_name,
s."order" AS order_id, o.number AS order_number, p.name AS product_name,
p.category AS category_id, v.id AS server_id, v.name AS server_name, d.code AS datacentre,
coalesce(m.connection, g.connection) AS connection, {KIND_OF_P} AS kind,
p.machine_rules IS NOT NULL AS is_virtual, s.hostname, s.os_code, s.rescue_since, s.state,
s.state_since, s.cycle, s.currency, s.recurring_minor, s.next_due_at, s.created_at, s.activated_at
"""
_FROM = """
FROM service s JOIN account a ON a.id = s.account JOIN client_order o ON o.id = s."order"
JOIN product p ON p.id = s.product LEFT JOIN server held ON held.holder = s."order"
LEFT JOIN server v ON v.id = coalesce(s.server, held.id)
LEFT JOIN rack r ON r.id = v.rack LEFT JOIN machine m ON m.service = s.id
LEFT JOIN game_server g ON g.service = s.id
LEFT JOIN datacentre d ON d.id = r.datacentre OR d.code = coalesce(m.datacentre, g.datacentre)
"""


_MACHINE = f"""
SELECT m.connection, m.node, m.number, m.template, m.is_iso_in, m.cores, m.memory_mb, m.disk_gb,
       m.storage, m.bridge, m.plan, {now.POWER} AS power, {now.SEEN_AT} AS power_seen_at,
       m.planned_at, m.made_at, m.removed_at, w.silent_since, coalesce(w.silence, '') AS silence,
       CASE WHEN m.removed_at IS NULL AND w.heard_at >= m.drift_since + $2::interval
       THEN m.drift END AS drift
FROM machine m {now.WATCHED} WHERE m.service = $1
"""
_GAME = f"""
SELECT y.connection, y.node, y.number, y.made_of->>'egg' AS egg, y.made_of->>'limits' AS limits,
       y.state, y.address, y.username, y.panel_url, {now.GAME_SEEN_AT} AS seen_at, y.planned_at,
       y.made_at, y.removed_at, {now.GAME_POWER} AS power, y.power_seen_at, w.silent_since,
       coalesce(w.silence, '') AS silence, CASE WHEN
       y.removed_at IS NULL AND w.heard_at >= y.drift_since + $2::interval THEN y.drift END AS drift
FROM game_server y LEFT JOIN provider_watch w ON w.connection = y.connection WHERE y.service = $1
"""


async def list_services(
    tx: Tx, *, states: Iterable[ServiceState] = (), search: str = "", page: int = 1
) -> ServiceLines:
    """Return services of the states (any when empty), the latest first, 50 a page.

    `search` is an order's number or that of a virtual machine, or a part of the host name, the
    e-mail address, the name of the server or the provider, or a game server's address.
    """
    words = search.strip().removeprefix("#")
    where = (
        "(cardinality($1::text[]) = 0 OR s.state = ANY($1)) AND ($2 = '' OR o.number::text = $2 "
        "OR s.hostname ILIKE $3 OR a.email ILIKE $3 OR v.name ILIKE $3 "
        "OR m.connection ILIKE $3 OR m.number = $2 OR g.connection ILIKE $3 "
        "OR g.address ILIKE $3)"
    )
    listing = Listing(
        columns=_COLUMNS,
        source=_FROM,
        where=where,
        order_by="s.id DESC",
        values=[list(states), words, containing(words)],
    )
    return await read_page(tx, listing, page, lambda row: msgspec.convert(dict(row), ServiceLine))


async def count_services(tx: Tx) -> dict[ServiceState, int]:
    """Return how many services are in each state, 0 included."""
    rows = await tx.fetch("SELECT state, count(*) FROM service GROUP BY state")
    counted = {row["state"]: row["count"] for row in rows}
    return {state: counted.get(state.value, 0) for state in ServiceState}


async def service_details(tx: Tx, service: UUID) -> ServiceDetails:
    """Return one service; six statements. Raises NotFound."""
    row = await tx.fetchrow(f"SELECT {_COLUMNS} {_FROM} WHERE s.id = $1", service)
    if row is None:
        raise NotFound("service", service)
    credentials = await tx.fetch(
        "SELECT kind, username, created_at, revealed_at FROM credential WHERE service = $1 "
        "ORDER BY kind",
        service,
    )
    installations = await tx.fetch(
        "SELECT i.id, i.server AS server_id, v.name AS server_name, i.purpose, i.state, "
        "i.stage, i.percent, i.error, i.created_at, i.updated_at, i.finished_at "
        "FROM installation i JOIN server v ON v.id = i.server WHERE i.service = $1 "
        "ORDER BY i.id DESC LIMIT 50",
        service,
    )
    serial = await tx.fetchval(
        "SELECT b.serial FROM service s JOIN bmc b ON b.server = s.server WHERE s.id = $1", service
    )
    machine = await tx.fetchrow(_MACHINE, service, CONFIRMED)
    game = await tx.fetchrow(_GAME, service, CONFIRMED)
    return ServiceDetails(
        serial=None if serial is None else SerialOffer(serial),
        game=None if game is None else _game_line(game),
        line=msgspec.convert(dict(row), ServiceLine),
        machine=None if machine is None else msgspec.convert(dict(machine), MachineLine),
        credentials=tuple(msgspec.convert(dict(one), CredentialLine) for one in credentials),
        installations=tuple(msgspec.convert(dict(one), InstallationLine) for one in installations),
    )


def _game_line(row: asyncpg.Record) -> GameLine:
    limits = msgspec.json.decode(row["limits"], type=GameLimits)
    return msgspec.convert({**row, "limits": limits}, GameLine)
