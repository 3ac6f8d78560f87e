"""What the interpreter really leaves behind is read as what it is."""

from app.core.database import Database
from app.flows.document import NodeSpec
from app.flows.find import find_run, find_run_row, live_runs
from app.flows.steer import cancel_run
from app.flows.views import RunStatus, Trouble
from tests.flows.conftest import QUICK, Workshop, chain, workshop  # noqa: F401 - the fixture
from tests.flows.nodes import busy


async def test_runs_that_the_interpreter_drove(
    workshop: Workshop,  # noqa: F811 - the fixture
    database: Database,
) -> None:
    halts = await workshop.start(
        chain(ask=("t.refuse", {"params": {"text": "not today"}, "name": "Ask"})), key="a"
    )
    waits = await workshop.start(
        chain(hold=("t.pause", {"params": {"seconds": 60, "signal": "stock:1"}})), key="b"
    )
    workshop.world.refusals["call"] = [busy()]
    retries = await workshop.start(chain(call=("t.call", {"retry": QUICK})), key="c")
    ends = await workshop.start(chain(note="t.note"), key="d")
    await workshop.drive()
    async with database.snapshot() as tx:
        live = {run.id: run for run in await live_runs(tx)}
        ended = await find_run_row(tx, ends)
        halted = await find_run(tx, halts)
    assert {run: row.trouble for run, row in live.items()} == {
        halts: Trouble.halted,
        waits: Trouble.waits_for_stock,
        retries: Trouble.retrying,
    }
    assert (live[halts].step, live[halts].says) == ("Ask", "not today")
    assert live[retries].attempt == 2
    assert live[retries].next_try_at is not None
    assert "try again" in live[retries].says
    assert live[waits].says == "waiting"
    assert (ended.status, ended.trouble, ended.node) == (RunStatus.succeeded, Trouble.none, None)
    assert [(one.node, one.status, one.is_halted) for one in halted.attempts] == [
        ("begin", "succeeded", False),
        ("ask", "failed", True),
    ]
    assert halted.events[0].facts["error"] == "not today"
    async with database.transaction() as tx:
        await cancel_run(tx, halts)
    await workshop.drive()
    async with database.snapshot() as tx:
        assert (await find_run_row(tx, halts)).status is RunStatus.cancelled


async def test_a_loop_is_told_round_by_round(
    workshop: Workshop,  # noqa: F811 - the fixture
    database: Database,
) -> None:
    document = chain(
        loop=("logic.repeat", {"params": {"until": "=iteration.count >= 2", "max": 3}})
    )
    nodes = {**document.nodes, "body": NodeSpec(type="t.note", within="loop")}
    edges = (*document.edges, ("loop.each", "body.in"))
    run = await workshop.start(type(document)(flow="test", nodes=nodes, edges=edges))
    await workshop.drive()
    async with database.snapshot() as tx:
        told = await find_run(tx, run)
    assert [(one.scope, one.node) for one in told.attempts] == [
        ("/", "begin"), ("/", "loop"), ("/loop:1", "body"), ("/loop:2", "body"),
    ]  # fmt: skip
