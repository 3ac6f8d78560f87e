"""Read a client's services."""

from datetime import timedelta
from uuid import UUID

import asyncpg
import msgspec

from app.core.database import Tx
from app.core.errors import NotFound
from app.core.paging import Listing, read_page
from app.domain.accounts.ssh_keys import read_public_key
from app.domain.addresses.find import addresses_of
from app.domain.catalog.kind import KIND_OF_P
from app.domain.catalog.selection import Selection
from app.domain.machines import now
from app.domain.services.ask import PATIENCE, Asked
from app.domain.services.views import (
    AskedFor,
    GameFacts,
    InstalledKey,
    MachineFacts,
    Missed,
    PanelView,
    ServicePage,
    ServiceRow,
    ServiceView,
    Work,
)
from app.ipam.wants import PRIMARY_IP4

MISSED_TOLD = timedelta(days=1)
"""How long a client reads that what was asked for came to nothing."""

_COLUMNS = f"""
s.id, s."order" AS order_id, o.number AS order_number, p.name AS product_name, s.hostname,
coalesce(i.name, q.name, s.os_code) AS os_name, s.state, s.state_since, v.name AS server_name,
d.name AS datacentre, coalesce(v.power, CASE WHEN y.id IS NULL
THEN {now.POWER} ELSE {now.GAME_POWER} END) AS power, s.cycle, s.currency,
s.recurring_minor, s.next_due_at, s.created_at, s.activated_at,
coalesce((SELECT host(host(x.network)::inet + c.position) FROM address_claim c
          JOIN prefix x ON x.id = c.scope
          WHERE c.holder = s."order" AND c.kind = 'ip4' AND c.item = '{PRIMARY_IP4}'
          AND c.state IN ('held', 'assigned')), y.address, '') AS address
"""
_MORE = f"""
{KIND_OF_P} AS kind, s.rescue_since, s.os_code,
(SELECT jsonb_build_object('purpose', w.purpose, 'stage', w.stage, 'percent', w.percent)::text
 FROM installation w WHERE w.service = s.id AND w.state IN ('prepared', 'booted', 'installing')
 LIMIT 1) AS work,
(SELECT jsonb_build_object('what', a.action, 'at', a.at)::text FROM audit_entry a
 WHERE a.subject = s.id AND a.at = s.asked_at AND a.action = ANY($4) AND s.asked_at > $3
 AND NOT EXISTS (SELECT FROM installation w WHERE w.service = s.id AND w.created_at >= s.asked_at
                 AND w.state IN ('failed', 'abandoned'))
 ORDER BY a.id DESC LIMIT 1) AS asked,
(SELECT CASE WHEN w.state IN ('failed', 'abandoned') AND w.finished_at > $5 THEN
 jsonb_build_object('purpose', w.purpose, 'stage', w.stage, 'at', w.finished_at)::text END
 FROM installation w WHERE w.service = s.id AND w.created_at >= s.asked_at
 AND NOT EXISTS (SELECT FROM run r WHERE r.subject = s.id AND r.finished_at IS NULL
                 AND r.status <> 'halted' AND r.dedup_key LIKE ANY($6))
 ORDER BY w.id DESC LIMIT 1) AS missed,
v.id AS server_id, (SELECT b.serial FROM bmc b WHERE b.server = s.server) AS serial,
EXISTS (SELECT FROM metal_node x WHERE x.server = s.server) AS is_at_cloud,
coalesce(v.power_seen_at, {now.SEEN_AT}, y.power_seen_at) AS power_seen_at, o.selection,
CASE WHEN m.id IS NOT NULL THEN jsonb_build_object('cores', m.cores, 'memory_mb', m.memory_mb,
     'disk_gb', m.disk_gb, 'template', m.template, 'is_iso_in', m.is_iso_in)::text END AS machine,
CASE WHEN y.id IS NOT NULL THEN jsonb_build_object('egg', y.made_of->>'egg',
     'limits', y.made_of->'limits', 'panel_url', y.panel_url)::text END AS game,
n.name AS panel, n.access_url,
coalesce(k.username, '') AS username,
coalesce(k.kind LIKE '%password', false) AS has_password, k.revealed_at
"""
_FROM = """
FROM service s JOIN client_order o ON o.id = s."order" JOIN product p ON p.id = s.product
LEFT JOIN os_image i ON i.code = s.os_code LEFT JOIN server v ON v.id = s.server
LEFT JOIN rack r ON r.id = v.rack LEFT JOIN machine m ON m.service = s.id
LEFT JOIN game_server y ON y.service = s.id
LEFT JOIN provider_watch w ON w.connection = coalesce(m.connection, y.connection)
LEFT JOIN datacentre d ON d.id = r.datacentre OR d.code = coalesce(m.datacentre, y.datacentre)
LEFT JOIN option_group t ON t.product = p.id AND t.code = 'os'
LEFT JOIN option q ON q.option_group = t.id AND q.code = s.os_code
"""
_MORE_FROM = """
LEFT JOIN LATERAL (SELECT * FROM credential WHERE service = s.id
                   ORDER BY kind LIKE '%password' DESC LIMIT 1) k ON true
LEFT JOIN option_group g ON g.product = p.id AND g.code = 'panel'
LEFT JOIN option n ON n.option_group = g.id AND n.code = o.selection->>'panel'
"""


async def find_service(tx: Tx, service: UUID, *, account: UUID) -> ServiceView:
    """Return a client's own service with its addresses and keys; three statements.

    Raises NotFound.
    """
    row = await tx.fetchrow(
        f"SELECT {_COLUMNS}, {_MORE} {_FROM} {_MORE_FROM} WHERE s.id = $1 AND s.account = $2",
        service,
        account,
        tx.now() - PATIENCE,
        list(Asked),
        tx.now() - MISSED_TOLD,
        [f"{what}:%" for what in Asked],
    )
    if row is None:
        raise NotFound("service", service)
    facts = dict(row)
    selection = msgspec.json.decode(row["selection"], type=Selection)
    facts["addresses"] = await addresses_of(tx, row["order_id"])
    facts["keys"] = await _keys(tx, account, selection.ssh_keys)
    facts["panel"] = _panel(row)
    facts["game"] = row["game"] and msgspec.json.decode(row["game"], type=GameFacts)
    facts["work"] = row["work"] and msgspec.json.decode(row["work"], type=Work)
    facts["asked"] = row["asked"] and msgspec.json.decode(row["asked"], type=AskedFor)
    facts["missed"] = row["missed"] and msgspec.json.decode(row["missed"], type=Missed)
    facts["machine"] = row["machine"] and msgspec.json.decode(row["machine"], type=MachineFacts)
    return msgspec.convert(facts, ServiceView)


async def services_of(tx: Tx, account: UUID, *, page: int = 1) -> ServicePage:
    """Return a client's services, the latest first, 50 a page; two statements."""
    listing = Listing(
        columns=_COLUMNS,
        source=_FROM,
        where="s.account = $1",
        order_by="s.id DESC",
        values=[account],
        counted="FROM service s",
    )
    return await read_page(tx, listing, page, lambda row: msgspec.convert(dict(row), ServiceRow))


async def _keys(tx: Tx, account: UUID, lines: tuple[str, ...]) -> tuple[InstalledKey, ...]:
    """Return the keys that were installed, named as the client's list names them now."""
    if not lines:
        return ()
    keys = [read_public_key(line) for line in lines]
    rows = await tx.fetch(
        "SELECT fingerprint, name FROM ssh_key WHERE account = $1 AND fingerprint = ANY($2)",
        account,
        [key.fingerprint for key in keys],
    )
    names = {row["fingerprint"]: row["name"] for row in rows}
    return tuple(
        InstalledKey(
            name=names.get(key.fingerprint, ""),
            kind=key.line.partition(" ")[0],
            fingerprint=key.fingerprint,
        )
        for key in keys
    )


def _panel(row: asyncpg.Record) -> PanelView | None:
    if row["panel"] is None:
        return None
    # Without an address there is nowhere to go yet.
    url = row["access_url"] if row["address"] else ""
    filled = url.replace("{address}", row["address"]).replace("{hostname}", row["hostname"])
    return PanelView(name=row["panel"], url=filled)
