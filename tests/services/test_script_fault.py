"""A post-install script that fails everywhere: no server after the other is put aside for it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from app.core.clock import SetClock
from app.core.ids import new_id
from app.domain.inventory.confirm import begin_provisioning
from app.domain.inventory.quarantine import due_rechecks, note_recheck, quarantine
from app.domain.services.open import open_service
from app.domain.services.report_install import (
    find_open,
    report_done,
    report_failed,
    report_progress,
)
from app.domain.services.script_fault import LATELY, script_to_mend
from app.flows.node import ForStaff, StepFailed, Wait
from app.flows.nodes import install_os
from tests.orders.world import a_client, an_order
from tests.services.hall import Hall, StubBmc
from tests.services.test_install import token_of

BROKEN = "echo no licence; exit 3"


@pytest.fixture
async def first(hall: Hall) -> Hall:
    """An order of a product whose script is broken."""
    await give_script(hall, BROKEN)
    return hall


@pytest.fixture
async def second(first: Hall) -> Hall:
    """Another one, which has the other server."""
    async with first.database.transaction() as tx:
        order = await an_order(tx, await a_client(tx, "another@example.org"))
        await begin_provisioning(tx, order.id)
        service = await open_service(tx, order.id)
        row = await tx.fetchrow("SELECT id, mac FROM server WHERE holder = $1", order.id)
    assert row is not None
    return replace(
        first, order=order.id, service=service, server=row["id"], mac=row["mac"], bmc=StubBmc()
    )


async def give_script(hall: Hall, script: str) -> None:
    async with hall.database.transaction() as tx:
        await tx.execute("UPDATE product SET post_install = $1 WHERE slug = 'ax-32'", script)


async def told(hall: Hall, message: str, *, script: str = "product", attempt: int = 1) -> None:
    """Let the machine boot and tell that it failed; "" as message: that it is installed."""
    key = f"run:/:{hall.order}#{attempt}"
    prepared = await hall.installation(key)
    async with hall.database.transaction() as tx:
        found = await find_open(tx, hall.vault, token=token_of(prepared.spec.callback_base))
        if message:
            await report_failed(tx, found, message, script=script)
        else:
            await report_done(tx, found)


async def stopped(hall: Hall, *, attempt: int = 1) -> StepFailed:
    params = install_os.Params(hall.service, hall.server)
    with pytest.raises(StepFailed) as failed:
        await install_os.do(hall.step(node=str(hall.order), attempt=attempt), params)
    return failed.value


async def fails(hall: Hall, *, words: str = "no licence", attempt: int = 1) -> StepFailed:
    """Let the product's script fail on the machine; returns what becomes of the step."""
    message = f"the post-install script of the product ended with status 3: {words}"
    await told(hall, message, attempt=attempt)
    return await stopped(hall, attempt=attempt)


async def put_aside(hall: Hall, error: StepFailed) -> None:
    async with hall.database.transaction() as tx:
        await quarantine(tx, hall.server, error.message)


async def state(hall: Hall) -> str:
    async with hall.database.snapshot() as tx:
        return str(await tx.fetchval("SELECT state FROM server WHERE id = $1", hall.server))


async def test_where_a_script_fails_once_the_server_may_be_at_fault(first: Hall) -> None:
    for attempt in (1, 2):
        error = await fails(first, attempt=attempt)
        assert error.stops is None
        assert error.transient, "the flow tries again, and takes another server then"


async def test_a_script_that_fails_at_a_second_server_stops_the_order_and_frees_the_first(
    first: Hall, second: Hall
) -> None:
    await put_aside(first, await fails(first))
    assert await state(first) == "quarantined"
    lines = "\n".join(f"line {number}" for number in range(1, 41))
    error = await fails(second, words=lines)
    assert isinstance(error.stops, ForStaff)
    assert error.stops.title == "The post-install script of AX-32 is at fault"
    assert "The post-install script of AX-32 fails at one server after another" in error.message
    assert error.message.endswith("line 38\nline 39\nline 40"), "what it said last"
    assert "line 35\n" not in error.message
    assert await state(second) == "provisioning", "it is not put aside"
    assert await state(first) == "cleaning", "it is erased, and then in stock"
    async with first.database.snapshot() as tx:
        erased = await tx.fetchval(
            "SELECT count(*) FROM outbox WHERE topic = 'server.cleaning' AND key LIKE $1",
            f"server.cleaning:{first.server}:%",
        )
        reason = await tx.fetchval(
            "SELECT reason FROM audit_entry WHERE subject = $1 ORDER BY at DESC, id DESC LIMIT 1",
            first.server,
        )
    assert erased == 1
    assert reason.startswith("It is not at fault. The post-install script of AX-32")
    async with first.database.snapshot() as tx:
        assert await script_to_mend(tx, first.order) is None
        assert await script_to_mend(tx, second.order) == "ax-32"
    again = await stopped(second)
    assert again.stops == error.stops, "entered again, after a crash, it is told no second time"


async def test_all_orders_that_it_stops_are_told_of_once_and_a_new_try_anew(
    first: Hall, second: Hall
) -> None:
    await fails(first)
    other = (await fails(second)).stops
    mine = (await fails(first, attempt=2)).stops
    assert other is not None
    assert other == mine
    again = (await fails(second, attempt=2)).stops
    assert again is not None
    assert again.key != other.key, "somebody had tried again, in vain"
    await second.installation(f"run:/:{second.order}#3")
    async with first.database.snapshot() as tx:
        assert await script_to_mend(tx, second.order) is None, "it is tried anew"


@pytest.mark.parametrize("since", ["mended", "through", "long-ago", "disk", "nobody's"])
async def test_what_did_not_fail_alike_lately_is_a_servers_fault(
    first: Hall, second: Hall, clock: SetClock, since: str
) -> None:
    await fails(first)
    clock.advance(minutes=1)
    match since:
        case "mended":
            await give_script(first, "echo other; exit 3")
        case "through":
            await told(first, "", attempt=2)
            clock.advance(minutes=1)
        case "long-ago":
            clock.advance(minutes=LATELY / timedelta(minutes=1))
    if since in ("disk", "nobody's"):
        script = "" if since == "disk" else "options"  # of which there are none
        await told(second, "no disk", script=script)
        error = await stopped(second)
    else:
        error = await fails(second)
    assert error.stops is None


async def test_a_script_that_failed_hundreds_of_installations_ago_is_found(
    first: Hall, second: Hall
) -> None:
    """A large provider installs more than 500 servers in a week."""
    await fails(first)
    async with first.database.transaction() as tx:
        await tx.execute(
            "INSERT INTO installation (id, service, server, step_key, token_hash, sealed_spec, "
            "state, created_at, updated_at, finished_at) SELECT id, $2, $3, id::text, "
            "id::text::bytea, '', 'installed', $4, $4, $4 FROM unnest($1::uuid[]) AS t (id)",
            [new_id() for _ in range(600)],
            first.service,
            first.server,
            tx.now(),
        )
    assert (await fails(second)).stops is not None


async def test_of_a_long_history_the_latest_installations_alone_are_looked_at(
    first: Hall, second: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that have not ended count as well: what a statement reads is bounded."""
    await fails(first)
    await first.installation(f"run:/:{first.order}#2")
    monkeypatch.setattr("app.domain.services.script_fault.MOST", 2)
    assert (await fails(second)).stops is None
    monkeypatch.setattr("app.domain.services.script_fault.MOST", 3)
    assert (await stopped(second)).stops is not None


@pytest.mark.parametrize("stage", ["post-install", "packages"])
async def test_a_script_that_hangs_at_a_second_server_is_at_fault_too(
    first: Hall, second: Hall, clock: SetClock, stage: str
) -> None:
    """A machine that is silent at any other stage may be at fault itself."""
    for hall, stops in ((first, False), (second, stage == "post-install")):
        params = install_os.Params(hall.service, hall.server)
        step = hall.step(node=str(hall.order))
        wait = await install_os.do(step, params)
        assert isinstance(wait, Wait)
        prepared = await hall.installation(f"{step.key}#1")
        async with hall.database.transaction() as tx:
            found = await find_open(tx, hall.vault, token=token_of(prepared.spec.callback_base))
            await report_progress(tx, found, stage=stage, percent=95)
        clock.advance(hours=1)
        with pytest.raises(StepFailed, match="no word from the machine for 1 h") as failed:
            await install_os.do(hall.step(node=str(hall.order), **wait.memo), params)
        assert (failed.value.stops is not None) == stops
        hangs = "try again. It hangs: no word from the machine for 1 h"
        assert failed.value.message.endswith(hangs) == stops
        if hall is first:
            await put_aside(hall, failed.value)
    assert await state(first) == ("cleaning" if stage == "post-install" else "quarantined")


async def test_options_were_through_where_the_products_script_failed(
    first: Hall, second: Hall, clock: SetClock
) -> None:
    async with first.database.transaction() as tx:
        await tx.execute("UPDATE option SET post_install = 'echo panel' WHERE code = 'cockpit'")
        await tx.execute(
            """UPDATE client_order SET selection = selection || '{"panel": "cockpit"}'"""
        )
    await told(first, "panel", script="options")
    await stopped(first)
    clock.advance(minutes=1)
    await fails(first, attempt=2)
    clock.advance(minutes=1)
    await told(second, "panel", script="options")
    assert (await stopped(second)).stops is None
    await told(first, "panel", script="options", attempt=3)
    error = await stopped(first, attempt=3)
    assert error.stops is not None
    assert error.stops.title == "The script of Cockpit for AX-32 is at fault"
    async with first.database.transaction() as tx:
        await tx.execute("UPDATE option SET post_install = ''")
    error = await stopped(first, attempt=3)
    assert error.stops is not None
    assert error.stops.title == "The script of the chosen options for AX-32 is at fault"


@pytest.mark.parametrize("why", ["another reason", "a look"])
async def test_a_server_that_has_more_wrong_with_it_stays_aside(
    first: Hall, second: Hall, clock: SetClock, why: str
) -> None:
    error = await fails(first)
    async with first.database.transaction() as tx:
        await quarantine(tx, first.server, "smells burnt" if why != "a look" else error.message)
    if why == "a look":
        clock.advance(minutes=15)
        async with first.database.transaction() as tx:
            assert await due_rechecks(tx) == [first.server]
            await note_recheck(tx, first.server, "its BMC does not answer")
    assert (await fails(second)).stops is not None
    assert await state(first) == "quarantined"
