"""What providers say of all their machines: written down, compared, and nothing else done.

A provider that does not answer says nothing of any machine: none is taken as gone.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.ids import new_id
from app.core.outbox import emit
from app.domain.connections.rounds import Rounds
from app.domain.games.note import note_listed
from app.domain.machines.held import HELD, NOUNS, TABLES
from app.domain.machines.judge import Drift, There, power_of
from app.domain.machines.reading import Known, Owner, Seen, compare, strays
from app.drivers.game.contract import GameServer
from app.drivers.hypervisor.contract import VmPower

DOORBELL = "doorbell:machines"
TOPIC = "machines"
"""Of the page that shows what differs."""
PERIOD = timedelta(seconds=60)
"""How often a provider is asked, or up to a fifth earlier."""
LONGEST = timedelta(minutes=5)
"""How often one that is silent is asked at least."""
CONFIRMED = timedelta(seconds=40)
"""A difference is shown once a reading that much later says the same."""
ALARM = timedelta(minutes=5)
"""A silence of that length is told to the staff."""
FOREIGN_SHOWN = 50
MACHINES = tuple(TABLES)
"""The kinds of connections that are asked."""
NOTHING_SHOWN = (
    "it shows no {noun} at all, and services have {count} there: look what its credentials may see"
)
_NOTED = {"machine": "m.power_seen_at", "game_server": "m.seen_at"}
"""By table, when a flow last noted what is there."""
_SEEN = {
    "machine": "",
    "game_server": "power_seen_at = CASE WHEN m.power = x.power THEN m.power_seen_at ELSE $7 END, ",
}
"""By table, what is written of when power was seen: of a game server, with what changes."""
UNDER_WAY = (
    'EXISTS (SELECT FROM run r WHERE r.subject IN (s.id, s."order") AND r.finished_at IS NULL '
    "AND r.status <> 'halted')"
)
ROUNDS = Rounds(
    table="provider_watch",
    kinds=MACHINES,
    topic=TOPIC,
    doorbell=DOORBELL,
    period=PERIOD,
    longest=LONGEST,
    alarm=ALARM,
)
take_due, ask_now = ROUNDS.take_due, ROUNDS.ask_now


async def forget_removed(tx: Tx) -> None:
    """Forget what was known of providers whose connection was removed."""
    await ROUNDS.forget_removed(tx, "stray_machine")


async def note_silence(tx: Tx, connection: str, words: str) -> None:
    """Write down that a provider did not answer, and why. Of its machines nothing is known.

    Pages of their services are told when it begins; staff once it has lasted.
    """
    if await ROUNDS.note_silence(tx, connection, words):
        await _tell_all(tx, connection)


async def note_reading(
    tx: Tx, connection: str, vms: Sequence[There], *, began_at: datetime
) -> None:
    """Compare what a provider shows with what services have there, and write down what changed.

    About six statements, for any number of machines. One that shows nothing where services have
    machines is taken for silent: its credentials may see less than before.
    """
    watch = await tx.fetchrow(
        "SELECT w.heard_at, w.silent_since, c.kind FROM provider_watch w "
        "JOIN connection c ON c.name = w.connection WHERE w.connection = $1 "
        "FOR NO KEY UPDATE OF w",
        connection,
    )
    if watch is None or watch["kind"] not in MACHINES:
        return
    table, noun = TABLES[watch["kind"]], NOUNS[watch["kind"]]
    known = await _known(tx, connection, table)
    made = sum(one.made_at is not None for one in known)
    if made and not vms:
        await note_silence(tx, connection, NOTHING_SHOWN.format(noun=noun, count=made))
        return
    compared = compare(known, vms, began_at=began_at, now=tx.now())
    await _write(tx, compared.changed, table)
    servers = [one for one in vms if isinstance(one, GameServer) and one.service is not None]
    if servers:
        await note_listed(tx, connection, servers, began_at=began_at)
    owners = await _owners(tx, [vm for vm in compared.unclaimed if vm.service is not None])
    is_other = await _keep_strays(tx, connection, strays(compared.unclaimed, owners))
    shown = [
        {"number": vm.id, "node": vm.node, "name": vm.name, "power": _told(vm)}
        for vm in compared.foreign[:FOREIGN_SHOWN]
    ]
    await tx.execute(
        "UPDATE provider_watch SET heard_at = $2, silent_since = NULL, silence = '', "
        "machines = $3, foreign_machines = $4, foreign_sample = $5 WHERE connection = $1",
        connection,
        tx.now(),
        len(vms) - len(compared.foreign),
        len(compared.foreign),
        msgspec.json.encode(shown).decode(),
    )
    gone = await _just_confirmed(tx, connection, table, watch["heard_at"])
    if gone:
        await _tell_staff(tx, connection, gone, noun)
    if watch["silent_since"] is not None:
        await _tell_all(tx, connection)
        key = f"provider.answers:{connection}:{tx.now().isoformat()}"
        await emit(tx, "provider.answers", key, {"connection": connection})
    for one in compared.changed:
        tx.publish(f"service:{one.service}", f"order:{one.order}")
    if compared.changed or is_other or gone or watch["silent_since"] is not None:
        tx.publish(TOPIC)


def _told(vm: There) -> VmPower:
    return power_of(vm) or VmPower.UNKNOWN


async def _known(tx: Tx, connection: str, table: str) -> list[Known]:
    rows = await tx.fetch(
        'SELECT m.service, s."order", s.hostname, m.number, m.node, m.power, '
        "nullif(m.drift, '') AS drift, m.drift_since, m.made_at, "
        f"{_NOTED[table]} AS noted_at, s.state, s.state_since, {UNDER_WAY} AS is_under_way "
        f"FROM {table} m "
        "JOIN service s ON s.id = m.service WHERE m.connection = $1 AND m.removed_at IS NULL "
        "ORDER BY m.id FOR NO KEY UPDATE OF m",
        connection,
    )
    return [msgspec.convert(dict(row), Known) for row in rows]


async def _write(tx: Tx, changed: Sequence[Seen], table: str) -> None:
    if not changed:
        return
    await tx.execute(
        f"UPDATE {table} m SET number = x.number, node = x.node, power = x.power, {_SEEN[table]}"
        "drift = x.drift, drift_since = x.drift_since FROM unnest($1::uuid[], $2::text[], "
        "$3::text[], $4::text[], $5::text[], $6::timestamptz[]) "
        "AS x (service, number, node, power, drift, drift_since) WHERE m.service = x.service",
        [one.service for one in changed],
        [one.number for one in changed],
        [one.node for one in changed],
        [one.power for one in changed],
        [one.drift or "" for one in changed],
        [one.drift_since for one in changed],
        *([tx.now()] if _SEEN[table] else []),
    )


async def _owners(tx: Tx, vms: Sequence[There]) -> dict[UUID, Owner]:
    if not vms:
        return {}
    rows = await tx.fetch(
        "SELECT s.id AS service, s.state, m.id IS NOT NULL AND m.removed_at IS NULL AS has_plan, "
        f"{UNDER_WAY} AS is_under_way FROM service s LEFT JOIN {HELD} m ON m.service = s.id "
        "WHERE s.id = ANY($1)",
        [vm.service for vm in vms],
    )
    return {row["service"]: msgspec.convert(dict(row), Owner) for row in rows}


async def _keep_strays(tx: Tx, connection: str, found: Sequence[There]) -> bool:
    """Keep which strays there are; returns whether they are others than before."""
    went = await tx.execute(
        "DELETE FROM stray_machine WHERE connection = $1 AND NOT EXISTS (SELECT FROM "
        "unnest($2::text[], $3::uuid[]) AS x (number, mark) "
        "WHERE x.number = stray_machine.number AND x.mark = stray_machine.service)",
        connection,
        [vm.id for vm in found],
        [vm.service for vm in found],
    )
    came = await tx.execute(
        "INSERT INTO stray_machine AS t (id, connection, number, node, name, power, service, "
        "first_seen_at) SELECT x.id, $1, x.number, x.node, x.name, x.power, x.mark, $8 FROM "
        "unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::uuid[]) "
        "AS x (id, number, node, name, power, mark) ON CONFLICT (connection, number) DO UPDATE "
        "SET node = excluded.node, name = excluded.name, power = excluded.power "
        "WHERE (t.node, t.name, t.power) <> (excluded.node, excluded.name, excluded.power)",
        connection,
        [new_id() for _ in found],
        [vm.id for vm in found],
        [vm.node for vm in found],
        [vm.name for vm in found],
        [_told(vm) for vm in found],
        [vm.service for vm in found],
        tx.now(),
    )
    return went != "DELETE 0" or came != "INSERT 0 0"


async def _just_confirmed(
    tx: Tx, connection: str, table: str, heard_at: datetime | None
) -> list[str]:
    """Return the host names of machines that are gone, as this reading is the first to confirm."""
    rows = await tx.fetch(
        f"SELECT s.hostname, m.drift FROM {table} m JOIN service s ON s.id = m.service "
        "WHERE m.connection = $1 AND m.removed_at IS NULL AND m.drift <> '' "
        "AND m.drift_since + $4::interval <= $2 "
        "AND ($3::timestamptz IS NULL OR m.drift_since + $4::interval > $3) ORDER BY 1",
        connection,
        tx.now(),
        heard_at,
        CONFIRMED,
    )
    if rows:
        tx.publish(TOPIC)
    return [row["hostname"] for row in rows if row["drift"] == Drift.gone]


async def _tell_staff(tx: Tx, connection: str, gone: Sequence[str], noun: str) -> None:
    key = f"machines.gone:{connection}:{tx.now().isoformat()}"
    names = ", ".join(gone[:20]) + (f" and {len(gone) - 20} more" if len(gone) > 20 else "")
    facts = {
        "title": f"{connection} has no {noun} of {len(gone)} services any more"
        if len(gone) > 1
        else f"{connection} has no {noun} of {gone[0]} any more",
        "text": f"Nothing was changed by itself. Its provider does not show: {names}.",
        "path": "/admin/machines",
    }
    await emit(tx, "admin.notice", key, facts)


async def _tell_all(tx: Tx, connection: str) -> None:
    """Tell the pages of all services with a machine there."""
    rows = await tx.fetch(
        f'SELECT s.id, s."order" FROM {HELD} m JOIN service s ON s.id = m.service '
        "WHERE m.connection = $1 AND m.removed_at IS NULL",
        connection,
    )
    for row in rows:
        tx.publish(f"service:{row['id']}", f"order:{row['order']}")
