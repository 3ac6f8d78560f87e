"""`slipway run`: found, told within a terminal's width, for people and for scripts."""

import json
from datetime import timedelta

from msgspec.structs import replace

from app.cli.flow.run_text import WIDTH, run_lines
from app.flows.find import find_run
from tests.admin.stage import Stage
from tests.cli.test_commands import slipway


async def test_runs_are_listed_for_people_and_for_scripts(stage: Stage, dsn: str) -> None:
    order, halted = await stage.halted(host="db.example.org", error="the BMC\nrefuses " * 20)
    _, moving = await stage.installing(host="shop.example.org")
    code, said = await slipway("run", "list", DATABASE_URL=dsn)
    assert code == 0, said
    head, first, second = said.splitlines()
    assert head.split()[:2] == ["RUN", "STATUS"]
    assert first.startswith(str(moving))
    assert "waiting" in first
    assert "Install OS: the installer partitions the disks" in first
    assert f"#{order.number}" in second
    assert second.endswith("…")
    code, said = await slipway(
        "run", "list", "--order", str(order.number), "--json", DATABASE_URL=dsn
    )
    assert (code, [one["id"] for one in json.loads(said)]) == (0, [str(halted)])
    assert await slipway("run", "list", "--flow", "none", DATABASE_URL=dsn) == (0, "")


async def test_that_runs_are_stuck_is_an_exit_code(stage: Stage, dsn: str) -> None:
    await stage.installing()
    assert await slipway("run", "list", "--stuck", DATABASE_URL=dsn) == (0, "")
    _, halted = await stage.halted()
    code, said = await slipway("run", "list", "--stuck", DATABASE_URL=dsn)
    assert code == 1
    assert str(halted) in said
    assert (await slipway("run", "list", "--status", "asleep", DATABASE_URL=dsn))[0] == 2


async def test_a_run_is_shown_with_its_attempts_and_errors(stage: Stage, dsn: str) -> None:
    order, run = await stage.halted(error="the BMC refuses the password")
    code, said = await slipway("run", "show", str(run), DATABASE_URL=dsn)
    assert code == 0, said
    for words in (
        f"Run {run}",
        "Flow       Dedicated server, version 1",
        f"About      order #{order.number}, {order.hostname}",
        "Status     halted",
        "Stands at  Install OS (install in /attempts:1), halted",
        "Until a server runs, round 1:",
        "Install OS (install), attempt 2",
        "the BMC refuses the password",
        "Still to come Update service, Send credentials",
    ):
        assert words in said
    assert "HALTED" in said
    code, said = await slipway("run", "show", str(run), "--json", DATABASE_URL=dsn)
    assert json.loads(said)["run"]["id"] == str(run)
    nobody = "01a213ef-b163-73d2-bc03-75777a857ac2"
    assert (await slipway("run", "show", nobody, DATABASE_URL=dsn))[0] == 1
    assert (await slipway("run", "show", "it", DATABASE_URL=dsn))[0] == 2


async def test_whatever_a_run_holds_it_fits_a_terminal(stage: Stage) -> None:
    _, run = await stage.installing()
    async with stage.database.snapshot() as tx:
        view = await find_run(tx, run)
        now = tx.now() + timedelta(hours=30)
    long = "x" * 300
    wide = replace(
        view,
        row=replace(view.row, error=f"no {long} " * 20, step=long, flow_name=long, says=long),
        input={"key": long * 10},
        pending=(long,) * 5,
        attempts=tuple(
            replace(
                one, step=f"A step of {long}", scope="/a:1/b:12/c:999", error=f"{long}\n\n{long}"
            )
            for one in view.attempts
        ),
        more=True,
    )
    for shown in (view, wide):
        lines = run_lines(shown, now)
        assert max(map(len, lines)) <= WIDTH
        assert not any(line != line.rstrip() for line in lines)
    text = "\n".join(run_lines(wide, now))
    assert text.count("x" * 60) > 20
