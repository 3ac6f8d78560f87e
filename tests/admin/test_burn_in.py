"""Servers are burned in from their page or from the list, followed as they go, and stopped."""

from uuid import UUID

from app.domain.accounts.roles import Role
from app.domain.inventory.burn_in import burn_ins_of
from app.domain.inventory.find import find_server
from tests.admin.conftest import Enter
from tests.admin.stage import Stage
from tests.security.browser import Browser
from tests.security.test_pages import errors_of

MANY = "/admin/servers/many/burn-in"


async def servers_of(stage: Stage, state: str = "available", most: int = 2) -> list[UUID]:
    async with stage.database.snapshot() as tx:
        rows = await tx.fetch(
            "SELECT id FROM server WHERE state = $1 ORDER BY name LIMIT $2", state, most
        )
    return [row["id"] for row in rows]


async def test_a_burn_in_is_begun_followed_and_stopped(
    stage: Stage, owner: Browser, enter: Enter
) -> None:
    (server, _) = await servers_of(stage)
    here = f"/admin/servers/{server}"
    asked = (await owner.get(f"{here}/burn-in")).text
    assert "nothing is written on them" in asked
    form = {"minutes": "480", "reason": ""}
    refused = await owner.send_form(f"{here}/burn-in", f"{here}/burn-in", form)
    assert (refused.status_code, list(errors_of(refused.text))) == (422, ["reason"])
    form["reason"] = "new fans"
    begun = await owner.send_form(f"{here}/burn-in", f"{here}/burn-in", form)
    assert (begun.status_code, begun.headers["location"]) == (303, here)
    page = (await owner.get(here)).text
    for fact in (
        "The machine boots",
        "8 h",
        "new fans",
        "under way",
        f'href="{here}/burn-in/stop"',
    ):
        assert fact in page
    assert f'href="{here}/burn-in"' not in page, "it is begun once"
    twice = await owner.send_form(here, f"{here}/burn-in", form)
    assert twice.status_code == 409

    async with stage.database.transaction() as tx:
        (burning,) = await burn_ins_of(tx, server)
        await tx.execute(
            "UPDATE burn_in SET loaded_at = $2, celsius = 61, hottest_celsius = 73, "
            "parts = $3::jsonb WHERE id = $1",
            burning.id,
            tx.now(),
            '[{"part": "sda", "tool": "dd", "figures": ["960 GB read"], '
            '"faults": ["it has 3 sectors that cannot be read"], "words": "Input/output error"}]',
        )
    page = (await owner.get(here)).text
    for fact in ("61 °C, 73 °C at the hottest", "Disk sda", "960 GB read", "3 sectors", "failed"):
        assert fact in page

    designer = await enter(Role.DESIGNER)
    assert "burn-in/stop" not in (await designer.get(here)).text
    assert (await designer.get(f"{here}/burn-in")).status_code == 403

    stop = f"{here}/burn-in/stop"
    done = await owner.send_form(stop, stop, {"reason": "it is needed"})
    assert (done.status_code, done.headers["location"]) == (303, here)
    async with stage.database.snapshot() as tx:
        (burning,) = await burn_ins_of(tx, server)
    assert burning.state in {"stopping", "stopped"}


async def test_many_are_burned_in_or_none(stage: Stage, owner: Browser) -> None:
    first, second = await servers_of(stage)
    query = f"server={first}&server={second}"
    asked = await owner.get(f"{MANY}?{query}")
    assert "Burn in 2 servers" in asked.text
    form = {"minutes": "120", "reason": "a new rack", "server": [str(first), str(second)]}
    begun = await owner.send_form(f"{MANY}?{query}", MANY, form)
    assert (begun.status_code, begun.headers["location"]) == (303, "/admin/servers")
    async with stage.database.snapshot() as tx:
        assert [len(await burn_ins_of(tx, one)) for one in (first, second)] == [1, 1]

    (third, _) = await servers_of(stage)
    form["server"] = [str(third), str(first)]
    refused = await owner.send_form(f"{MANY}?{query}", MANY, form)
    assert refused.status_code == 409
    assert "None of them is burned in" in refused.text
    async with stage.database.snapshot() as tx:
        names = [(await find_server(tx, one)).name for one in (first, second, third)]
    for name, is_told in zip(names, (True, False, False), strict=True):
        assert (f"<li>{name}: " in refused.text) is is_told
    form["server"] = [str(second), str(third), str(first)]
    refused = await owner.send_form(f"{MANY}?{query}", MANY, form)
    for name, is_told in zip(names, (True, True, False), strict=True):
        assert (f"<li>{name}: " in refused.text) is is_told
    async with stage.database.snapshot() as tx:
        assert await burn_ins_of(tx, third) == ()
    nobody = await owner.get(MANY)
    assert (nobody.status_code, nobody.headers["location"]) == (303, "/admin/servers")
