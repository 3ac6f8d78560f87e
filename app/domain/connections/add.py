"""Add a connection."""

from collections.abc import Mapping
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.errors import Invalid
from app.core.ids import new_id
from app.core.secrets import Vault
from app.domain.audit.record import record
from app.domain.connections.kinds import Kind
from app.domain.connections.read import Given, read, read_name


async def add_connection(
    tx: Tx,
    vault: Vault,
    *,
    name: str,
    kind: Kind,
    typed: Mapping[str, str],
    actor: UUID | None,
    actor_label: str,
) -> UUID:
    """Keep a connection under a name that flows will call it by; its secrets are sealed.

    `typed` is text by field, see `fields.py`. Raises Invalid.
    """
    faults: dict[str, str] = {}
    try:
        name = read_name(name)
    except Invalid as invalid:
        faults |= invalid.fields
    try:
        given = read(kind, typed)
    except Invalid as invalid:
        raise Invalid(faults | invalid.fields) from invalid
    if faults:
        raise Invalid(faults)
    made: UUID | None = await tx.fetchval(
        "INSERT INTO connection (id, name, kind, facts, sealed_secrets, created_at, updated_at) "
        "VALUES ($1, $2, $3, $4, $5, $6, $6) ON CONFLICT (name) DO NOTHING RETURNING id",
        new_id(),
        name,
        kind,
        msgspec.json.encode(given.facts).decode(),
        seal(vault, given),
        tx.now(),
    )
    if made is None:
        raise Invalid({"name": f"There is a connection {name} already; take another name."})
    await record(
        tx,
        actor=actor,
        actor_label=actor_label,
        action="connection.added",
        subject_kind="connection",
        subject=made,
        before={},
        after={"name": name, "kind": kind, **shown(given)},
    )
    tx.publish("connections")
    return made


def seal(vault: Vault, given: Given) -> bytes:
    return vault.seal(msgspec.json.encode(given.secrets).decode())


def shown(given: Given) -> dict[str, object]:
    """Return the facts as the audit trail keeps them: certificates by their beginning."""
    facts: dict[str, object] = msgspec.to_builtins(given.facts)
    return {
        name: value[:80] + "…" if isinstance(value, str) and len(value) > 80 else value
        for name, value in facts.items()
    }
