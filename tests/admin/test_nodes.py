"""The list of nodes: what clouds say is shown to staff, and put right by those who may."""

from app.domain.accounts.roles import Role
from app.domain.metal.watch import note_silence
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
    assert f"{CLOUD} shows 5 of 6 servers no more" in (await owner.get(HERE)).text
    async with stage.database.transaction() as tx:
        await note_silence(tx, CLOUD, "no answer within 80 s")
    page = (await owner.get(f"{HERE}/rows")).text
    assert f"{CLOUD} does not answer" in page
    assert "no answer within 80 s" in page
    assert "not known now" in page
