"""What a person does to a flow on its page, and what is refused."""

from importlib.resources import files
from typing import Any

import pytest
from httpx import Response
from msgspec.structs import replace

from app.core.database import Database
from app.core.ids import new_id
from app.domain.accounts.roles import Role
from app.flows.document import parse
from app.flows.drafts.open import open_flow
from app.flows.drafts.views import Designer
from app.flows.gallery import find_template
from app.flows.publish import publish
from tests.admin.conftest import Enter
from tests.admin.stage import Stage
from tests.security.browser import Browser

FLOW = "/admin/flows/dedicated-server"


async def do(
    browser: Browser, deed: str, page: str = "/admin/flows/dedicated-server", **values: str
) -> Response:
    return await browser.send_form(page, f"{FLOW}/{deed}", values)


async def told(browser: Browser, answer: Response) -> str:
    """Return the page to which a deed leads."""
    assert answer.status_code == 303, answer.text
    return (await browser.get(answer.headers["location"])).text


async def audited(database: Database, action: str) -> list[dict[str, Any]]:
    async with database.snapshot() as tx:
        rows = await tx.fetch(
            "SELECT actor_label, reason FROM audit_entry WHERE action = $1 ORDER BY at, id", action
        )
    return [dict(row) for row in rows]


async def publish_other(
    stage: Stage, *, slug: str = "dedicated-server", name: str = "Put it in"
) -> None:
    """Publish the shipped flow with another name of a node, under a slug."""
    shipped = parse(files("app.flows.templates").joinpath("dedicated-server.json").read_text())
    nodes = {**shipped.nodes, "install": replace(shipped.nodes["install"], name=name)}
    other = replace(shipped, nodes=nodes, flow=slug, name=f"The {slug}")
    async with stage.database.transaction() as tx:
        await publish(tx, other, note=f"named {name}")


async def test_a_category_is_bound_in_place_of_what_served_it_and_unbound(
    stage: Stage, owner: Browser
) -> None:
    await publish_other(stage, slug="second")
    page = (await owner.get("/admin/flows/second")).text
    assert "Bind in place of Dedicated server" in page
    bind = {"category": "dedicated", "instead_of": "dedicated-server"}
    for words in ("It serves dedicated from now on, in place of dedicated-server.", "from now on."):
        # Sent twice, it is done once; and only what changed something can be taken back.
        answer = await owner.send_form("/admin/flows/second", "/admin/flows/second/bind", bind)
        page = await told(owner, answer)
        assert words in page
        assert ("Put dedicated-server back" in page) == ("in place of" in words)
    assert len(await audited(stage.database, "flow.bound")) == 2  # one of them the stage's
    taken_back = await do(owner, "bind", category="dedicated", instead_of="second")
    assert "in place of second. " in (await told(owner, taken_back)).replace("<", " ")
    await owner.send_form("/admin/flows/second", "/admin/flows/second/bind", bind)
    late = await do(owner, "bind", category="dedicated", instead_of="gone")
    assert "Meanwhile second serves dedicated" in await told(owner, late)
    unbound = await owner.send_form("/admin/flows/second", "/admin/flows/second/unbind/dedicated")
    assert "No flow serves dedicated now" in await told(owner, unbound)
    again = await owner.send_form("/admin/flows/second", "/admin/flows/second/unbind/dedicated")
    assert "does not serve dedicated any more" in await told(owner, again)
    listed = (await owner.get("/admin/flows?part=list")).text
    assert "paid orders wait for a person" in listed
    assert "<html" not in listed
    assert (await do(owner, "bind", category="none")).status_code == 404


async def test_a_flow_for_a_cloud_brings_along_what_comes_after_delivery(
    stage: Stage, owner: Browser
) -> None:
    async with stage.database.transaction() as tx:
        await publish(tx, find_template("dedicated-ironic"), note="ours")
    bind = {"category": "dedicated", "instead_of": "dedicated-server"}
    here = "/admin/flows/dedicated-ironic"
    page = await told(owner, await owner.send_form(here, f"{here}/bind", bind))
    assert "With it, for what comes after delivery: ironic-suspended" in page
    assert "ironic-rescue" in page
    assert (await owner.get("/admin/flows/ironic-rescue")).status_code == 200


async def test_an_old_version_runs_again_with_a_note(stage: Stage, owner: Browser) -> None:
    await publish_other(stage)
    ask = f"{FLOW}/roll-back/1"
    page = (await owner.get(ask)).text
    assert "as version 3" in page
    assert "Put it in" in page
    silent = await do(owner, "roll-back/1", ask, latest="2", reason=" ")
    assert (silent.status_code, "Say why" in silent.text) == (422, True)
    done = await do(owner, "roll-back/1", ask, latest="2", reason="it was better")
    assert "Version 3 runs what version 1 said" in await told(owner, done)
    again = await do(owner, "roll-back/1", ask, latest="2", reason="it was better")
    assert "Version 3 says what version 1 said" in await told(owner, again)
    late = await do(owner, "roll-back/2", f"{FLOW}/roll-back/2", latest="2", reason="no")
    assert (late.status_code, "was published meanwhile by" in late.text) == (422, True)
    reasons = [line["reason"] for line in await audited(stage.database, "flow.published")]
    assert reasons[-1] == "Back to version 1: it was better"
    for odd in ("roll-back/9", "roll-back/0", f"roll-back/{2**40}"):
        assert (await owner.get(f"{FLOW}/{odd}")).status_code == 404


async def test_a_flow_is_disabled_with_its_runs_and_enabled_again(
    stage: Stage, owner: Browser
) -> None:
    _, run = await stage.installing()
    ask = f"{FLOW}/disable"
    page = (await owner.get(ask)).text
    assert "1 run is under way" in page
    assert "Nothing else serves" in page
    assert (await do(owner, "disable", ask, live="finish")).status_code == 422
    assert (await do(owner, "disable", ask, live="burn", reason="x")).status_code == 422
    off = await do(owner, "disable", ask, live="cancel", reason="it mails everyone twice")
    page = await told(owner, off)
    for words in ("1 of its runs are being cancelled", "it mails everyone twice", "Enable…"):
        assert words in page
    again = await do(owner, "disable", live="finish", reason="me too")
    assert "disabled already" in await told(owner, again)
    assert "disabled already" in await told(owner, await owner.get(ask))
    async with stage.database.snapshot() as tx:
        assert await tx.fetchval("SELECT cancel_requested FROM run WHERE id = $1", run)
    assert "it mails everyone twice" in (await owner.get("/admin/flows")).text
    ask = f"{FLOW}/enable"
    assert (await do(owner, "enable", ask)).status_code == 422
    on = await do(owner, "enable", ask, reason="mended")
    assert "It is enabled" in await told(owner, on)
    assert "enabled already" in await told(owner, await do(owner, "enable", reason="mended"))
    assert "enabled already" in await told(owner, await owner.get(ask))
    assert [line["reason"] for line in await audited(stage.database, "flow.enabled")] == ["mended"]


async def test_a_designer_disables_but_cancels_no_run(stage: Stage, enter: Enter) -> None:
    designer = await enter(Role.DESIGNER)
    ask = f"{FLOW}/disable"
    assert "your role does not cancel runs" in (await designer.get(ask)).text
    refused = await do(designer, "disable", ask, live="cancel", reason="now")
    assert (refused.status_code, "ask an operator" in refused.text) == (422, True)
    assert (await do(designer, "disable", ask, live="finish", reason="now")).status_code == 303


@pytest.mark.parametrize("deed", ["bind", "unbind/dedicated", "roll-back/1", "disable", "enable"])
async def test_an_operator_changes_no_flow(stage: Stage, enter: Enter, deed: str) -> None:
    operator = await enter(Role.OPERATOR)
    sent = await do(operator, deed, "/admin", category="dedicated", reason="why")
    assert sent.status_code == 403


async def test_two_versions_are_compared_in_the_page(stage: Stage, owner: Browser) -> None:
    await publish_other(stage)
    where = f"{FLOW}/changes?before=1&after=2"
    part = await owner.get(where, headers={"HX-Request": "true"})
    assert part.text.startswith('<div id="changes"')
    assert "<ins>Put it in</ins>" in part.text
    assert "From version 1 to 2" in (await owner.get(where)).text
    facts = (await owner.get(f"{FLOW}?part=facts")).text
    assert "named Put it in" in facts
    assert "<html" not in facts


async def test_a_draft_that_was_drawn_on_is_told_of(stage: Stage, owner: Browser) -> None:
    stage.clock.advance(minutes=5)
    async with stage.database.transaction() as tx:
        draft = await open_flow(tx, "dedicated-server", by=Designer(new_id(), "test"))
    assert "Draft is newer" not in (await owner.get("/admin/flows")).text
    async with stage.database.transaction() as tx:
        await tx.execute("UPDATE flow_draft SET rev = 1 WHERE id = $1", draft)
    assert "Draft is newer" in (await owner.get("/admin/flows")).text
    assert f"/designer/drafts/{draft}" in (await owner.get(FLOW)).text
