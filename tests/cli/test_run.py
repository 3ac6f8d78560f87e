"""`slipway run`: found, told within a terminal's width, for people and for scripts."""

import json
from datetime import timedelta

from msgspec.structs import replace

from app.cli.flow.run_text import WIDTH, run_lines
from app.flows.find import find_run
from app.flows.standing import Place, Taken, find_standing
from tests.admin.stage import Stage
from tests.cli.slipway import slipway


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
        view, standing = await find_run(tx, run), await find_standing(tx, run)
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
    place = Place(
        scope=f"/{long}:1", node=long, state="halted", attempt=1, in_doubt=True,
        awaits_decision=True, wake_at=None,
    )  # fmt: skip
    taken = Taken(
        scope="/", node=long, step=long, kind="server", reference=long, state="taken", taken_at=now,
        ended_at=None,
    )  # fmt: skip
    much = replace(standing, places=(place, place), variables={long: long}, ledger=(taken, taken))
    for shown, has in ((view, standing), (wide, much)):
        lines = run_lines(shown, has, now)
        assert max(map(len, lines)) <= WIDTH
        assert not any(line != line.rstrip() for line in lines)
    text = "\n".join(run_lines(wide, much, now))
    assert text.count("x" * 60) > 20


async def test_a_halted_run_is_resumed_settled_and_cancelled(stage: Stage, dsn: str) -> None:
    _, run = await stage.halted()
    step = "/attempts:1:install"

    async def steer(*words: str, code: int = 0) -> str:
        given, said = await slipway("run", *words, DATABASE_URL=dsn)
        assert (words, given) == (words, code), said
        return said

    await steer("settle", str(run), step, "--happened", code=1)  # it is not in doubt
    await steer("settle", str(run), step, code=2)
    await steer("settle", str(run), step, "--did-not-happen", "--output", "{}", code=2)
    await steer("resume", str(run), "--edit", "install", code=2)
    assert "is not halted" in await steer("resume", str(run), "--edit", "server={}", code=1)
    said = await steer("resume", str(run), "--edit", f'{step}={{"os": "debian-12"}}')
    assert said.strip() == "The run goes on."
    async with stage.database.transaction() as tx:
        token = await tx.fetchrow("SELECT * FROM token WHERE run = $1 AND node = 'install'", run)
        assert token is not None
        assert (token["state"], json.loads(token["override"])) == ("ready", {"os": "debian-12"})
        await tx.execute(
            "UPDATE token SET state = 'halted', doubt = true WHERE run = $1 AND node = 'install'",
            run,
        )
    said = await steer("settle", str(run), step, "--happened", "--output", '{"banner": "SSH"}')
    assert said.strip() == "install counts as done."
    assert "already" not in await steer("cancel", str(run), "--reason", "Wrong machine")
    async with stage.database.transaction() as tx:
        await tx.execute("UPDATE run SET status = 'cancelled' WHERE id = $1", run)
    assert "already ended" in await steer("cancel", str(run), "--reason", "Again", code=1)
    async with stage.database.snapshot() as tx:
        labels = await tx.fetch(
            "SELECT actor_label FROM audit_entry WHERE subject = $1 ORDER BY id", run
        )
    assert [row[0] for row in labels] == [
        "slipway run resume", "slipway run settle", "slipway run cancel",
    ]  # fmt: skip


async def test_an_approval_is_decided(stage: Stage, dsn: str) -> None:
    _, run = await stage.installing()
    scope = "/attempts:1"
    words = ("run", "approve", str(run), f"{scope}:install")
    code, said = await slipway(*words, DATABASE_URL=dsn)
    assert (code, "does not wait for a decision" in said) == (1, True)
    async with stage.database.transaction() as tx:
        await tx.execute(
            "UPDATE token SET signal_key = $2 WHERE run = $1 AND node = 'install'",
            run,
            f"approval:{run}:{scope}:install",
        )
    code, said = await slipway(*words, "--reject", "--note", "No", DATABASE_URL=dsn)
    assert (code, said.strip()) == (0, "install is rejected.")
