"""Compare prefixes, claims, reservations, orders and services; name whatever contradicts.

What processes remember is compared by them (`compare_index.py`).
"""

import time
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.errors import NotFound
from app.core.ids import new_id
from app.domain.addresses.hints import ask_processes
from app.domain.addresses.views import Drift

MOST = 1_000
"""Drifts of one kind that an audit names."""
JUST_NOW = timedelta(minutes=5)
"""After an audit that is this young, the clock's is left out."""


class AuditResult(msgspec.Struct, frozen=True, kw_only=True):
    """An audit; `found` names at most `MOST` drifts of a kind, and is empty in lists."""

    id: UUID
    at: datetime
    took_ms: int
    claims: int
    drifts: int
    processes: int = 0
    """How many have told by now what their index says differently."""
    found: tuple[Drift, ...] = ()


_CLAIM = """coalesce(claimed_network(c.kind, p.network, c.position)::text, 'VLAN ' || c.position
    || coalesce(' of ' || (SELECT name FROM vlan_group WHERE id = c.scope), ''))"""
_HOLDER = "coalesce('order #' || o.number, c.holder::text)"
_CHECKS = {
    "claim_without_pool": """
        SELECT c.kind || ' ' || c.position, 'its prefix or VLAN group ' || c.scope || ' is gone'
        FROM address_claim c WHERE c.kind <> 'vlan' AND c.scope NOT IN (SELECT id FROM prefix)
        OR c.kind = 'vlan' AND c.scope NOT IN (SELECT id FROM vlan_group)""",
    "claim_in_container": f"""
        SELECT {_CLAIM}, 'is claimed in the container ' || p.network
        FROM address_claim c JOIN prefix p ON p.id = c.scope WHERE p.status = 'container'""",
    "claim_outside_prefix": """
        SELECT p.network || ' ' || c.kind || ' ' || c.position, 'does not lie in its prefix'
        FROM address_claim c JOIN prefix p ON p.id = c.scope
        WHERE c.kind <> CASE family(p.network) WHEN 4 THEN 'ip4' ELSE 'ip6net' END
        OR c.position < 0 OR c.position >= 2 ^ (
            CASE family(p.network) WHEN 4 THEN 32 ELSE 64 END - masklen(p.network))""",
    "claim_without_order": f"""
        SELECT {_CLAIM}, c.state || ' by ' || {_HOLDER} || CASE
            WHEN o.id IS NULL THEN ', which is no order'
            WHEN o.state = 'cancelled' THEN ', a cancelled order'
            ELSE ', whose service is terminated' END
        FROM address_claim c LEFT JOIN prefix p ON p.id = c.scope
        LEFT JOIN client_order o ON o.id = c.holder LEFT JOIN service s ON s."order" = c.holder
        WHERE c.state IN ('held', 'assigned')
        AND (o.id IS NULL OR o.state = 'cancelled' OR s.state = 'terminated')""",
    "claim_of_another_client": f"""
        SELECT {_CLAIM}, 'is written down for ' || coalesce(a.email, c.client::text)
            || ', its order #' || o.number || ' is of ' || b.email
        FROM address_claim c JOIN client_order o ON o.id = c.holder
        LEFT JOIN account a ON a.id = c.client JOIN account b ON b.id = o.account
        LEFT JOIN prefix p ON p.id = c.scope WHERE c.client <> o.account""",
    "service_without_address": """
        SELECT s.hostname, s.state || ' and without an IPv4 address (order #' || o.number || ')'
        FROM service s JOIN client_order o ON o.id = s."order"
        WHERE s.state IN ('active', 'suspended') AND NOT EXISTS (
            SELECT FROM address_claim c WHERE c.holder = s."order" AND c.kind = 'ip4'
            AND c.state = 'assigned')""",
    "name_of_nobody": f"""
        SELECT host(n.address), 'is to be named ' || n.hostname || ' and is had by nobody ('
            || {_CLAIM} || ' is ' || c.state || ')'
        FROM reverse_name n JOIN address_claim c ON c.id = n.claim
        LEFT JOIN prefix p ON p.id = c.scope
        WHERE n.hostname IS NOT NULL AND (
            NOT (c.state = 'assigned' OR c.state = 'reserved' AND c.reason <> '')
        OR NOT n.address <<= claimed_network(c.kind, p.network, c.position))""",
    "prefix_in_leaf": """
        SELECT p.network::text, 'lies in ' || o.network || ', which is no container'
        FROM prefix p JOIN prefix o ON o.network >>= p.network AND o.id <> p.id
        AND o.vrf IS NOT DISTINCT FROM p.vrf AND o.status <> 'container'""",
    "reservation_outside_prefix": """
        SELECT p.network::text, 'the reservation for ' || coalesce(a.email, r.purpose) || ' ('
            || r.reason || ') does not lie in it, or it has parts'
        FROM address_reservation r JOIN prefix p ON p.id = r.prefix
        LEFT JOIN account a ON a.id = r.client
        WHERE p.status = 'container' OR r.last >= 2 ^ (
            CASE family(p.network) WHEN 4 THEN 32 ELSE 64 END - masklen(p.network))""",
    "claim_in_reservation": f"""
        SELECT {_CLAIM}, 'is had by ' || {_HOLDER} || ' and kept for another (' || r.reason || ')'
        FROM address_reservation r JOIN prefix p ON p.id = r.prefix
        JOIN address_claim c ON c.scope = r.prefix AND c.position BETWEEN r.first AND r.last
        LEFT JOIN client_order o ON o.id = c.holder
        WHERE c.state IN ('held', 'assigned')
        AND (r.client IS NULL OR c.client IS DISTINCT FROM r.client)
        AND c.claimed_at >= r.created_at
        AND (r.expires_at IS NULL OR c.claimed_at < r.expires_at)""",
}


async def audit_when_due(tx: Tx) -> AuditResult | None:
    """Audit by the clock; None, and nothing done, where another worker just did.

    So it is after an audit by hand a moment ago. The queue gives a tick to one worker, but not for
    sure: one that comes late, or whose clock is behind, may be given it again. Who comes while
    another is at it waits for its result.
    """
    await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended('address audit', 0))")
    last = await tx.fetchval("SELECT max(at) FROM address_audit")
    if last is not None and last > tx.now() - JUST_NOW:
        return None
    return await audit_addresses(tx)


async def audit_addresses(tx: Tx) -> AuditResult:
    """Return every drift, by kind and subject, and keep the result for the page.

    At most `MOST` of a kind. Cost: one statement a kind, each of which reads the claims once.
    Processes are asked how their index differs; what they find is added after the commit.
    """
    started = time.perf_counter()
    found = []
    for kind, sql in _CHECKS.items():
        rows = await tx.fetch(
            f"SELECT * FROM ({sql}) AS d (subject, says) ORDER BY 1, 2 LIMIT {MOST}"
        )
        found += [Drift(kind=kind, subject=row["subject"], says=row["says"]) for row in rows]
    result = AuditResult(
        id=new_id(),
        at=tx.now(),
        claims=await tx.fetchval("SELECT count(*) FROM address_claim"),
        took_ms=round((time.perf_counter() - started) * 1_000),
        drifts=len(found),
        found=tuple(found),
    )
    await tx.execute(
        "INSERT INTO address_audit (id, at, took_ms, claims, drifts, found) "
        "VALUES ($1, $2, $3, $4, $5, $6)",
        result.id,
        result.at,
        result.took_ms,
        result.claims,
        result.drifts,
        msgspec.json.encode(result.found).decode(),
    )
    await ask_processes(tx, result.id)
    return result


async def list_audits(
    tx: Tx, *, before: UUID | None = None, limit: int = 50
) -> tuple[AuditResult, ...]:
    """Return the latest audits, after the audit `before`, without what each found."""
    rows = await tx.fetch(
        "SELECT id, at, took_ms, claims, drifts, processes FROM address_audit "
        "WHERE $1::uuid IS NULL OR (at, id) < (SELECT at, id FROM address_audit WHERE id = $1) "
        "ORDER BY at DESC, id DESC LIMIT $2",
        before,
        limit,
    )
    return tuple(AuditResult(**dict(row)) for row in rows)


async def find_audit(tx: Tx, audit: UUID) -> AuditResult:
    """Return one audit with every drift that it named. Raises NotFound."""
    row = await tx.fetchrow(
        "SELECT id, at, took_ms, claims, drifts, processes, found FROM address_audit WHERE id = $1",
        audit,
    )
    if row is None:
        raise NotFound("audit", audit)
    found = msgspec.json.decode(row["found"], type=tuple[Drift, ...])
    return AuditResult(**dict(row) | {"found": found})
