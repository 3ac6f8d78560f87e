"""Runs: found, told step by step without secrets, retried and cancelled."""

import json
import re
from importlib.resources import files

from msgspec.structs import replace

from app.core.ids import new_id
from app.core.redact import HIDDEN
from app.domain.accounts.roles import Role
from app.flows.document import parse
from app.flows.find import find_run, list_runs, live_runs
from app.flows.order import in_order
from app.flows.redact import redacted
from app.flows.views import RunStatus, RunsWanted, Trouble
from tests.admin.conftest import Enter
from tests.admin.stage import Stage
from tests.security.browser import Browser
from tests.security.test_pages import errors_of


async def test_each_kind_of_trouble_is_told_apart(stage: Stage) -> None:
    kinds = {
        (await stage.installing())[1]: Trouble.none,
        (await stage.retrying())[1]: Trouble.retrying,
        (await stage.halted())[1]: Trouble.halted,
        (await stage.without_stock())[1]: Trouble.waits_for_stock,
    }
    undoing = (await stage.halted(product="metal-m"))[1]
    async with stage.database.transaction() as tx:
        await tx.execute("DELETE FROM token WHERE run = $1", undoing)
        await tx.execute(
            "UPDATE run SET status = 'compensating', error = 'undo of install: no answer', "
            "wake_at = $2 WHERE id = $1",
            undoing,
            tx.now(),
        )
    kinds[undoing] = Trouble.undo_fails
    await stage.delivered()
    async with stage.database.snapshot() as tx:
        live = await live_runs(tx)
        stuck = await list_runs(tx, RunsWanted(stuck=True))
        every = await list_runs(tx)
    assert {run.id: run.trouble for run in live} == kinds
    order = list(Trouble)
    assert [run.trouble for run in live] == sorted((run.trouble for run in live), key=order.index)
    assert {run.id for run in stuck.items} == {one for one, kind in kinds.items() if kind != "none"}
    assert [run.trouble for run in every.items[4:]] == [Trouble.none, Trouble.none]
    assert [run.status for run in every.items[4:]] == [RunStatus.succeeded, RunStatus.waiting]


async def test_the_usual_time_of_a_step_comes_from_runs_before(stage: Stage) -> None:
    await stage.delivered()
    await stage.installing()
    async with stage.database.snapshot() as tx:
        (run,) = await live_runs(tx)
    assert run.step == "Install OS"
    assert run.expected is not None
    assert run.expected.total_seconds() == 62


async def test_the_list_is_filtered(stage: Stage, owner: Browser) -> None:
    done = await stage.delivered(host="done.example.org")
    await stage.halted(host="halted.example.org", client=1)
    page = (await owner.get("/admin/runs")).text
    assert page.index("halted.example.org") < page.index("done.example.org")
    stuck = (await owner.get("/admin/runs?view=stuck")).text
    assert "done.example.org" not in stuck
    assert "halted.example.org" in stuck
    assert "Nothing matches" in (await owner.get("/admin/runs?view=failed&q=x")).text
    for words in ("done.example", str(done.server_name), "client1@example.org"):
        found = (await owner.get("/admin/runs", params={"q": words})).text
        assert ("done.example.org" in found, "halted.example.org" in found) == (True, False), words
    assert "done.example.org" in (await owner.get("/admin/runs/rows?view=succeeded")).text


async def test_a_run_is_told_step_by_step(stage: Stage, owner: Browser) -> None:
    order, run = await stage.halted(error="the BMC refuses the password")
    page = (await owner.get(f"/admin/runs/{run}")).text
    assert "Until a server runs, round 1" in page
    assert "attempt 2" in page
    assert page.count("the BMC refuses the password") >= 3
    assert "Still to come: Update service, Send credentials" in page
    assert str(order.server_name) in page
    assert (await owner.get(f"/admin/runs/{run}/now")).text.startswith("<div")


async def test_what_a_run_has_taken_is_named_and_led_to(
    stage: Stage, owner: Browser, enter: Enter
) -> None:
    order = await stage.delivered(host="one.example.org")
    installation, other = new_id(), new_id()
    taken = {
        "server": str(order.server_id), "installation": str(installation),
        "addresses": str(order.id), "plan": str(order.service_id), "run": str(order.run),
        "machine": f"pve-1 {order.service_id}", "dns_record": "A web-1", "port_vlan": str(other),
    }  # fmt: skip
    async with stage.database.transaction() as tx:
        await tx.execute(
            "INSERT INTO installation (id, service, server, step_key, token_hash, sealed_spec, "
            "state, created_at, updated_at) SELECT $1, id, server, 'k', 'k', '', 'booted', $2, $2 "
            "FROM service",
            installation,
            tx.now(),
        )
        await tx.executemany(
            "INSERT INTO run_resource (run, node, kind, reference, state, taken_at) "
            "VALUES ($1, 'server', $2, $3, 'taken', now())",
            [(order.run, kind, reference) for kind, reference in taken.items()],
        )
    there = f"/admin/runs/{order.run}"
    ledger = (await owner.get(there)).text.split("Taken by the run")[1].split("</ul>")[0]
    server = f'<a href="/admin/servers/{order.server_id}">{order.server_name}</a>'
    assert ledger.count(server) == 2
    assert (
        f'<a href="/admin/orders/{order.id}">Order #{order.number}, one.example.org</a>' in ledger
    )
    service = f'<a href="/admin/services/{order.service_id}">one.example.org</a>'
    assert f"<div>{service}</div>" in ledger
    assert f"<div>{service} at pve-1</div>" in ledger
    assert f'<a href="{there}">Dedicated server</a>' in ledger
    shown = re.sub("<[^>]*>", "", ledger)
    assert "A web-1" in shown
    assert [reference for reference in taken.values() if reference in shown] == [
        "A web-1", str(other)
    ], "what is not there any more is as it was written down"  # fmt: skip
    finance = await enter(Role.FINANCE)
    assert "/admin/servers/" not in (await finance.get(there)).text.split("Taken by the run")[1]


async def test_no_secret_is_shown(stage: Stage, owner: Browser) -> None:
    _, run = await stage.installing()
    page = (await owner.get(f"/admin/runs/{run}")).text
    assert "root_password" in page
    assert "hunter2" not in page
    async with stage.database.snapshot() as tx:
        assert "hunter2" not in repr(await find_run(tx, run))


def test_secrets_are_hidden_at_any_depth() -> None:
    given = {
        "Password": "a", "root_pass": "b", "api-key": "c", "apiKey": "c", "callback_token": "d",
        "empty_secret": "", "deep": [{"client_secret": {"x": 1}, "name": "kept"}], "compass": "kept",
    }  # fmt: skip
    seen = redacted(given)
    for name in ("Password", "root_pass", "api-key", "apiKey", "callback_token"):
        assert seen[name] == HIDDEN
    assert seen["empty_secret"] == ""
    assert seen["deep"] == [{"client_secret": HIDDEN, "name": "kept"}]
    assert given["Password"] == "a"


async def test_a_long_output_is_cut(stage: Stage, owner: Browser) -> None:
    _, run = await stage.installing()
    async with stage.database.transaction() as tx:
        await tx.execute(
            "UPDATE step_attempt SET output = $2 WHERE run = $1 AND node = 'server'",
            run,
            json.dumps({"log": "x" * 100_000}),
        )
    page = (await owner.get(f"/admin/runs/{run}")).text
    assert "more characters" in page
    assert len(page) < 60_000


async def test_a_halted_run_is_retried_by_one_click(stage: Stage, owner: Browser) -> None:
    order, run = await stage.halted()
    done = await owner.send_form("/admin", f"/admin/runs/{run}/retry", {"back": "/admin"})
    assert (done.status_code, done.headers["location"]) == (303, "/admin")
    assert "“Install OS” is tried again." in (await owner.get("/admin")).text
    async with stage.database.snapshot() as tx:
        token = await tx.fetchrow(
            "SELECT state, attempt FROM token WHERE run = $1 AND node = 'install'", run
        )
        status = await tx.fetchval("SELECT status FROM run WHERE id = $1", run)
        kept = await tx.fetchrow(
            "SELECT actor_label, before FROM audit_entry WHERE action = 'run.retried'"
        )
    assert (token["state"], token["attempt"], status) == ("ready", 3, "running")
    assert kept["actor_label"] == "owner@slipway.test"
    assert json.loads(kept["before"])["step"] == "Install OS"
    assert "Retried" in (await owner.get(f"/admin/orders/{order.id}")).text
    again = await owner.send_form("/admin", f"/admin/runs/{run}/retry", {"back": "//evil.test"})
    assert again.headers["location"] == f"/admin/runs/{run}"
    assert "it may have gone on already" in (await owner.get("/admin")).text


async def test_a_run_is_cancelled_with_a_reason(stage: Stage, owner: Browser) -> None:
    _, run = await stage.installing()
    here = f"/admin/runs/{run}/cancel"
    asked = await owner.get(here)
    assert "Allocate addresses" in asked.text
    refused = await owner.send_form(here, here, {"reason": ""})
    assert (refused.status_code, errors_of(refused.text)) == (
        422,
        {"reason": "Say why; it is kept."},
    )
    done = await owner.send_form(here, here, {"reason": "wrong machine"})
    assert done.headers["location"] == f"/admin/runs/{run}"
    page = (await owner.get(f"/admin/runs/{run}")).text
    assert "Stopping" in page
    assert "wrong machine" in page
    async with stage.database.transaction() as tx:
        assert await tx.fetchval("SELECT cancel_requested FROM run WHERE id = $1", run)
        await tx.execute("UPDATE run SET status = 'cancelled' WHERE id = $1", run)
    late = await owner.send_form(here, here, {"reason": "again"})
    assert late.status_code == 303
    assert "already ended" in (await owner.get(f"/admin/runs/{run}")).text


def test_the_order_of_a_flow_comes_from_its_edges() -> None:
    shipped = files("app.flows.templates").joinpath("dedicated-server.json").read_text()
    document = parse(shipped)
    # As jsonb gives it back: the keys sorted by length, then by name.
    names = sorted(document.nodes, key=lambda name: (len(name), name))
    shuffled = replace(document, nodes={name: document.nodes[name] for name in names})
    assert in_order(shuffled) == [
        "paid", "attempts", "server", "addresses", "port", "install", "bmc", "again", "health",
        "aside", "service", "mail", "gave_up",
    ]  # fmt: skip
