"""Give back, put aside, put back: every way out of an order, and who is told."""

from typing import Any
from uuid import UUID

import asyncpg
import msgspec
import pytest

from app.core.clock import SetClock
from app.core.database import Database, Tx
from app.core.errors import NotFound
from app.core.ids import new_id
from app.core.secrets import Vault, new_key
from app.domain.inventory.bmc import rejection_of
from app.domain.inventory.confirm import activate, begin_provisioning
from app.domain.inventory.discover import ask_hardware
from app.domain.inventory.errors import ServerHasServed, ServerNotAllowed
from app.domain.inventory.find import find_server, server_of
from app.domain.inventory.maintain import begin_maintenance, end_maintenance
from app.domain.inventory.power import note_power
from app.domain.inventory.quarantine import (
    MOST_RECHECKS,
    due_rechecks,
    for_a_person,
    note_recheck,
    quarantine,
    release_from_quarantine,
)
from app.domain.inventory.register import register_inventory
from app.domain.inventory.release import finish_cleaning, release
from app.domain.inventory.remove import remove_server
from app.domain.inventory.reserve import reserve
from app.domain.inventory.states import TAKEN, TRANSITIONS, ServerState, move
from app.domain.inventory.stock import stock
from app.drivers.bmc.contract import peer_of
from app.drivers.power import Power
from app.solver.want import ServerWant
from tests.inventory.hall import an_order, begin_installation, furnish, hall, machine
from tests.services.hall import give_bmcs

ANY = ServerWant()
Terms = dict[str, Any]


async def outbox(tx: Tx, topic: str) -> list[dict[str, Any]]:
    rows = await tx.fetch("SELECT payload FROM outbox WHERE topic = $1 ORDER BY id", topic)
    return [msgspec.json.decode(row["payload"]) for row in rows]


async def state_of(tx: Tx, server: UUID) -> ServerState:
    return (await find_server(tx, server)).state


async def test_the_table_has_a_way_out_of_every_state_and_into_every_state() -> None:
    assert set(TRANSITIONS) == set(ServerState)
    assert all(ways for ways in TRANSITIONS.values())
    reached = frozenset[ServerState]().union(*TRANSITIONS.values())
    assert set(ServerState) - reached == {ServerState.enrolled}
    assert all(state in ServerState for state in TAKEN)


@pytest.mark.parametrize("came_from", ServerState)
async def test_a_server_moves_as_the_table_says_and_no_other_way(
    tx: Tx, came_from: ServerState
) -> None:
    ids = await furnish(tx, machine(1))
    server, holder = ids["m001"], new_id()
    for to in ServerState:
        await tx.execute(
            "UPDATE server SET state = $2, holder = $3, seq = 7 WHERE id = $1",
            server,
            came_from,
            holder if came_from in TAKEN else None,
        )
        # A hold is made by reserving alone, since it needs a holder.
        if to in TRANSITIONS[came_from] and to is not ServerState.held:
            seq = await move(tx, server, to, reason="because")
            seen = await find_server(tx, server)
            assert (seen.state, seen.state_reason, seen.seq) == (to, "because", seq)
            assert seen.holder == (holder if to in TAKEN else None)
            assert seq == (7 if to in TAKEN else 8)
        else:
            with pytest.raises(ServerNotAllowed) as caught:
                await move(tx, server, to)
            assert (caught.value.state, caught.value.wanted) == (came_from, to)
    with pytest.raises(NotFound):
        await move(tx, new_id(), ServerState.available)


async def test_a_hold_that_is_released_is_in_stock_again(tx: Tx) -> None:
    await furnish(tx, machine(1))
    order = await an_order(tx)
    held = await reserve(tx, ANY, holder=order, expires_at=None)
    await release(tx, order)
    await release(tx, order)
    assert await state_of(tx, held.id) is ServerState.available
    assert await stock(tx, {"any": ANY}) == {"any": 1}


async def test_a_server_on_which_nothing_was_installed_is_in_stock_again(tx: Tx) -> None:
    await furnish(tx, machine(1))
    order = await an_order(tx)
    held = await reserve(tx, ANY, holder=order, expires_at=None)
    await begin_provisioning(tx, order)
    await release(tx, order)
    assert await state_of(tx, held.id) is ServerState.available


async def test_a_server_with_a_clients_data_waits_until_it_is_erased(tx: Tx) -> None:
    await furnish(tx, machine(1))
    order, staff = await an_order(tx), new_id()
    held = await reserve(tx, ANY, holder=order, expires_at=None)
    await begin_provisioning(tx, order)
    await begin_installation(tx, order, held.id)
    before = len(await outbox(tx, "stock.appeared"))
    await release(tx, order)
    await release(tx, order)
    seen = await find_server(tx, held.id)
    assert (seen.state, seen.holder) == (ServerState.cleaning, None)
    assert "Erase" in seen.state_reason
    assert await server_of(tx, order) is None
    assert len(await outbox(tx, "stock.appeared")) == before
    await finish_cleaning(tx, held.id, actor=staff, actor_label="staff", reason="wiped")
    assert await state_of(tx, held.id) is ServerState.available
    assert len(await outbox(tx, "stock.appeared")) == before + 1
    line = await tx.fetchrow("SELECT * FROM audit_entry WHERE subject = $1", held.id)
    assert line is not None
    assert (line["actor"], line["action"], line["reason"]) == (
        staff,
        "inventory.finish_cleaning",
        "wiped",
    )
    with pytest.raises(ServerNotAllowed):
        await finish_cleaning(tx, held.id, actor=staff, actor_label="staff")


async def test_an_active_server_is_cleaned_even_without_an_installation_of_ours(tx: Tx) -> None:
    await furnish(tx, machine(1))
    order = await an_order(tx)
    held = await reserve(tx, ANY, holder=order, expires_at=None)
    await begin_provisioning(tx, order)
    await activate(tx, order)
    await release(tx, order)
    assert await state_of(tx, held.id) is ServerState.cleaning


async def test_every_return_to_stock_wakes_who_waits(tx: Tx) -> None:
    ids = await furnish(tx, machine(1))
    server = ids["m001"]
    for _ in range(3):
        await reserve(tx, ANY, holder=(order := new_id()), expires_at=None)
        await release(tx, order)
    await move(tx, server, ServerState.maintenance)
    await move(tx, server, ServerState.available)
    await quarantine(tx, server, "fans")
    await release_from_quarantine(tx, server, actor=None, actor_label="test")
    # registered, three times released, mended, put back
    assert await outbox(tx, "stock.appeared") == [{"server": str(server)}] * 6


async def test_who_puts_a_server_back_has_its_credentials_tried_again(tx: Tx, vault: Vault) -> None:
    ids = await furnish(tx, machine(1))
    server = ids["m001"]
    await tx.execute("DELETE FROM bmc")
    await give_bmcs(tx, vault)
    url = await tx.fetchval("SELECT url FROM bmc")
    await tx.execute(
        "INSERT INTO bmc_rejection (id, peer, username, sealed_credentials, words, rejected_at) "
        "VALUES ($1, $2, 'admin', $3, 'no', $4)",
        new_id(),
        peer_of(url),
        vault.seal("admin\0secret"),
        tx.now(),
    )
    await quarantine(tx, server, "it rejected the password")
    assert await rejection_of(tx, vault, server) is not None
    await release_from_quarantine(tx, server, actor=None, actor_label="test")
    assert await rejection_of(tx, vault, server) is None


async def test_a_failing_server_is_put_aside_and_the_order_gets_another(tx: Tx) -> None:
    await furnish(tx, machine(1), machine(2))
    order = await an_order(tx)
    first = await reserve(tx, ANY, holder=order, expires_at=None)
    await begin_provisioning(tx, order)
    await quarantine(tx, first.id, "no answer from the BMC")
    await quarantine(tx, first.id, "something else")
    seen = await find_server(tx, first.id)
    assert (seen.state, seen.holder, seen.state_reason) == (
        ServerState.quarantined,
        None,
        "no answer from the BMC",
    )
    second = await reserve(tx, ANY, holder=order, expires_at=None)
    assert second.id != first.id
    (notice,) = await outbox(tx, "admin.notice")
    assert notice["subject"] == str(first.id)
    assert first.name in notice["title"]
    assert "no answer from the BMC" in notice["text"]
    line = await tx.fetchrow("SELECT * FROM audit_entry WHERE subject = $1", first.id)
    assert line is not None
    assert (line["actor"], line["actor_label"]) == (None, "system")
    await release(tx, order)
    assert await state_of(tx, first.id) is ServerState.quarantined


def test_what_was_not_looked_at_is_not_said_to_have_been_in_vain() -> None:
    """As of a server that a burn-in took out of quarantine and gave back."""
    assert for_a_person(ServerState.provisioning, 0) == "It waits for a person."
    assert "looked at 10 times" in for_a_person(ServerState.provisioning, MOST_RECHECKS)
    assert "burn it in again" in for_a_person(ServerState.inspecting, 0)


async def test_when_it_was_looked_at_in_vain_for_long_a_person_is_told(
    tx: Tx, clock: SetClock
) -> None:
    """The longer it fails the later, and then no more; nor when it fails anew."""
    (server,) = (await furnish(tx, machine(1))).values()
    await quarantine(tx, server, "no answer from the BMC")
    for number in range(MOST_RECHECKS):
        clock.advance(minutes=15 * 2**number)
        assert await due_rechecks(tx) == [server]
        assert await due_rechecks(tx) == []
        clock.advance(minutes=15)
        assert await due_rechecks(tx) == [server], "who was to look died"
        assert len(await outbox(tx, "admin.notice")) == 1
        await note_recheck(tx, server, "still no answer")
    clock.advance(days=365)
    assert await due_rechecks(tx) == []
    _, last = await outbox(tx, "admin.notice")
    assert last["title"] == "Server m001 stays in quarantine"
    assert last["text"].startswith("still no answer. It was looked at 10 times")
    await release_from_quarantine(tx, server, actor=None, actor_label="test")
    await quarantine(tx, server, "no answer again")
    *_, again = await outbox(tx, "admin.notice")
    assert "looked at again by itself" not in again["text"]


@pytest.mark.parametrize("state", sorted(set(ServerState) - {ServerState.quarantined}))
async def test_a_server_can_be_put_aside_from_any_state(tx: Tx, state: ServerState) -> None:
    ids = await furnish(tx, machine(1))
    server = ids["m001"]
    holder = new_id() if state in TAKEN else None
    await tx.execute(
        "UPDATE server SET state = $2, holder = $3 WHERE id = $1", server, state, holder
    )
    await quarantine(tx, server, "smoke")
    assert await state_of(tx, server) is ServerState.quarantined
    await release_from_quarantine(tx, server, actor=None, actor_label="test")
    held_data = state in {ServerState.active, ServerState.releasing, ServerState.cleaning}
    assert await state_of(tx, server) is (
        ServerState.cleaning if held_data else ServerState.available
    )
    with pytest.raises(ServerNotAllowed):
        await release_from_quarantine(tx, server, actor=None, actor_label="test")


@pytest.mark.parametrize("by_way_of_maintenance", [False, True])
async def test_a_server_put_aside_in_an_installation_is_cleaned_before_it_is_sold_again(
    tx: Tx, by_way_of_maintenance: bool
) -> None:
    await furnish(tx, machine(1))
    order = await an_order(tx)
    held = await reserve(tx, ANY, holder=order, expires_at=None)
    await begin_provisioning(tx, order)
    await begin_installation(tx, order, held.id)
    await quarantine(tx, held.id, "no word from the machine")
    before = len(await outbox(tx, "stock.appeared"))
    staff: dict[str, Any] = {"actor": None, "actor_label": "staff", "reason": "looked at"}
    if by_way_of_maintenance:
        await begin_maintenance(tx, held.id, **staff)
        await end_maintenance(tx, held.id, **staff)
    else:
        await release_from_quarantine(tx, held.id, **staff)
    seen = await find_server(tx, held.id)
    assert (seen.state, seen.holder) == (ServerState.cleaning, None)
    assert "Erase" in seen.state_reason
    assert len(await outbox(tx, "stock.appeared")) == before
    written = await tx.fetchval(
        "SELECT after->>'state' FROM audit_entry WHERE subject = $1 ORDER BY id DESC LIMIT 1",
        held.id,
    )
    assert written == ServerState.cleaning
    await finish_cleaning(tx, held.id, actor=None, actor_label="staff")
    assert await state_of(tx, held.id) is ServerState.available
    # What was erased is no reason to erase again.
    await quarantine(tx, held.id, "fans")
    await release_from_quarantine(tx, held.id, actor=None, actor_label="staff")
    assert await state_of(tx, held.id) is ServerState.available


async def test_a_server_whose_disks_were_not_erased_cannot_be_in_stock(tx: Tx) -> None:
    ids = await furnish(tx, machine(1))
    with pytest.raises(asyncpg.CheckViolationError):
        async with tx.savepoint():
            await tx.execute("UPDATE server SET may_hold_data = true WHERE id = $1", ids["m001"])


async def test_what_is_not_there_cannot_be_put_aside(tx: Tx) -> None:
    with pytest.raises(NotFound):
        await quarantine(tx, new_id(), "smoke")
    with pytest.raises(NotFound):
        await release_from_quarantine(tx, new_id(), actor=None, actor_label="test")


async def test_power_is_noted_and_told_when_it_changes(database: Database, clock: SetClock) -> None:
    async with database.transaction() as tx:
        server = (await furnish(tx, machine(1)))["m001"]
    for power, told in ((Power.ON, True), (Power.ON, False), (Power.OFF, True)):
        clock.advance(seconds=30)
        async with database.transaction() as tx:
            await note_power(tx, server, power)
            assert (f"server:{server}" in tx.topics) is told
            seen = await find_server(tx, server)
            assert (seen.power, seen.power_seen_at) == (power, tx.now())
            assert seen.state is ServerState.available
            with pytest.raises(NotFound):
                await note_power(tx, new_id(), power)


async def test_a_failed_registration_is_removed_with_all_its_parts(tx: Tx) -> None:
    """So that the same machine can be written down again, as it is."""
    ids = await furnish(tx, machine(1), machine(2))
    await ask_hardware(tx, ids["m001"])
    await tx.execute("UPDATE server SET state = 'failed' WHERE id = $1", ids["m001"])
    terms: Terms = {"reason": "wrong BMC", "actor": None, "actor_label": "staff"}
    await remove_server(tx, ids["m001"], **terms)
    with pytest.raises(NotFound):
        await find_server(tx, ids["m001"])
    for table in ("bmc", "disk", "port", "hardware_report"):
        left = await tx.fetchval(f"SELECT count(*) FROM {table} WHERE server = $1", ids["m001"])
        assert left == 0, table
    line = await tx.fetchrow("SELECT * FROM audit_entry WHERE subject = $1", ids["m001"])
    assert line is not None
    assert (line["action"], line["reason"]) == ("inventory.remove", "wrong BMC")
    again = await register_inventory(tx, Vault([new_key()]), hall([machine(1)]))
    assert again["m001"] not in ids.values()
    with pytest.raises(NotFound):
        await remove_server(tx, ids["m001"], **terms)


async def test_a_server_is_not_removed_from_an_order_nor_from_history(tx: Tx) -> None:
    await furnish(tx, machine(1))
    order = await an_order(tx)
    held = await reserve(tx, ANY, holder=order, expires_at=None)
    terms: Terms = {"reason": "scrap", "actor": None, "actor_label": "staff"}
    with pytest.raises(ServerNotAllowed, match="held and cannot become removed"):
        await remove_server(tx, held.id, **terms)
    await begin_provisioning(tx, order)
    await begin_installation(tx, order, held.id)
    await release(tx, order)
    with pytest.raises(ServerNotAllowed, match="cleaning"):
        await remove_server(tx, held.id, **terms)
    await finish_cleaning(tx, held.id, actor=None, actor_label="staff", reason="wiped")
    with pytest.raises(ServerHasServed, match="maintenance for good"):
        await remove_server(tx, held.id, **terms)
    assert (await find_server(tx, held.id)).disks
