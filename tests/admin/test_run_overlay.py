"""What can be done about a run from its drawing, by whom; and a loop of 10,000 rounds in it."""

import re
from uuid import UUID

import pytest

from app.core.redact import HIDDEN
from app.domain.accounts.roles import Role
from app.flows import registry
from app.flows.drafts.find import find_draft
from app.flows.nodes import approval
from app.flows.overlay import find_overlay
from app.flows.steer import cancel_run
from tests.admin.conftest import Enter
from tests.admin.test_run_deeds import halted
from tests.flows.conftest import Workshop, chain, document, workshop  # noqa: F401 - the fixture
from tests.flows.nodes import nodes
from tests.security.browser import Browser

ASK = {"params": {"title": "Deliver it?", "role": "finance"}}
ROUNDS = 10_000


def ways(page: str) -> set[str]:
    """Return the deeds that a panel leads to: the last word of each address."""
    return set(re.findall(r"/admin/runs/[0-9a-f-]{36}/(\w+)", page))


def panel(run: UUID, node: str = "ask", more: str = "") -> str:
    return f"/designer/runs/{run}/panel?chosen={node}{more}"


async def test_a_halted_step_is_retried_from_the_drawing(
    workshop: Workshop,  # noqa: F811 - the fixture
    enter: Enter,
) -> None:
    run = await halted(workshop)
    operator, designer = await enter(Role.OPERATOR), await enter(Role.DESIGNER)
    assert ways((await operator.get(panel(run))).text) == {"retry", "resume", "cancel"}
    assert ways((await operator.get(panel(run, "begin"))).text) == set(), "it is done"
    assert ways((await operator.get(panel(run, more="&at=2"))).text) == set(), "nothing in the past"
    assert ways((await designer.get(panel(run))).text) == set()
    here = f"/designer/runs/{run}"
    done = await operator.send_form(here, f"/admin/runs/{run}/retry", {"back": here})
    assert (done.status_code, done.headers["location"]) == (303, here)
    await workshop.drive()
    assert [one[1] for one in await workshop.attempts(run) if one[0] == "ask"] == [1, 2]


async def test_what_is_in_doubt_is_settled_and_not_retried(
    workshop: Workshop,  # noqa: F811 - the fixture
    owner: Browser,
) -> None:
    run = await halted(workshop)
    async with workshop.database.transaction() as tx:
        await tx.execute("UPDATE token SET doubt = true WHERE run = $1", run)
    page = (await owner.get(panel(run))).text
    assert ways(page) == {"settle", "cancel"}
    (form,) = re.findall(r'href="(/admin/runs/[^"]+/settle[^"]*)"', page)
    assert (await owner.get(form.replace("&amp;", "&"))).status_code == 200


async def test_an_approval_is_decided_by_its_role_from_the_drawing(
    workshop: Workshop,  # noqa: F811 - the fixture
    enter: Enter,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kinds = {**nodes(), (approval.node.name, approval.node.version): approval.node}
    monkeypatch.setattr(registry, "node_types", lambda: kinds)
    run = await workshop.start(chain(ask=("logic.approval", ASK)))
    await workshop.drive()
    finance, operator = await enter(Role.FINANCE), await enter(Role.OPERATOR)
    assert ways((await finance.get(panel(run))).text) == {"decide"}
    page = (await operator.get(panel(run))).text
    assert ways(page) == {"cancel"}
    assert "The role finance decides." in page


async def test_who_follows_a_run_is_told_what_its_end_cut_off(
    workshop: Workshop,  # noqa: F811 - the fixture
    owner: Browser,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing happens to those steps themselves: they are in no event since the last patch."""
    kinds = {**nodes(), (approval.node.name, approval.node.version): approval.node}
    monkeypatch.setattr(registry, "node_types", lambda: kinds)
    steps = {"ask": ("logic.approval", ASK), "note": "t.note"}
    edges = [("begin.out", "ask.in"), ("ask.approved", "note.in")]
    run = await workshop.start(document(steps, edges))
    await workshop.drive()
    async with workshop.database.transaction() as tx:
        seq = await tx.fetchval("SELECT max(seq) FROM run_event WHERE run = $1", run)
        await cancel_run(tx, run)
    await workshop.drive()
    signs = (await owner.get(f"/designer/runs/{run}/now?since={seq}")).text
    assert re.search(r'data-on="ask"[^>]*>.*?<span>Cancelled</span>', signs)
    assert re.search(r'data-on="note"[^>]*>.*?<span>Not come to</span>', signs)


async def test_a_run_is_taken_into_the_draft_without_its_secrets(
    workshop: Workshop,  # noqa: F811 - the fixture
    enter: Enter,
) -> None:
    run = await workshop.start(chain(note=("t.note", {"params": {"text": "x"}})))
    await workshop.drive()
    async with workshop.database.transaction() as tx:
        await tx.execute(
            "UPDATE step_attempt SET output = $2 WHERE run = $1 AND node = 'note'",
            run,
            '{"text": "kept", "deep": [{"password": "hunter2"}]}',
        )
    designer = await enter(Role.DESIGNER)
    here = f"/designer/runs/{run}"
    gone = await designer.send_form(here, f"{here}/debug", {})
    assert gone.status_code == 303
    async with workshop.database.snapshot() as tx:
        view = await find_draft(tx, UUID(gone.headers["location"].rsplit("/", 1)[1]))
        kept = await tx.fetchval("SELECT string_agg(payload::text, '') FROM flow_draft_command")
    assert view.sheet.pins["note"] == {"text": "kept", "deep": [{"password": HIDDEN}]}
    assert "hunter2" not in kept


async def test_the_list_of_runs_leads_to_the_drawing(
    workshop: Workshop,  # noqa: F811 - the fixture
    owner: Browser,
) -> None:
    run = await halted(workshop)
    assert f'href="/designer/runs/{run}"' in (await owner.get("/admin/runs")).text


async def test_of_ten_thousand_rounds_a_page_is_read_those_that_failed_first(
    workshop: Workshop,  # noqa: F811 - the fixture
    owner: Browser,
) -> None:
    run = await halted(workshop)
    async with workshop.database.transaction() as tx:
        await tx.execute(
            "INSERT INTO run_event (run, at, kind, scope, node, facts) SELECT $1, $2, "
            "CASE WHEN i % 5000 = 17 THEN 'failed' ELSE 'finished' END, '/each:' || i, 'ask', '{}' "
            "FROM generate_series(1, $3::int) i",
            run,
            tx.now(),
            ROUNDS,
        )
    async with workshop.database.snapshot() as tx:
        ask = (await find_overlay(tx, run)).stands["ask"]
    assert (ask.rounds, ask.done, ask.failed) == (ROUNDS + 1, ROUNDS - 2, 3)
    page = (await owner.get(panel(run))).text
    picks = re.findall(r'fl-round-pick"[^>]*><span>([^<]*)', page)
    assert len(picks) == 12
    assert [re.search(r"\d+$", pick).group() for pick in picks[:2]] == ["5017", "17"]  # type: ignore[union-attr]
    assert len(page) < 20_000
    now = (await owner.get(f"/designer/runs/{run}/now?since=0")).text
    assert len(now) < 10_000, "a patch does not grow with the rounds"
