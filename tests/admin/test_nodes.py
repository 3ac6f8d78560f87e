"""The list of nodes: what clouds say is shown to staff, and put right by those who may."""

import re
from uuid import UUID

from httpx import Response
from msgspec.structs import replace

from app.components.admin.node_card import FROM_SERVER
from app.components.admin.node_errand import errand_region
from app.components.admin.nodes import SHOWN
from app.domain.accounts.roles import Role
from app.domain.inventory.power import note_power
from app.domain.inventory.put_back import await_erasure
from app.domain.inventory.quarantine import quarantine
from app.domain.metal.ask import ask_clean
from app.domain.metal.errand import ErrandState, end, last_errand
from app.domain.metal.keep import put_aside
from app.domain.metal.watch import note_silence
from app.drivers.power import Power
from tests.admin.conftest import Enter
from tests.admin.stage import Stage
from tests.metal.books import CLOUD, WORDS, hear, seven_nodes
from tests.security.browser import Browser

HERE = "/admin/nodes"


async def test_nodes_are_listed_and_found(stage: Stage, owner: Browser, enter: Enter) -> None:
    assert "No nodes yet" in (await owner.get(HERE)).text
    servers, shown = await seven_nodes(stage)
    await hear(stage.database, stage.clock, *shown, times=1)
    page = (await owner.get(f"{HERE}?view=differs")).text
    assert "Nothing matches" in page, "one reading is no proof"
    await hear(stage.database, stage.clock, *shown, times=1)
    page = (await owner.get(HERE)).text
    assert "7 in all" in page
    assert WORDS in page
    assert "a fan is changed" in page
    assert f"/admin/servers/{servers['off']}" in page
    for view, names in (
        ("differs", {"gone", "failed", "occupied", "care", "off"}),
        ("active", {"well", "off", "occupied"}),
        ("available", {"care", "nobodys"}),
        ("failed", {"failed"}),
        ("nobodys", {"nobodys"}),
        ("working", set()),
    ):
        rows = (await owner.get(f"{HERE}/rows?view={view}")).text
        everyone = {"id-of-gone", *(node.name for node in shown)}
        found = {name.removeprefix("id-of-") for name in everyone if f">{name}<" in rows}
        assert found == names, view
    assert ">off<" in (await owner.get(f"{HERE}?q=off.example")).text
    assert "Nothing matches" in (await owner.get(f"{HERE}?q=nothing-like-it")).text
    assert (await owner.send_form(HERE, f"{HERE}/clouds/{CLOUD}/look", {})).status_code == 303
    assert (await (await enter(Role.CLIENT)).get(HERE)).status_code == 404
    designer = await enter(Role.DESIGNER)
    assert "Look now" not in (await designer.get(HERE)).text
    assert (await designer.send_form(HERE, f"{HERE}/clouds/{CLOUD}/look", {})).status_code == 403


async def test_a_silent_cloud_and_many_that_vanish_are_said_first(
    stage: Stage, owner: Browser
) -> None:
    _, shown = await seven_nodes(stage)
    await hear(stage.database, stage.clock, shown[0])
    assert "5 nodes of clouds are not" in (await owner.get("/admin")).text
    assert f"{CLOUD} shows 5 of 6 servers no more" in (await owner.get(HERE)).text
    async with stage.database.transaction() as tx:
        await note_silence(tx, CLOUD, "no answer within 80 s")
    assert "nodes of clouds are not" not in (await owner.get("/admin")).text, "nobody knows"
    page = (await owner.get(f"{HERE}/rows")).text
    assert f"{CLOUD} does not answer" in page
    assert "no answer within 80 s" in page
    assert "not known now" in page


async def test_what_differs_is_put_right(stage: Stage, owner: Browser, enter: Enter) -> None:
    servers, shown = await seven_nodes(stage)
    await hear(stage.database, stage.clock, *shown)
    rows = await stage.database.pool.fetch("SELECT id, name FROM cloud_node")
    ids = {row["name"].removeprefix("id-of-"): row["id"] for row in rows}

    async def click(name: str, deed: str, **given: str) -> Response:
        here = f"{HERE}/{ids[name]}/{deed}"
        return await owner.send_form(here if given else HERE, here, given)

    page = (await owner.get(HERE)).text
    for name, deed, there in (
        ("off", "start", True), ("off", "stop", False), ("well", "stop", False),
        ("gone", "forget", True), ("failed", "aside", True), ("failed", "offer", True),
        ("care", "aside", True), ("care", "offer", False), ("occupied", "release", True),
        ("care", "end_maintenance", True), ("well", "end_maintenance", False),
        ("nobodys", "release", False),
    ):  # fmt: skip
        assert (f"{HERE}/{ids[name]}/{deed}" in page) == there, (name, deed)
    assert "5 nodes of clouds are not as they should be" in (await owner.get("/admin")).text
    designer = await enter(Role.DESIGNER)
    assert "Forget the node" not in (await designer.get(HERE)).text
    assert (await designer.get(f"{HERE}/{ids['failed']}/offer")).status_code == 403

    assert (await click("off", "start")).status_code == 303
    await click("off", "start")
    assert "is being done about the node off already" in (await owner.get(HERE)).text
    await click("well", "stop")
    assert "not the way to put it right" in (await owner.get(HERE)).text
    assert (await click("gone", "forget")).status_code == 303
    assert (await click("care", "aside")).status_code == 303
    refused = await click("failed", "offer", reason="", typed="other")
    assert refused.status_code == 422
    assert "Type failed, to be sure" in refused.text
    assert (await click("failed", "offer", reason="new disks", typed="failed")).status_code == 303
    asked = await owner.get(f"{HERE}/{ids['occupied']}/release")
    assert "another Slipway may have it" in asked.text
    given = {"reason": "left over", "typed": "occupied"}
    assert (await click("occupied", "release", **given)).status_code == 303
    assert (await owner.get(f"{HERE}/{ids['occupied']}/explode")).status_code == 404
    assert (await owner.get(f"{HERE}/{ids['well']}/offer")).status_code == 303
    ordered = await stage.database.pool.fetch(
        "SELECT payload->>'deed' AS deed, payload->>'node' AS node FROM outbox "
        "WHERE topic = 'node.remedy' ORDER BY id"
    )
    assert [tuple(row) for row in ordered] == [
        ("start", "id-of-off"), ("offer", "id-of-failed"), ("release", "id-of-occupied"),
    ]  # fmt: skip
    linked = await stage.database.pool.fetch("SELECT server FROM metal_node")
    assert servers["gone"] not in {row["server"] for row in linked}
    care = await stage.database.pool.fetchrow(
        "SELECT state, state_reason FROM server WHERE id = $1", servers["care"]
    )
    assert tuple(care) == ("maintenance", f"{CLOUD} has it in maintenance: a fan is changed")
    await hear(stage.database, stage.clock, *shown)
    rest = (await owner.get(f"{HERE}/rows?view=differs")).text
    assert ">care<" not in rest
    assert ">id-of-gone<" not in rest
    trail = (await owner.get(f"/admin/servers/{servers['gone']}")).text
    assert "Forget its node" in trail


async def test_a_server_of_a_cloud_is_switched_by_it(stage: Stage, owner: Browser) -> None:
    servers, shown = await seven_nodes(stage)
    await hear(stage.database, stage.clock, *shown)
    async with stage.database.transaction() as tx:
        await note_power(tx, servers["off"], Power.OFF)
    here = f"/admin/servers/{servers['off']}/reconcile-power"
    assert (await owner.send_form(here, here, {})).status_code == 303
    topics = await stage.database.pool.fetch("SELECT topic FROM outbox WHERE topic LIKE '%re%'")
    assert "node.remedy" in {row["topic"] for row in topics}
    assert "power.reconcile" not in {row["topic"] for row in topics}


async def test_maintenance_at_a_cloud_is_shown_with_its_reason_and_ended_by_a_click(
    stage: Stage, owner: Browser, enter: Enter
) -> None:
    servers, shown = await seven_nodes(stage)
    await hear(stage.database, stage.clock, *shown)
    here = f"/admin/servers/{servers['care']}"
    page = (await owner.get(here)).text
    assert "a fan is changed" in page
    form = re.search(rf'action="({HERE}/[^"]+/end_maintenance)"', page)
    assert form is not None
    broken = (await owner.get(f"/admin/servers/{servers['failed']}")).text
    assert f"clean failure, by the cloud itself: {WORDS}" in broken
    assert f"clean failure, by the cloud itself: {WORDS}" in (await owner.get(HERE)).text
    assert "end_maintenance" not in (await owner.get(f"/admin/servers/{servers['well']}")).text
    designer = await enter(Role.DESIGNER)
    looks_on = (await designer.get(here)).text
    assert "a fan is changed" in looks_on
    assert "end_maintenance" not in looks_on

    for since in ("a disk is changed", ""):
        moved = await owner.send_form(here, form[1], {FROM_SERVER: "yes", SHOWN: since})
        assert moved.headers["location"] == here
        page = (await owner.get(here)).text
        assert "for another reason by now: a fan is changed" in page
    assert f'name="{SHOWN}" value="a fan is changed"' in page
    assert f'name="{SHOWN}" value="a fan is changed"' in (await owner.get(HERE)).text
    assert await stage.database.pool.fetchval(
        "SELECT count(*) FROM outbox WHERE topic = 'node.remedy'"
    ) == 0  # fmt: skip

    given = {FROM_SERVER: "yes", SHOWN: " a fan\r\nis changed"}
    done = await owner.send_form(here, form[1], given)
    assert (done.status_code, done.headers["location"]) == (303, here)
    again = await owner.send_form(here, form[1], given)
    assert again.headers["location"] == here
    page = (await owner.get(here)).text
    assert "Something is being done about its node" in page
    assert "Have its cloud end its maintenance" in page, "the trail says so"
    assert "a fan is changed" in page
    ordered = await stage.database.pool.fetch(
        "SELECT payload->>'maintenance_reason' AS reason FROM outbox WHERE topic = 'node.remedy'"
    )
    assert [row["reason"] for row in ordered] == ["a fan is changed"]
    remedy = next(one for one in shown if one.name == "care")
    await hear(stage.database, stage.clock, replace(remedy, in_maintenance=False), times=1)
    assert ">Maintenance<" not in (await owner.get(here)).text


async def test_a_cleaning_is_gone_on_with_and_one_that_failed_is_tried_again_by_itself(
    stage: Stage, owner: Browser
) -> None:
    servers, _ = await seven_nodes(stage)
    server = servers["care"]
    async with stage.database.transaction() as tx:
        await quarantine(tx, server, "deploy failed")
        await await_erasure(tx, server)
        first = await ask_clean(tx, server, actor=None, actor_label="system")
    here = f"{HERE}/errands/{first}"
    assert f"Cleaning of {await _name(stage, server)}" in (await owner.get(here)).text
    assert (await owner.send_form(here, f"{here}/stop", {})).status_code == 303
    assert "Go on" in (await owner.get(here)).text
    again = await owner.send_form(here, f"{here}/again", {})
    there = again.headers["location"]
    assert there.startswith(f"{HERE}/errands/")
    async with stage.database.transaction() as tx:
        errand = await last_errand(tx, server)
        assert errand is not None
        await end(tx, errand, ErrandState.failed, error=WORDS)
        await put_aside(tx, errand, WORDS)
    page = (await owner.get(there)).text
    assert WORDS in page
    assert "went into quarantine for that" in page
    assert "Try again" not in page
    left = replace(errand, state=ErrandState.stopped, says="It is in stock.", error="")
    shown = str(errand_region(left, csrf="any"))
    assert shown.count("It is in stock.") == 1
    assert "Go on" not in shown, "nothing waits for it"
    assert f"{CLOUD} could not clean it: {WORDS}" in (
        await owner.get(f"/admin/servers/{server}")
    ).text  # fmt: skip


async def _name(stage: Stage, server: UUID) -> str:
    name: str = await stage.database.pool.fetchval("SELECT name FROM server WHERE id = $1", server)
    return name
