"""Note what a panel says of a service's server; one without a plan is not ours to note."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.ids import new_id
from app.core.outbox import emit
from app.domain.games.rules import GameLimits, MadeOf
from app.drivers.game.contract import GameServer
from app.drivers.power import Power


async def note_game(tx: Tx, service: UUID, server: GameServer) -> None:
    """Note that the server is there, where players connect and who owns it. Idempotent."""
    await tx.execute(
        "UPDATE game_server SET number = $2, node = $3, state = $4, address = $5, username = $6, "
        "panel_url = $7, seen_at = $8, made_at = coalesce(made_at, $8), short = $9, drift = '', "
        "drift_since = NULL "
        "WHERE service = $1 AND removed_at IS NULL",
        service,
        server.id,
        server.node,
        server.state.value,
        server.port.words if server.port else "",
        server.username,
        server.panel_url,
        tx.now(),
        server.short,
    )
    await _tell(tx, service)


async def note_listed(
    tx: Tx, connection: str, servers: Sequence[GameServer], *, began_at: datetime
) -> None:
    """Note what a panel says of all its servers in one list, read since `began_at`; one statement.

    Whether they run is not among it. What a flow noted since is left as it noted it.
    """
    rows = await tx.fetch(
        "UPDATE game_server g SET state = x.state, address = x.address, username = x.username, "
        "panel_url = x.panel_url, short = x.short FROM unnest($2::uuid[], $3::text[], $4::text[], "
        "$5::text[], $6::text[], $7::text[]) AS x (service, state, address, username, panel_url, "
        "short) WHERE g.service = x.service AND g.connection = $1 AND g.removed_at IS NULL "
        "AND g.made_at IS NOT NULL AND g.seen_at < $8 "
        "AND (g.state, g.address, g.username, g.panel_url, g.short) <> "
        "(x.state, x.address, x.username, x.panel_url, x.short) RETURNING g.service",
        connection,
        [one.service for one in servers],
        [one.state.value for one in servers],
        [one.port.words if one.port else "" for one in servers],
        [one.username for one in servers],
        [one.panel_url for one in servers],
        [one.short for one in servers],
        began_at,
    )
    for row in rows:
        await _tell(tx, row["service"])


async def note_game_power(
    tx: Tx, service: UUID, power: Power, *, as_of: datetime | None = None
) -> None:
    """Note whether the server runs, as its panel has just said, or said `as_of`.

    What was noted since stays.
    """
    was = await tx.fetchval(
        "WITH old AS (SELECT service, power FROM game_server WHERE service = $1 "
        "AND removed_at IS NULL AND ($4::timestamptz IS NULL OR power_seen_at IS NULL "
        "OR power_seen_at <= $4) FOR NO KEY UPDATE) UPDATE game_server g SET power = $2, "
        "power_seen_at = $3 FROM old WHERE g.service = old.service RETURNING old.power",
        service,
        power,
        tx.now(),
        as_of,
    )
    if was is not None and was != power:
        await _tell(tx, service)


async def note_access(tx: Tx, service: UUID, server: GameServer, account: UUID) -> None:
    """Note how the client signs in: with the password that we made, or as before. Idempotent.

    It is told with the first server alone: then it may be changed at the panel. Who has a user of
    their own there keeps its password, which we do not know.
    """
    sealed = await tx.fetchval(
        "UPDATE game_user u SET told_by = $1 FROM game_server g WHERE g.service = $1 "
        "AND u.connection = g.connection AND u.account = $2 AND $3 "
        "AND (u.told_by IS NULL OR u.told_by = $1) RETURNING u.sealed_password",
        service,
        account,
        server.owner == account,
    )
    await tx.execute(
        "INSERT INTO credential (id, service, kind, username, sealed_secret, created_at) "
        "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (service, kind) DO UPDATE "
        "SET username = excluded.username, sealed_secret = excluded.sealed_secret",
        new_id(),
        service,
        "panel_user" if sealed is None else "panel_password",
        server.username,
        sealed,
        tx.now(),
    )


async def note_limits(tx: Tx, service: UUID, limits: GameLimits) -> None:
    """Note that the server may use more, or less, from now on."""
    row = await tx.fetchval(
        "SELECT made_of FROM game_server WHERE service = $1 AND removed_at IS NULL FOR UPDATE",
        service,
    )
    if row is None:
        return
    changed = msgspec.structs.replace(msgspec.json.decode(row, type=MadeOf), limits=limits)
    await tx.execute(
        "UPDATE game_server SET made_of = $2 WHERE service = $1",
        service,
        msgspec.json.encode(changed).decode(),
    )


async def note_game_removed(tx: Tx, service: UUID) -> None:
    """Note that the panel has the server no more. Idempotent.

    The first time, orders that wait for room look again.
    """
    connection = await tx.fetchval(
        "UPDATE game_server SET removed_at = $2, seen_at = $2, state = '', power = 'off', "
        "power_seen_at = $2, drift = '', drift_since = NULL "
        "WHERE service = $1 AND removed_at IS NULL RETURNING connection",
        service,
        tx.now(),
    )
    if connection is not None:
        key = f"stock.appeared:game:{service}:{tx.now().isoformat()}"
        await emit(tx, "stock.appeared", key, {"connection": connection})
    await _tell(tx, service)


async def _tell(tx: Tx, service: UUID) -> None:
    order = await tx.fetchval('SELECT "order" FROM service WHERE id = $1', service)
    tx.publish(f"service:{service}", f"order:{order}")
