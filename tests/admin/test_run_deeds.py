"""What a person does to a run: resumed with other input, settled, decided, many at once."""

import json
from uuid import UUID

import pytest

from app.core.database import Database
from app.core.redact import HIDDEN
from app.domain.accounts.roles import Role
from app.flows import registry
from app.flows.document import Document, NodeSpec
from app.flows.edits import BadEdit, HaltedStep, read_edit
from app.flows.nodes import approval
from app.flows.publish import publish
from app.flows.sheet import find_sheet
from tests.admin.conftest import Enter
from tests.admin.stage import Stage
from tests.flows.conftest import Workshop, chain, workshop  # noqa: F401 - the fixture
from tests.flows.nodes import nodes
from tests.security.browser import Browser
from tests.security.test_pages import errors_of

ASK = {"params": {"title": "Deliver it?", "text": "A first order.", "role": "finance"}}
REFUSES = {"params": {"text": "=input.name"}, "name": "Ask"}


HALTED = HaltedStep(
    scope="/", node="ask", step="Ask", type="t.refuse", error="", in_doubt=False, params={}
)


async def halted(workshop: Workshop) -> UUID:  # noqa: F811 - the fixture
    run = await workshop.start(
        chain(ask=("t.refuse", REFUSES), note=("t.note", {"params": {"text": "after"}}))
    )
    await workshop.drive()
    return run


async def test_a_halted_step_is_resumed_with_other_parameters(
    workshop: Workshop,  # noqa: F811 - the fixture
    owner: Browser,
) -> None:
    run = await halted(workshop)
    here = f"/admin/runs/{run}/resume"
    page = await owner.get(here)
    assert "&#34;=input.name&#34;" in page.text
    field = HALTED.field
    for typed, said in (
        ("{", "This is no JSON: Expecting property name"),
        ("[]", "Write a JSON object"),
        ('{"text": "=inputt.name"}', "text: "),
        ('{"txt": 1}', "txt"),
    ):
        refused = await owner.send_form(here, here, {field: typed})
        assert refused.status_code == 422
        assert said in errors_of(refused.text)[field]
        assert typed.replace('"', "&#34;") in refused.text
    done = await owner.send_form(here, here, {field: '{"text": "=input.name + \\"!\\""}'})
    assert done.headers["location"] == f"/admin/runs/{run}"
    await workshop.drive()
    attempts = await workshop.attempts(run)
    assert [one for one in attempts if one[0] == "ask"] == [
        ("ask", 1, "failed"),
        ("ask", 2, "failed"),
    ]
    async with workshop.database.snapshot() as tx:
        kept = await tx.fetchval("SELECT after FROM audit_entry WHERE action = 'run.retried'")
    assert json.loads(kept)["edited"] == ["/:ask"]


async def test_a_run_goes_on_with_another_version(
    workshop: Workshop,  # noqa: F811 - the fixture
    owner: Browser,
) -> None:
    run = await halted(workshop)
    mended = chain(ask=("t.note", {"params": {"text": "yes"}, "name": "Ask"}))
    other = chain(ask=("t.refuse", {"params": {"text": "still not"}, "name": "Ask"}))
    async with workshop.database.transaction() as tx:
        moved = await publish(tx, mended, note="of another type")
        kept = await publish(tx, other, note="says why")
    here = f"/admin/runs/{run}/resume"
    refused = await owner.send_form(here, here, {"version": str(moved)})
    assert refused.status_code == 422
    assert "stands at ask" in errors_of(refused.text)["version"]
    unknown = await owner.send_form(here, here, {"version": str(run)})
    assert errors_of(unknown.text) == {"version": "Choose one of the flow&#39;s versions."}
    done = await owner.send_form(here, here, {"version": str(kept)})
    assert done.status_code == 303
    await workshop.drive()
    page = (await owner.get(f"/admin/runs/{run}")).text
    assert "still not" in page
    assert "version 3" in page


async def test_an_approval_is_decided_by_its_role_and_by_an_owner(
    workshop: Workshop,  # noqa: F811 - the fixture
    enter: Enter,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kinds = {**nodes(), (approval.node.name, approval.node.version): approval.node}
    monkeypatch.setattr(registry, "node_types", lambda: kinds)
    first = await workshop.start(chain(ask=("logic.approval", ASK)), key="a")
    second = await workshop.start(chain(ask=("logic.approval", ASK)), key="b")
    await workshop.drive()
    operator, finance = await enter(Role.OPERATOR), await enter(Role.FINANCE)
    page = (await operator.get(f"/admin/runs/{first}")).text
    assert "The role finance decides." in page
    place = {"scope": "/", "node": "ask"}
    sent = {**place, "decision": "approved"}
    here = f"/admin/runs/{first}/decide"
    asked = f"{here}?scope=/&node=ask"
    assert (await operator.get(asked)).status_code == 403
    assert (await operator.send_form("/admin", here, sent)).status_code == 403
    assert "A first order." in (await finance.get(asked)).text
    unsaid = await finance.send_form(asked, here, {**place, "note": "hm <b>"})
    assert unsaid.status_code == 422
    assert "hm &lt;b&gt;" in unsaid.text
    done = await finance.send_form(asked, here, {**sent, "note": "known client"})
    assert done.status_code == 303
    again = await finance.send_form("/admin", here, sent)
    assert again.headers["location"] == f"/admin/runs/{first}"
    assert "does not wait for that any more" in (await finance.get("/admin")).text
    owner = await enter(Role.OWNER)
    rejected = {**place, "decision": "rejected"}
    here = f"/admin/runs/{second}/decide"
    assert (await owner.send_form(f"{here}?scope=/&node=ask", here, rejected)).status_code == 303
    await workshop.drive()
    async with workshop.database.snapshot() as tx:
        rows = await tx.fetch("SELECT output FROM step_attempt WHERE node = 'ask' ORDER BY run")
    answers = [json.loads(row["output"]) for row in rows]
    assert answers[0] == {"decision": "approved", "by": "finance@slipway.test",
                          "note": "known client"}  # fmt: skip
    assert answers[1]["decision"] == "rejected"


async def test_an_approval_that_names_no_role_asks_operators(
    workshop: Workshop,  # noqa: F811 - the fixture
    enter: Enter,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kinds = {**nodes(), (approval.node.name, approval.node.version): approval.node}
    monkeypatch.setattr(registry, "node_types", lambda: kinds)
    run = await workshop.start(chain(ask=("logic.approval", {"params": {"title": "Go on?"}})))
    await workshop.drive()
    finance, operator = await enter(Role.FINANCE), await enter(Role.OPERATOR)
    assert "The role operator decides." in (await finance.get(f"/admin/runs/{run}")).text
    here = f"/admin/runs/{run}/decide"
    sent = {"scope": "/", "node": "ask", "decision": "approved"}
    done = await operator.send_form(f"{here}?scope=/&node=ask", here, sent)
    assert done.status_code == 303
    await workshop.drive()
    assert await workshop.status(run) == "succeeded"


async def doubtful(workshop: Workshop) -> UUID:  # noqa: F811 - the fixture
    """Return a run whose call was under way when its worker was lost."""
    run = await halted(workshop)
    async with workshop.database.transaction() as tx:
        await tx.execute("UPDATE token SET doubt = true WHERE run = $1", run)
        await tx.execute(
            "UPDATE step_attempt SET status = 'ambiguous' WHERE run = $1 AND node = 'ask'", run
        )
    return run


async def test_a_step_in_doubt_is_settled_and_never_retried_unseen(
    workshop: Workshop,  # noqa: F811 - the fixture
    owner: Browser,
) -> None:
    run = await doubtful(workshop)
    listed = (await owner.get("/admin/runs?view=doubt")).text
    assert str(run) in listed
    page = (await owner.get(f"/admin/runs/{run}")).text
    assert "“Ask” is in doubt" in page
    assert f"/admin/runs/{run}/retry" not in page
    for way in ("retry", "resume"):
        refused = await owner.send_form("/admin/runs", f"/admin/runs/{run}/{way}")
        assert refused.status_code == 303
        assert "in doubt; say first" in (await owner.get("/admin")).text
    here = f"/admin/runs/{run}/settle"
    asked = f"{here}?scope=/&node=ask"
    assert f"{run}:/:ask" in (await owner.get(asked)).text
    place = {"scope": "/", "node": "ask"}
    unsaid = await owner.send_form(asked, here, place)
    assert "happened" in errors_of(unsaid.text)
    bad = await owner.send_form(asked, here, {**place, "happened": "yes", "output": "{'a'}"})
    assert bad.status_code == 422
    assert "line 1, column 2" in errors_of(bad.text)["output"]
    assert "{&#39;a&#39;}" in bad.text
    done = await owner.send_form(asked, here, {**place, "happened": "yes", "output": '{"id": 7}'})
    assert done.status_code == 303
    await workshop.drive()
    assert await workshop.status(run) == "succeeded"
    async with workshop.database.snapshot() as tx:
        raw = await tx.fetchval(
            "SELECT output FROM step_attempt WHERE run = $1 AND node = 'ask' "
            "ORDER BY attempt DESC LIMIT 1",
            run,
        )
    assert json.loads(raw) == {"id": 7}
    gone = await owner.get(asked)
    assert gone.headers["location"] == f"/admin/runs/{run}"


async def test_what_did_not_happen_is_done_again(
    workshop: Workshop,  # noqa: F811 - the fixture
    owner: Browser,
) -> None:
    run = await doubtful(workshop)
    here = f"/admin/runs/{run}/settle"
    place = {"scope": "/", "node": "ask", "happened": "no"}
    await owner.send_form(f"{here}?scope=/&node=ask", here, place)
    await workshop.drive()
    told = [one for one in await workshop.attempts(run) if one[0] == "ask"]
    assert told == [("ask", 1, "ambiguous"), ("ask", 2, "failed")]


async def test_many_are_retried_at_once(stage: Stage, owner: Browser) -> None:
    _, first = await stage.halted(host="a.example.org")
    _, second = await stage.halted(host="b.example.org", product="metal-m")
    _, moving = await stage.installing(host="c.example.org", client=1)
    _, doubt = await stage.halted(host="d.example.org", client=2)
    async with stage.database.transaction() as tx:
        await tx.execute("UPDATE token SET doubt = true WHERE run = $1 AND state = 'halted'", doubt)
    page = (await owner.get("/admin/runs?view=stuck")).text
    assert page.count('name="run"') == 3
    chosen = [str(run) for run in (first, second, moving, doubt)]
    done = await owner.send_form(
        "/admin/runs", "/admin/runs/many",
        {"run": chosen, "deed": "retry", "back": "/admin/runs?view=stuck"},  # type: ignore[dict-item]
    )  # fmt: skip
    assert done.headers["location"] == "/admin/runs?view=stuck"
    told = (await owner.get("/admin/runs")).text
    assert "2 runs are tried again." in told
    assert "1 in doubt" in told
    assert "1 left as they were" in told
    async with stage.database.snapshot() as tx:
        rows = await tx.fetch("SELECT id FROM run WHERE status = 'running'")
        assert {row["id"] for row in rows} == {first, second}
        assert (
            await tx.fetchval("SELECT count(*) FROM audit_entry WHERE action = 'run.retried'") == 2
        )


async def test_many_are_cancelled_with_one_reason(stage: Stage, owner: Browser) -> None:
    _, first = await stage.halted(host="a.example.org")
    _, second = await stage.installing(host="b.example.org", client=1)
    none = await owner.send_form("/admin/runs", "/admin/runs/many", {"deed": "cancel"})
    assert none.headers["location"] == "/admin/runs"
    chosen = {"run": [str(first), str(second), "x"], "back": "/admin/runs?q=example"}
    sent = await owner.send_form(
        "/admin/runs",
        "/admin/runs/many",
        {**chosen, "deed": "cancel"},  # type: ignore[dict-item]
    )
    asked = sent.headers["location"]
    page = (await owner.get(asked)).text
    assert "Cancel 2 runs" in page
    assert "b.example.org" in page
    refused = await owner.send_form(asked, "/admin/runs/cancel", chosen)  # type: ignore[arg-type]
    assert (refused.status_code, list(errors_of(refused.text))) == (422, ["reason"])
    assert str(second) in refused.text
    done = await owner.send_form(
        asked,
        "/admin/runs/cancel",
        {**chosen, "reason": "a test"},  # type: ignore[dict-item]
    )
    assert done.headers["location"] == "/admin/runs?q=example"
    async with stage.database.snapshot() as tx:
        assert await tx.fetchval("SELECT count(*) FROM run WHERE cancel_requested") == 2
        reasons = await tx.fetch(
            "SELECT reason FROM audit_entry WHERE action = 'run.cancel_requested'"
        )
    assert [row["reason"] for row in reasons] == ["a test", "a test"]


@pytest.mark.parametrize("role", [Role.FINANCE, Role.DESIGNER])
async def test_who_may_not_change_runs_sees_no_way_to(
    workshop: Workshop,  # noqa: F811 - the fixture
    enter: Enter,
    role: Role,
) -> None:
    run = await doubtful(workshop)
    browser = await enter(role)
    page = (await browser.get("/admin/runs")).text
    assert 'name="run"' not in page
    page = (await browser.get(f"/admin/runs/{run}")).text
    assert "/settle" not in page
    for deed in ("resume", "settle", "cancel"):
        assert (await browser.get(f"/admin/runs/{run}/{deed}")).status_code == 403
        assert (await browser.send_form("/admin", f"/admin/runs/{run}/{deed}")).status_code == 403
    assert (await browser.send_form("/admin", "/admin/runs/many", {})).status_code == 403


def test_a_secret_that_was_shown_hidden_stays_what_it_was() -> None:
    step = HaltedStep(
        scope="/", node="ask", step="Ask", type="t.x", error="", in_doubt=False,
        params={"password": "=vars.kept", "list": [{"token": "=vars.too"}], "n": 1},
    )  # fmt: skip
    assert "vars" not in step.text
    document = Document(flow="x", nodes={"ask": NodeSpec(type="t.unknown")}, edges=())
    assert read_edit(step, step.text, document) is None
    typed = json.dumps({"password": HIDDEN, "list": [{"token": HIDDEN}, HIDDEN], "n": 2})
    assert read_edit(step, typed, document) == {
        "password": "=vars.kept", "list": [{"token": "=vars.too"}, None], "n": 2,
    }  # fmt: skip
    with pytest.raises(BadEdit, match="does not have this step"):
        read_edit(step, typed, Document(flow="x", nodes={}, edges=()))
    with pytest.raises(BadEdit, match="nested too deep"):
        read_edit(step, "[" * 50_000, document)


async def test_a_sheet_tells_variables_ledger_and_sub_runs(
    workshop: Workshop,  # noqa: F811 - the fixture
    database: Database,
    owner: Browser,
) -> None:
    run = await halted(workshop)
    child = await workshop.start(chain(note="t.note"), key="child")
    async with database.transaction() as tx:
        await tx.execute("UPDATE run SET parent = $2 WHERE id = $1", child, run)
        await tx.execute(
            "INSERT INTO run_variable (run, name, value) VALUES ($1, 'plan', '\"small\"'), "
            "($1, 'root_password', '\"hunter2\"')",
            run,
        )
        await tx.execute(
            "INSERT INTO run_resource (run, node, kind, reference, state, taken_at) "
            "VALUES ($1, 'ask', 'dns_record', 'A web-1', 'taken', $2)",
            run,
            tx.now(),
        )
        sheet = await find_sheet(tx, run)
    assert sheet.variables == {"plan": "small", "root_password": HIDDEN}
    assert [(one.kind, one.state) for one in sheet.ledger] == [("dns_record", "taken")]
    assert [one.id for one in sheet.children] == [child]
    page = (await owner.get(f"/admin/runs/{run}")).text
    for words in ("Dns record", "A web-1", "small", f"/admin/runs/{child}"):
        assert words in page
    assert "hunter2" not in page
    assert f"/admin/runs/{run}" in (await owner.get(f"/admin/runs/{child}")).text
    assert str(child) in (await owner.get(f"/admin/runs?q={run}")).text
