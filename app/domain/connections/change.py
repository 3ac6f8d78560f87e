"""Change a connection: where it leads, how it is known there, its secrets. Its name stays."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.errors import Invalid, NotFound
from app.core.secrets import Vault
from app.domain.audit.record import record
from app.domain.connections.add import seal, shown
from app.domain.connections.errors import ConnectionChanged
from app.domain.connections.fields import secrets_of
from app.domain.connections.find import read_facts
from app.domain.connections.kinds import Facts, Kind
from app.domain.connections.read import Given, read
from app.drivers.http.target import parsed, same_origin

AGAIN = "Type it again: the connection leads elsewhere now, and it would be sent there."
_PLACES = (
    "host", "port", "host_keys", "auth", "auth_type", "login", "trust", "ca_pem", "pin",
    "provider", "settings",
)  # fmt: skip
"""Facts that decide who gets to see the secrets, beside addresses.

Of what a plug-in asks for nobody here knows what it does; nor of which driver reads them.
"""


async def change_connection(
    tx: Tx,
    vault: Vault,
    connection: UUID,
    *,
    typed: Mapping[str, str],
    seen_at: datetime,
    actor: UUID | None,
    actor_label: str,
) -> None:
    """Put other facts and secrets in place; secrets left empty stay, if it still leads there.

    Who may change a connection may not thereby read its secrets: they are asked for again when
    they would go to another place, or be shown to someone in between. `seen_at` is the
    `updated_at` of what was edited. Raises Invalid, ConnectionChanged, NotFound. Workers see it
    within seconds.
    """
    row = await tx.fetchrow(
        "SELECT name, kind, facts, sealed_secrets, updated_at FROM connection WHERE id = $1 "
        "FOR NO KEY UPDATE",
        connection,
    )
    if row is None:
        raise NotFound("connection", connection)
    if row["updated_at"] != seen_at:
        raise ConnectionChanged(connection)
    kind = Kind(row["kind"])
    before = Given(
        read_facts(kind, row["facts"]),
        msgspec.json.decode(vault.open(row["sealed_secrets"]), type=dict[str, str]),
    )
    after = read(kind, typed, kept=before.secrets)
    if _leads_elsewhere(before.facts, after.facts):
        _require_typed(kind, typed, after)
    await tx.execute(
        "UPDATE connection SET facts = $2, sealed_secrets = $3, updated_at = $4 WHERE id = $1",
        connection,
        msgspec.json.encode(after.facts).decode(),
        seal(vault, after),
        # Two changes within one tick of the clock must still differ.
        max(tx.now(), row["updated_at"] + row["updated_at"].resolution),
    )
    old, new = shown(before), shown(after)
    changed = [name for name in old | new if old.get(name) != new.get(name)]
    await record(
        tx,
        actor=actor,
        actor_label=actor_label,
        action="connection.changed",
        subject_kind="connection",
        subject=connection,
        before={name: old.get(name) for name in changed},
        after={name: new.get(name) for name in changed}
        | ({"secrets": "replaced"} if before.secrets != after.secrets else {}),
    )
    tx.publish("connections")


def _leads_elsewhere(before: Facts, after: Facts) -> bool:
    for name in _PLACES:
        if getattr(before, name, None) != getattr(after, name, None):
            return True
    return any(
        _moved(getattr(before, name, ""), getattr(after, name, ""))
        for name in ("base_url", "token_url", "auth_url", "panel_url")
    )


def _moved(before: str, after: str) -> bool:
    if not before or not after:
        return before != after
    return not same_origin(parsed(before, "before"), parsed(after, "after"))


def _require_typed(kind: Kind, typed: Mapping[str, str], after: Given) -> None:
    faults = {
        field.name: AGAIN
        for field in secrets_of(kind, typed)
        if field.name in after.secrets and not typed.get(field.name, "").strip()
    }
    if faults:
        raise Invalid(faults)
