"""Burn-ins: who may be burned in, where a server goes from there, and what stays written down."""

from typing import Any
from uuid import UUID

import msgspec
import pytest

from app.core.database import Tx
from app.core.errors import Invalid, NotFound
from app.core.ids import new_id
from app.core.secrets import Vault, new_key
from app.domain.inventory.arrive import import_servers
from app.domain.inventory.burn_in import (
    BURNABLE,
    MOST_MINUTES,
    begin_burn_in,
    burn_ins_of,
    find_burn_in,
)
from app.domain.inventory.burn_in_states import BurnInState
from app.domain.inventory.confirm import begin_provisioning
from app.domain.inventory.end_burn_in import note_passed, note_stopped, stop_burn_in
from app.domain.inventory.errors import (
    BurnInUnderWay,
    NoBmc,
    NoBurnIn,
    NoServer,
    ServerAtCloud,
    ServerNotAllowed,
)
from app.domain.inventory.find import find_server
from app.domain.inventory.maintain import begin_maintenance, end_maintenance
from app.domain.inventory.put_back import accept, await_erasure, note_erased
from app.domain.inventory.quarantine import due_rechecks, quarantine
from app.domain.inventory.release import release
from app.domain.inventory.remove import remove_server
from app.domain.inventory.reserve import reserve
from app.domain.inventory.states import TAKEN, ServerState
from app.solver.want import ServerWant
from tests.inventory.hall import BMC, an_order, begin_installation, furnish, machine
from tests.inventory.test_lifecycle import outbox

STAFF: dict[str, Any] = {"actor": None, "actor_label": "staff@slipway.test"}
ANY = ServerWant()


async def one(tx: Tx, state: str = "available", **facts: Any) -> UUID:
    server = (await furnish(tx, machine(1, **facts)))["m001"]
    await tx.execute("UPDATE server SET state = $2 WHERE id = $1", server, state)
    return server


async def begin(tx: Tx, server: UUID, minutes: int = 60) -> UUID:
    return await begin_burn_in(tx, server, minutes=minutes, reason="new fans", **STAFF)


async def stands(tx: Tx, server: UUID) -> tuple[str, str]:
    seen = await find_server(tx, server)
    return seen.state, seen.state_reason


async def test_a_server_that_is_burned_in_is_not_for_sale_until_it_passed(tx: Tx) -> None:
    server = await one(tx)
    burn_in = await begin(tx, server)
    assert await stands(tx, server) == ("inspecting", "It is burned in: new fans")
    with pytest.raises(NoServer):
        await reserve(tx, ANY, holder=await an_order(tx), expires_at=None)
    (event,) = await outbox(tx, "server.burn_in")
    assert (event["server"], event["burn_in"], event["minutes"]) == (str(server), str(burn_in), 60)
    before = len(await outbox(tx, "stock.appeared"))
    await tx.execute("UPDATE burn_in SET hottest_celsius = 81 WHERE id = $1", burn_in)
    await note_passed(tx, burn_in, actor_label="flow server-burn-in")
    await note_passed(tx, burn_in, actor_label="flow server-burn-in")
    assert await stands(tx, server) == ("available", "")
    assert len(await outbox(tx, "stock.appeared")) == before + 1, "who waits for stock is told"
    (kept,) = await burn_ins_of(tx, server)
    assert (kept.state, kept.minutes, kept.asked_as) == ("passed", 60, "staff@slipway.test")
    assert kept.ended_at == tx.now()
    trail = await tx.fetchval(
        "SELECT reason FROM audit_entry WHERE action = 'inventory.pass_burn_in'"
    )
    assert trail == "0 parts bore 60 min of load; 81 °C at the hottest"


@pytest.mark.parametrize("state", ServerState)
async def test_only_what_nobody_has_is_burned_in(tx: Tx, state: ServerState) -> None:
    server = await one(tx, "enrolled")
    holder = new_id() if state in TAKEN else None
    await tx.execute(
        "UPDATE server SET state = $2, holder = $3 WHERE id = $1", server, state, holder
    )
    if state in BURNABLE:
        await begin(tx, server)
        assert (await stands(tx, server))[0] == "inspecting"
        with pytest.raises(BurnInUnderWay):
            await begin(tx, server)
    else:
        with pytest.raises(ServerNotAllowed):
            await begin(tx, server)


async def test_what_cannot_be_booted_or_asked_for_is_refused(tx: Tx) -> None:
    server = await one(tx)
    for minutes in (0, MOST_MINUTES + 1):
        with pytest.raises(Invalid):
            await begin(tx, server, minutes)
    with pytest.raises(NotFound):
        await begin(tx, new_id())
    await tx.execute(
        "INSERT INTO metal_node (id, server, connection, node) VALUES ($1, $2, 'm', 'n')",
        new_id(),
        server,
    )
    with pytest.raises(ServerAtCloud):
        await begin(tx, server)
    await tx.execute("DELETE FROM bmc")
    with pytest.raises(NoBmc):
        await begin(tx, server)
    assert (await stands(tx, server))[0] == "available"


@pytest.mark.parametrize(
    ("came_from", "to", "reason"),
    [
        ("available", "available", ""),
        ("quarantined", "quarantined", "fans dead"),
        ("maintenance", "maintenance", "fans dead"),
        ("failed", "failed", "fans dead"),
        ("enrolled", "inspecting", "Its burn-in was stopped: needed now"),
    ],
)
async def test_one_that_is_stopped_goes_back_to_where_it_was(
    tx: Tx, came_from: str, to: str, reason: str
) -> None:
    server = await one(tx, came_from)
    await tx.execute("UPDATE server SET state_reason = 'fans dead' WHERE id = $1", server)
    burn_in = await begin(tx, server)
    assert await stop_burn_in(tx, server, reason="needed now", **STAFF) is None
    assert await stands(tx, server) == (to, reason)
    found = await find_burn_in(tx, burn_in)
    assert (found.state, found.error) == (BurnInState.stopped, "needed now")
    with pytest.raises(NoBurnIn):
        await stop_burn_in(tx, server, reason="again", **STAFF)
    await note_stopped(tx, burn_in, "late")
    assert (await find_burn_in(tx, burn_in)).error == "needed now"
    if to == "inspecting":
        await accept(tx, server, reason="looks well", **STAFF)
        assert (await stands(tx, server))[0] == "available"


async def test_meanwhile_nothing_else_is_done_to_it(tx: Tx) -> None:
    server = await one(tx)
    await begin(tx, server)
    for verb in (accept, begin_maintenance, remove_server):
        with pytest.raises(BurnInUnderWay):
            await verb(tx, server, reason="x", **STAFF)
    assert (await stands(tx, server))[0] == "inspecting"


async def test_what_failed_stays_aside_until_a_person_sees_to_it(tx: Tx) -> None:
    server = await one(tx)
    burn_in = await begin(tx, server)
    await quarantine(tx, server, "Memory: 3 uncorrectable memory errors")
    assert await stands(tx, server) == ("quarantined", "Memory: 3 uncorrectable memory errors")
    found = await find_burn_in(tx, burn_in)
    assert (found.state, found.error) == ("failed", "Memory: 3 uncorrectable memory errors")
    (notice,) = await outbox(tx, "admin.notice")
    assert "Mend what its burn-in found, and burn it in again." in notice["text"]
    recheck = await tx.fetchval("SELECT recheck_at FROM server WHERE id = $1", server)
    assert (recheck, await due_rechecks(tx)) == (None, [])
    again = await begin(tx, server)
    await note_passed(tx, again, actor_label="flow")
    assert await stands(tx, server) == ("available", "")
    assert [past.state for past in await burn_ins_of(tx, server)] == ["passed", "failed"]


async def test_a_clients_data_are_erased_afterwards(tx: Tx) -> None:
    server = await one(tx, "quarantined")
    await tx.execute("UPDATE server SET may_hold_data = true WHERE id = $1", server)
    await note_passed(tx, await begin(tx, server), actor_label="flow")
    assert (await stands(tx, server))[0] == "cleaning"
    assert len(await outbox(tx, "server.cleaning")) == 1


async def test_by_the_settings_a_server_that_came_back_is_burned_in_once(tx: Tx) -> None:
    await furnish(tx, machine(1))
    order = await an_order(tx)
    held = await reserve(tx, ANY, holder=order, expires_at=None)
    await begin_provisioning(tx, order)
    await begin_installation(tx, order, held.id)
    await release(tx, order)
    terms = {"actor_label": "flow", "how": "zeros"}
    await note_erased(tx, held.id, burn_in_minutes=90, **terms)
    assert (await stands(tx, held.id))[0] == "inspecting"
    (past,) = await burn_ins_of(tx, held.id)
    assert (past.minutes, past.came_from) == (90, "cleaning")
    await tx.execute("UPDATE installation SET created_at = created_at - interval '1 day'")
    await note_passed(tx, past.id, actor_label="flow")
    assert (await stands(tx, held.id))[0] == "available"
    await begin_maintenance(tx, held.id, reason="dust", **STAFF)
    await tx.execute("UPDATE server SET may_hold_data = true WHERE id = $1", held.id)
    await end_maintenance(tx, held.id, reason="clean", **STAFF)
    await note_erased(tx, held.id, burn_in_minutes=90, **terms)
    assert (await stands(tx, held.id))[0] == "available", "it passed since it served last"


async def test_by_the_settings_a_new_server_is_burned_in_before_its_first_sale(tx: Tx) -> None:
    await furnish(tx)
    vault = Vault([new_key()])
    row = {
        "name": "n1", "serial": "N1", "datacentre": "ams1", "rack": "R1", "u_position": "20",
        "cpu_model": "Xeon", "ram_gb": "32", "mac": "02:00:00:00:dd:01", "bmc_url": BMC.url,
        "bmc_username": "root", "bmc_password": "calvin",
    }  # fmt: skip
    waits = row | {"name": "n2", "serial": "N2", "mac": "02:00:00:00:dd:02", "u_position": "22"}
    raw = msgspec.json.encode([row, waits | {"in_stock": "no"}])
    await import_servers(tx, vault, raw, dry_run=False, burn_in_minutes=30, **STAFF)
    ids = {r["name"]: r["id"] for r in await tx.fetch("SELECT id, name FROM server")}
    assert (await stands(tx, ids["n1"]))[0] == "inspecting"
    assert (await stands(tx, ids["n2"]))[0] == "enrolled"
    to = await accept(tx, ids["n2"], reason="racked", burn_in_minutes=30, **STAFF)
    assert to is ServerState.inspecting
    assert len(await outbox(tx, "server.burn_in")) == 2
    (past,) = await burn_ins_of(tx, ids["n2"])
    await note_passed(tx, past.id, actor_label="flow")
    assert (await stands(tx, ids["n2"]))[0] == "available"


async def test_a_new_server_that_failed_can_be_sent_back(tx: Tx) -> None:
    server = await one(tx)
    burn_in = await begin(tx, server)
    await tx.execute(
        "INSERT INTO installation (id, server, purpose, burn_in, step_key, token_hash, "
        "sealed_spec, state, created_at, updated_at) "
        "VALUES ($1, $2, 'burn-in', $3, 'k', 'h', 's', 'failed', $4, $4)",
        new_id(), server, burn_in, tx.now(),
    )  # fmt: skip
    await quarantine(tx, server, "Memory: it is broken")
    await remove_server(tx, server, reason="sent back", **STAFF)
    with pytest.raises(NotFound):
        await find_server(tx, server)


async def test_what_waits_to_be_erased_is_not_burned_in_first(tx: Tx) -> None:
    server = await one(tx, "quarantined")
    await tx.execute("UPDATE server SET may_hold_data = true WHERE id = $1", server)
    await await_erasure(tx, server)
    with pytest.raises(ServerNotAllowed):
        await begin(tx, server)
