"""The page of machines: what differs is shown to staff, and put right by those who may."""

from uuid import UUID

import pytest
from msgspec.structs import replace

from app.core.ids import new_id
from app.domain.accounts.roles import Role
from app.domain.machines.watch import note_silence
from tests.admin.conftest import Enter
from tests.admin.stage import Stage
from tests.machines.books import five_machines, hear, readings, vm_of
from tests.orders.world import a_client
from tests.security.browser import Browser

HERE = "/admin/machines"


@pytest.fixture
async def five(stage: Stage) -> list[UUID]:
    async with stage.database.transaction() as tx:
        account = await a_client(tx, "machines@example.org")
    return await five_machines(stage.database, stage.clock, stage.vault, account)


async def test_what_differs_is_shown_and_put_right(
    stage: Stage, owner: Browser, enter: Enter, five: list[UUID]
) -> None:
    assert "Nothing differs" in (await owner.get(HERE)).text
    await hear(stage.database, stage.clock, *readings(five))
    page = (await owner.get(HERE)).text
    well, off, gone, runs, left = five
    for service in (off, gone, runs, left):
        assert f'id="drift-{service}"' in page
    assert f'id="drift-{well}"' not in page
    assert "stray.example.org" in page
    assert "somebody-elses" in page
    own = (await owner.get(f"/admin/services/{gone}")).text
    assert "The provider has it no more" in own

    designer = await enter(Role.DESIGNER)
    seen = (await designer.get(HERE)).text
    assert "The provider has it no more" in seen
    assert "Give back" not in seen
    assert (await designer.get(f"{HERE}/services/{gone}/release")).status_code == 403
    client = await enter(Role.CLIENT)
    assert (await client.get(HERE)).status_code == 404

    done = await owner.send_form(HERE, f"{HERE}/services/{off}/remedy", {})
    assert done.headers["location"] == HERE
    again = await owner.send_form(HERE, f"{HERE}/services/{off}/remedy", {})
    assert again.headers["location"] == HERE
    release = f"{HERE}/services/{gone}/release"
    asked = await owner.get(release)
    assert "its addresses are given back" in asked.text
    refused = await owner.send_form(release, release, {"reason": "", "typed": "vm1"})
    assert refused.status_code == 422
    assert "Type vm103.example.org" in refused.text
    given = {"reason": "It was deleted by hand.", "typed": "vm103.example.org"}
    assert (await owner.send_form(release, release, given)).status_code == 303
    stray = await stage.database.pool.fetchval("SELECT id FROM stray_machine")
    remove = f"{HERE}/strays/{stray}/remove"
    given = {"reason": "Nobody's.", "typed": "stray.example.org"}
    assert (await owner.send_form(remove, remove, given)).status_code == 303
    assert (await owner.send_form(HERE, f"{HERE}/strays/{stray}/leave", {})).status_code == 303
    assert (await owner.send_form(HERE, f"{HERE}/providers/pve/look", {})).status_code == 303
    rows = await stage.database.pool.fetch(
        "SELECT payload->>'deed' AS deed, payload->>'about' AS about FROM outbox "
        "WHERE topic = 'machine.errand' ORDER BY id"
    )
    assert [tuple(row) for row in rows] == [
        ("start", str(off)), ("release", str(gone)), ("remove", str(stray)),
    ]  # fmt: skip
    assert (await owner.get(f"{HERE}/strays/{new_id()}/remove")).status_code == 404
    assert (await owner.get(f"{HERE}/strays/{stray}/explode")).status_code == 404


async def test_a_provider_is_grouped_and_drained_on_its_page(
    stage: Stage, owner: Browser, five: list[UUID]
) -> None:
    await hear(stage.database, stage.clock, *readings(five))
    pve = await stage.database.pool.fetchval("SELECT id FROM connection WHERE name = 'pve'")
    here = f"/admin/connections/{pve}"
    for deed, values, words in (
        ("group", {"group": "Fra!", "weight": "x"}, "A number from 1 to 1,000"),
        ("drain", {"reason": ""}, "Say why"),
    ):
        sent = await owner.send_form(here, f"{here}/{deed}", values)
        assert (sent.status_code, words in sent.text) == (422, True)
    for deed, values, words in (
        ("group", {"group": "@fra", "weight": "200"}, "The group is saved"),
        ("drain", {"reason": "new disks"}, "Machines that are there stay"),
    ):
        sent = await owner.send_form(here, f"{here}/{deed}", values)
        assert sent.headers["location"] == here
        assert words in (await owner.get(here)).text
    page = (await owner.get(HERE)).text
    assert "@fra, 200" in page
    assert "drained" in page
    await owner.send_form(here, f"{here}/take-up", {})
    assert "Machines are made there again" in (await owner.get(here)).text
    assert "drained" not in (await owner.get(HERE)).text


async def test_a_silent_provider_and_many_that_vanish_are_said_first(
    stage: Stage, owner: Browser, five: list[UUID]
) -> None:
    await hear(stage.database, stage.clock, replace(vm_of(five[0], 300), service=None))
    page = (await owner.get(HERE)).text
    assert "pve shows 5 of 5 machines no more" in page
    async with stage.database.transaction() as tx:
        await note_silence(tx, "pve", "no answer within 40 s")
    page = (await owner.get(f"{HERE}/now")).text
    assert "pve does not answer" in page
    assert "no answer within 40 s" in page
    own = (await owner.get(f"/admin/services/{five[0]}")).text
    assert "pve does not answer" in own
