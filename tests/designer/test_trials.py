"""Trials of a draft: what is kept, what it goes by, and what pins must be."""

from uuid import uuid4

import msgspec
import pytest
from litestar import Litestar
from redis.asyncio import Redis

from app.components.designer.problems import beside_fields
from app.components.designer.trial import dry_states, trial_dock
from app.components.designer.trial_form import trial_form
from app.components.designer.trial_node import node_trial
from app.components.designer.trial_rehearsal import rehearsal_states
from app.components.form import Form
from app.core.database import Database
from app.core.errors import Invalid, NotFound
from app.domain.accounts.roles import Role
from app.flows.drafts import trial as trial_module
from app.flows.drafts.find import find_draft
from app.flows.drafts.pins import pin_problem
from app.flows.drafts.trial import (
    Trial,
    content_of,
    find_trial,
    forget_trial,
    keep_trial,
)
from app.flows.drafts.try_out import (
    Ask,
    begin_trial,
    dry_run_draft,
    own_fields,
    own_input,
    rehearse_draft,
    sample_input,
)
from app.flows.drafts.views import DraftView
from app.flows.dryrun.result import Ended
from app.flows.dryrun.score import find_rehearsal
from app.flows.find import list_runs
from app.flows.gallery import find_template
from app.flows.node import Subject
from app.flows.predict import Expected, Prediction
from app.flows.publish import publish
from app.flows.start import start_flow
from app.flows.views import RunsWanted
from app.routes.security.visit import SESSION_COOKIE
from tests.designer.conftest import session_of
from tests.designer.desk import ADA, GRACE, Desk, a_desk
from tests.designer.test_publishing import csrf_of
from tests.security.browser import Browser


@pytest.fixture
async def desk(database: Database) -> Desk:
    return await a_desk(database, find_template("dedicated-server"))


async def tried(desk: Desk, ask: Ask) -> tuple[DraftView, Trial]:
    async with desk.database.snapshot() as tx:
        view = await find_draft(tx, desk.draft)
        return view, await dry_run_draft(tx, view, ask)


async def test_a_dry_run_shows_path_effects_and_whence_each_answer_is(desk: Desk) -> None:
    _, first = await tried(desk, Ask(only="server"))
    assert first.run is not None
    output = msgspec.json.encode(first.run.path[0].output).decode()
    await desk.give("set_pin", node="server", text=output)
    view, trial = await tried(desk, Ask())
    run = trial.run
    assert run is not None
    assert run.ended is Ended.succeeded
    states = {state.node: state for state in dry_states(view.sheet, run)}
    assert states["server"].note == "pinned"
    assert states["install"].note == "stand-in"
    dock = str(trial_dock(view, trial, desk.database.clock.now()))
    assert "Nothing real was touched" in dock
    assert run.effects[0].says.partition("&")[0][:10] in dock
    words = str(node_trial(trial, "install"))
    assert "Pin this output" in words
    assert "Answered by the sample data" in str(node_trial(trial, "server"))


async def test_a_node_alone_and_a_flow_until_a_node(desk: Desk) -> None:
    view, alone = await tried(desk, Ask(only="install"))
    assert alone.run is not None
    assert {step.node for step in alone.run.path} == {"install"}
    assert "Trial of" in str(trial_dock(view, alone, desk.database.clock.now()))
    _, until = await tried(desk, Ask(until="install"))
    assert until.run is not None
    assert (until.run.ended, until.run.path[-1].node) == (Ended.until, "install")
    assert "It does not come here" in str(node_trial(until, "mail"))
    with pytest.raises(NotFound):
        await tried(desk, Ask(only="nowhere"))


async def test_an_input_that_is_typed_must_be_an_object(desk: Desk) -> None:
    with pytest.raises(Invalid, match="JSON object"):
        await tried(desk, Ask(text="[1]"))
    _, trial = await tried(desk, Ask(text='{"order": "o-1"}'))
    assert trial.words == "the input that was typed"
    with pytest.raises(NotFound):
        await tried(desk, Ask(run=uuid4()))
    assert isinstance(sample_input(await desk.sheet()), dict)


TAKES = {
    "type": "object",
    "properties": {
        "host": {"type": "string", "title": "Host name"},
        "disks": {"type": "array", "items": {"type": "integer"}},
    },
    "required": ["host"],
}


async def test_what_the_flow_takes_is_typed_into_a_form_of_its_own(
    app: Litestar, desk: Desk, database: Database
) -> None:
    await desk.give("set_flow", field="inputs", value=msgspec.json.encode(TAKES).decode())
    url = f"/designer/drafts/{desk.draft}/trial"
    async with Browser(app) as browser:
        browser.cookies.set(SESSION_COOKIE, await session_of(database, Role.DESIGNER, "Ada"))
        form = await browser.get(f"{url}/ask")
        assert "Host name" in form.text
        assert "Input, as JSON" not in form.text
        headers = {"X-CSRFToken": csrf_of(browser)}
        typed = {"by": "text", "$.host": "", "$.disks#": "0"}
        more = await browser.post(url, data=typed | {"add": "$.disks"}, headers=headers)
        assert 'name="$.disks[0]"' in more.text
        typed |= {"$.disks#": "1", "$.disks[0]": "many"}
        wrong = await browser.post(url, data=typed, headers=headers)
        assert wrong.status_code == 422
        assert wrong.headers["HX-Retarget"] == "#sheet-words"
        assert 'value="many"' in wrong.text
        typed |= {"$.host": "a.example.org", "$.disks[0]": "500"}
        right = await browser.post(url, data=typed, headers=headers)
        assert right.status_code == 200
        assert "the input that was typed" in right.text
    document = (await desk.sheet()).document
    assert own_input(document, typed) == {"host": "a.example.org", "disks": [500]}
    broken = msgspec.structs.replace(document, inputs={"type": "objekt"})
    assert own_fields(broken, {}) == ()


async def test_a_recorded_run_of_the_flow_is_picked(desk: Desk) -> None:
    document = msgspec.structs.replace(find_template("dns-clean-up"), flow="test")
    async with desk.database.transaction() as tx:
        await publish(tx, document, note="first")
        run = await start_flow(
            tx, "test", data={}, dedup_key="once", subject=uuid4(), subject_kind=Subject.SERVICE
        )
    async with desk.database.snapshot() as tx:
        view = await find_draft(tx, desk.draft)
        rows = (await list_runs(tx, RunsWanted(flow=view.row.slug))).items
    assert str(run) in str(trial_form(view, Form(), rows, "{}"))
    _, trial = await tried(desk, Ask(run=run))
    assert trial.words == f"the recorded run {str(run)[-8:]}"


async def test_the_time_that_nodes_usually_take_stands_on_them(desk: Desk) -> None:
    view, trial = await tried(desk, Ask())
    assert trial.run is not None
    usual = Expected(p50_s=62.0, p99_s=300.0, samples=9)
    run = msgspec.structs.replace(
        trial.run, expected=Prediction({"install": usual}, usual, ("mail",))
    )
    sign = next(state for state in dry_states(view.sheet, run) if state.node == "install")
    assert (sign.words, sign.note) == ("1 min 02 s – 5 min 00 s", "stand-in")
    trial = msgspec.structs.replace(trial, run=run)
    dock = str(trial_dock(view, trial, desk.database.clock.now()))
    assert "1 min 02 s – 5 min 00 s" in dock
    assert "not counted: mail" in dock


async def test_what_is_too_large_is_kept_without_its_values(
    desk: Desk, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial_module, "LARGEST_BYTES", 1_000)
    _, trial = await tried(desk, Ask())
    await keep_trial(redis, desk.draft, ADA.id, trial)
    kept = await find_trial(redis, desk.draft, ADA.id)
    assert kept is not None
    assert kept.run is not None
    assert {step.output for step in kept.run.path} == {"too large to be kept"}


async def test_a_trial_is_ones_own_and_of_the_draft_as_it_was(desk: Desk, redis: Redis) -> None:
    view, trial = await tried(desk, Ask())
    await keep_trial(redis, desk.draft, ADA.id, trial)
    kept = await find_trial(redis, desk.draft, ADA.id)
    assert msgspec.json.encode(kept) == msgspec.json.encode(trial)
    assert await find_trial(redis, desk.draft, GRACE.id) is None
    now = desk.database.clock.now()
    assert "older revision" not in str(trial_dock(view, trial, now))
    # Where a node stands is nothing that runs; what it is called with is.
    await desk.give("move", nodes={"mail": [0, 0]})
    assert content_of(await desk.sheet()) == trial.content
    await desk.give("set_param", node="mail", param="template", value="other")
    async with desk.database.snapshot() as tx:
        view = await find_draft(tx, desk.draft)
    assert "older revision" in str(trial_dock(view, trial, now))
    await forget_trial(redis, desk.draft, ADA.id)
    assert await find_trial(redis, desk.draft, ADA.id) is None


async def test_a_rehearsal_tells_its_score_by_node_and_is_kept_by_content(
    desk: Desk, redis: Redis
) -> None:
    async with desk.database.snapshot() as tx:
        view = await find_draft(tx, desk.draft)
        begun = begin_trial(tx, view, words="made-up and pinned data")
    await keep_trial(redis, desk.draft, ADA.id, begun)
    now = desk.database.clock.now()
    assert "faults tried so far" in str(trial_dock(view, begun, now))
    await rehearse_draft(redis, desk.database, view, begun, by=ADA)
    trial = await find_trial(redis, desk.draft, ADA.id)
    assert trial is not None
    assert trial.report is not None
    assert {"server", "install"} <= {
        state.node for state in rehearsal_states(view.sheet, trial.report)
    }
    assert f"{trial.report.score} %" in str(trial_dock(view, trial, now))
    assert "Time-out:" in str(node_trial(trial, "install"))
    async with desk.database.snapshot() as tx:
        scored = await find_rehearsal(tx, content_hash=trial.report.content_hash)
    assert scored is not None
    assert scored.score == trial.report.score


async def test_a_rehearsal_that_was_taken_away_does_not_come_back(desk: Desk, redis: Redis) -> None:
    async with desk.database.snapshot() as tx:
        view = await find_draft(tx, desk.draft)
        begun = begin_trial(tx, view, words="made-up data")
    await rehearse_draft(redis, desk.database, view, begun, by=ADA)
    assert await find_trial(redis, desk.draft, ADA.id) is None
    stalled = msgspec.structs.replace(begun, heard_at=begun.at.replace(year=2000))
    assert "Start it again" in str(trial_dock(view, stalled, desk.database.clock.now()))


async def test_sample_data_is_held_against_what_the_node_gives(desk: Desk) -> None:
    await desk.give("set_pin", node="mail", text='{"mail": 7}')
    sheet = await desk.sheet()
    assert "The node will not give this" in pin_problem(sheet, "mail")
    assert "data-wrong=&#34;pin&#34;" in str(beside_fields(sheet, [], "mail"))
    _, trial = await tried(desk, Ask(only="install"))
    assert trial.run is not None
    output = msgspec.json.encode(trial.run.path[0].output).decode()
    await desk.give("set_pin", node="install", text=output)
    assert pin_problem(await desk.sheet(), "install") == ""
