"""A flow started by hand: the form of its input, whom it is about, and once for each form."""

import re

import msgspec
import pytest

from app.domain.accounts.roles import Role
from app.flows.about import find_subjects, require_subject
from app.flows.disable import disable_flow
from app.flows.document import parse
from app.flows.node import Subject
from app.flows.publish import publish
from tests.admin.conftest import Enter
from tests.admin.stage import Stage
from tests.admin.test_flow_deeds import told
from tests.api.documents import document
from tests.security.browser import Browser

START = "/admin/flows/greet/start"
INPUTS = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": {"type": "string"},
        "ports": {"type": "array", "items": {"type": "integer"}},
    },
}


@pytest.fixture
async def greet(stage: Stage) -> None:
    raw = msgspec.json.encode(document(inputs=INPUTS))
    async with stage.database.transaction() as tx:
        await publish(tx, parse(raw), note="first")


def hidden(page: str) -> dict[str, str]:
    return dict(re.findall(r'name="(once|version)" value="([^"]+)"', page))


@pytest.mark.usefixtures("greet")
async def test_a_run_begins_about_an_order_once_for_each_form(stage: Stage, owner: Browser) -> None:
    order = await stage.paid(host="web-7.example.org")
    page = (await owner.get(START)).text
    words = f"#{order.number} web-7.example.org"
    assert words in page
    assert words in (await owner.get("/admin/flows/greet/subjects?about=web-7")).text
    values = hidden(page) | {"about": words, "$.name": "Ada", "$.ports#": "1", "$.ports[0]": "22"}
    first = await owner.send_form(START, START, values)
    assert "The run is queued" in await told(owner, first)
    again = await owner.send_form(START, START, values)
    assert again.headers["location"] == first.headers["location"]
    async with stage.database.snapshot() as tx:
        row = await tx.fetchrow("SELECT subject, input FROM run WHERE subject_kind = 'order'")
        by = await tx.fetchval("SELECT actor_label FROM audit_entry WHERE action = 'run.started'")
    assert row is not None
    assert (row["subject"], by) == (order.id, "owner@slipway.test")
    assert msgspec.json.decode(row["input"]) == {"name": "Ada", "ports": [22]}


@pytest.mark.usefixtures("greet")
async def test_everything_wrong_is_said_beside_its_field(stage: Stage, owner: Browser) -> None:
    page = (await owner.get(START)).text
    values = hidden(page) | {"about": "nobody", "$.ports#": "1", "$.ports[0]": "x"}
    refused = await owner.send_form(START, START, values)
    assert refused.status_code == 422
    for key in ("about", "$.name", "$.ports[0]"):
        assert f'id="{key}-error"' in refused.text
    assert "There is no order like this" in refused.text
    await stage.paid(host="a.example.org")
    await stage.paid(host="b.example.org")
    several = await owner.send_form(START, START, values | {"about": "example.org"})
    assert "may be meant; choose one" in several.text
    stale = await owner.send_form(START, START, values | {"version": "7"})
    assert "Version 1 was published meanwhile" in stale.text
    more = await owner.send_form(START, START, values | {"add": "$.ports"})
    assert (more.status_code, 'name="$.ports[1]"' in more.text) == (200, True)
    part = await owner.send_form(
        START, START, values | {"remove": "$.ports[0]"}, headers={"HX-Request": "true"}
    )
    assert part.text.startswith('<div id="inputs"')
    assert 'name="$.ports[0]"' not in part.text


@pytest.mark.usefixtures("greet")
async def test_only_who_steers_runs_starts_one(stage: Stage, enter: Enter) -> None:
    designer = await enter(Role.DESIGNER)
    assert (await designer.get(START)).status_code == 403
    assert (await designer.send_form("/admin", START, {})).status_code == 403
    assert "Run now" not in (await designer.get("/admin/flows/greet")).text
    assert "Run now" in (await (await enter(Role.OPERATOR)).get("/admin/flows/greet")).text


@pytest.mark.usefixtures("greet")
async def test_a_disabled_flow_does_not_start(stage: Stage, owner: Browser) -> None:
    order = await stage.paid()
    values = hidden((await owner.get(START)).text) | {"about": str(order.id), "$.name": "Ada"}
    async with stage.database.transaction() as tx:
        await disable_flow(tx, "greet", actor=None, actor_label="test", reason="no")
    refused = await owner.send_form(START, START, values)
    assert (refused.status_code, "The flow greet is disabled" in refused.text) == (422, True)
    assert "Run now" not in (await owner.get("/admin/flows/greet")).text


async def test_each_kind_is_found_by_number_id_and_words(stage: Stage) -> None:
    order = await stage.delivered()
    assert order.service_id is not None
    async with stage.database.snapshot() as tx:
        payment = await tx.fetchval("SELECT id FROM payment")
        for kind, wanted in (
            (Subject.ORDER, order.id),
            (Subject.SERVICE, order.service_id),
            (Subject.PAYMENT, payment),
        ):
            for words in ("", f"#{order.number}", str(wanted), order.hostname, "client1@"):
                (found,) = await find_subjects(tx, kind, words)
                assert (kind, words, found.id) == (kind, words, wanted)
            assert await require_subject(tx, kind, found.words) == wanted
            assert await find_subjects(tx, kind, "#9" + "9" * 30) == ()
