"""A version tried before it is trusted: its rehearsal with the score kept, and dry runs."""

import msgspec

from app.domain.accounts.roles import Role
from app.flows.document import parse
from app.flows.publish import publish
from tests.admin.conftest import Enter
from tests.admin.stage import Stage
from tests.admin.test_flow_deeds import audited, told
from tests.api.documents import document
from tests.security.browser import Browser

FLOW = "/admin/flows/dedicated-server"
REHEARSAL = f"{FLOW}/rehearsal/1"


async def test_a_rehearsal_is_kept_and_shown_with_the_version(
    stage: Stage, owner: Browser, enter: Enter
) -> None:
    assert "Not rehearsed yet" in (await owner.get(REHEARSAL)).text
    page = await told(owner, await owner.send_form(REHEARSAL, REHEARSAL))
    for words in (
        "survived or undone clean", "Crash after the call", "Halts for a person",
        "25 points are missing: 18 of 74 faults are not survived. At each of them it stops for a",
        "It halts at Send credentials for a person at the first try: ",
        "It halts at Send credentials for a person after 5 tries: ",
    ):  # fmt: skip
        assert words in page
    assert len(await audited(stage.database, "flow.rehearsed")) == 1
    async with stage.database.snapshot() as tx:
        score = await tx.fetchval("SELECT score FROM flow_rehearsal")
    for place in ("/admin/flows", FLOW):
        assert f"{score} %" in (await owner.get(place)).text
    operator = await enter(Role.OPERATOR)
    assert "Rehearse it" not in (await operator.get(REHEARSAL)).text
    assert (await operator.send_form("/admin", REHEARSAL)).status_code == 403
    for odd in ("rehearsal/0", "rehearsal/9", f"dry-run/{2**40}", "dry-run/2"):
        assert (await owner.get(f"{FLOW}/{odd}")).status_code == 404


async def test_a_dry_run_shows_path_effects_and_time(stage: Stage, owner: Browser) -> None:
    await stage.delivered()
    where = f"{FLOW}/dry-run/1"
    page = (await owner.send_form(where, where)).text
    for words in ("Comes to its end", "Install OS", "our database", "Effects, in order"):
        assert words in page
    async with stage.database.snapshot() as tx:
        assert await tx.fetchval("SELECT count(*) FROM run") == 1


async def test_the_input_of_a_dry_run_is_checked(stage: Stage, owner: Browser) -> None:
    inputs = {
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": {"type": "string"},
            "ports": {"type": "array", "items": {"type": "integer"}},
        },
    }
    async with stage.database.transaction() as tx:
        await publish(tx, parse(msgspec.json.encode(document(inputs=inputs))), note="first")
    where = "/admin/flows/greet/dry-run/1"
    bad = await owner.send_form(where, where, {"$.ports#": "1", "$.ports[0]": "x"})
    assert (bad.status_code, 'id="$.ports[0]-error"' in bad.text) == (422, True)
    some = await owner.send_form(where, where, {"$.ports#": "1", "$.ports[0]": "22"})
    assert (some.status_code, 'id="$.name-error"' in some.text) == (422, True)
    made_up = await owner.send_form(where, where, {"$.ports#": "1", "$.ports[0]": " "})
    assert (made_up.status_code, "Comes to its end" in made_up.text) == (200, True)
    good = await owner.send_form(where, where, {"$.name": "Ada"})
    assert (good.status_code, "Comes to its end" in good.text) == (200, True)
    more = await owner.send_form(where, where, {"add": "$.ports"})
    assert 'name="$.ports[0]"' in more.text
