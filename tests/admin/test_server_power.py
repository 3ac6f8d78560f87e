"""A server that is on or off against what it should be: shown, listed, and put right by a click."""

from uuid import UUID

import msgspec

from app.core.clock import SetClock
from app.domain.accounts.roles import Role
from app.domain.inventory import free_bmcs
from app.domain.inventory.find import find_server
from app.domain.inventory.power import LASTING, judge_anew, note_power, note_silence
from app.domain.inventory.power_rule import SETTLES
from app.domain.inventory.register import register_bmc
from app.domain.inventory.seed import BmcSeed
from app.domain.metal.switch import ServerSwitch, note_not_switched
from app.drivers.power import Power
from tests.admin.conftest import Enter
from tests.admin.stage import Stage
from tests.security.browser import Browser

DIFFERS = "It is off and should be on"
LISTED = "against what"


async def test_drift_is_shown_and_reconciled_by_a_click(
    stage: Stage, owner: Browser, enter: Enter, clock: SetClock
) -> None:
    order = await stage.delivered()
    server = order.server_id
    assert server is not None
    here, deed = f"/admin/servers/{server}", f"/admin/servers/{server}/reconcile-power"
    pages = (here, "/admin/servers?view=power", "/admin")
    clock.advance(seconds=SETTLES.total_seconds())
    for path in pages:
        page = (await owner.get(path)).text
        assert DIFFERS not in page
        assert LISTED not in page
    async with stage.database.transaction() as tx:
        await note_power(tx, server, Power.OFF)
    page = (await owner.get(here)).text
    assert DIFFERS in page
    assert f'href="{deed}"' in page
    page = (await owner.get("/admin/servers?view=power")).text
    assert page.count('id="server-') == 1
    assert LISTED in page
    assert "1 server is on or off" in (await owner.get("/admin")).text

    designer = await enter(Role.DESIGNER)
    page = (await designer.get(here)).text
    assert DIFFERS in page
    assert deed not in page
    assert (await designer.get(deed)).status_code == 403

    asked = await owner.get(deed)
    assert (asked.status_code, "Switch it on" in asked.text) == (200, True)
    done = await owner.send_form(deed, deed, {})
    assert (done.status_code, done.headers["location"]) == (303, here)
    ordered = "SELECT count(*) FROM outbox WHERE topic = 'power.reconcile'"
    trail = "SELECT count(*) FROM audit_entry WHERE action = 'inventory.order_power'"
    async with stage.database.transaction() as tx:
        assert (await tx.fetchval(ordered), await tx.fetchval(trail)) == (1, 1)
        await note_power(tx, server, Power.ON)  # what the worker does
    again = await owner.send_form(here, deed, {})
    assert (again.status_code, again.headers["location"]) == (303, here)
    page = (await owner.get(here)).text
    assert "Nothing was switched." in page
    assert DIFFERS not in page
    async with stage.database.transaction() as tx:
        assert (await tx.fetchval(ordered), await tx.fetchval(trail)) == (1, 1)


async def test_a_bmc_that_does_not_answer_is_no_drift(
    stage: Stage, owner: Browser, clock: SetClock
) -> None:
    order = await stage.delivered()
    server = order.server_id
    assert server is not None
    clock.advance(seconds=SETTLES.total_seconds())
    async with stage.database.transaction() as tx:
        await note_power(tx, server, Power.OFF)
        await note_silence(tx, server, "no answer within 20 s")
    page = (await owner.get(f"/admin/servers/{server}")).text
    assert DIFFERS not in page
    assert "Whether it is on or off is not known" in page
    assert "no answer within 20 s" in page
    assert 'id="server-' not in (await owner.get("/admin/servers?view=power")).text
    assert LISTED not in (await owner.get("/admin")).text
    async with stage.database.transaction() as tx:
        await note_power(tx, server, Power.ON, by_bmc=False)  # the machine itself answered
        assert await tx.fetchval("SELECT silence FROM bmc WHERE server = $1", server) != ""
        await note_power(tx, server, Power.OFF)
        assert await tx.fetchval("SELECT silence FROM bmc WHERE server = $1", server) == ""
    assert DIFFERS in (await owner.get(f"/admin/servers/{server}")).text


async def test_a_bmc_of_a_client_that_stays_silent_is_named_on_the_dashboard(
    stage: Stage, owner: Browser, enter: Enter, clock: SetClock
) -> None:
    sold, second = (await stage.delivered()).server_id, (await stage.delivered()).server_id
    assert sold is not None
    assert second is not None
    kept = stage.servers["fra1-b1-02"]

    async def told(server: UUID, words: str) -> bool:
        async with stage.database.transaction() as tx:
            await note_silence(tx, server, words)
            return "dashboard" in tx.topics

    async def health() -> str:
        return (await owner.get("/admin/dashboard/health")).text

    assert await told(sold, "no route to <it>")
    assert await told(kept, "it is in stock")
    clock.advance(seconds=LASTING.total_seconds() - 1)
    assert not await told(sold, "no route to <it>")
    assert "silent" not in await health(), "it may be back in a moment"
    clock.advance(seconds=1)
    assert await told(sold, "no route to <it>"), "the page may be open"
    page = await health()
    assert "1 BMC is silent" in page
    assert f'href="/admin/servers/{sold}"' in page
    assert "no route to &lt;it&gt;" in page
    assert 'href="/admin/servers?view=silent"' in page
    assert str(kept) not in page

    listed = (await owner.get("/admin/servers?view=silent")).text
    assert listed.count('id="server-') == 1
    assert f'id="server-{sold}"' in listed
    assert ">BMC silent<" in listed
    everywhere = (await owner.get("/admin/servers?view=silent&datacentre=fra1")).text
    assert 'id="server-' not in everywhere
    assert "silent" not in (await (await enter(Role.FINANCE)).get("/admin/dashboard/health")).text

    await told(second, "no answer within 20 s")
    clock.advance(seconds=LASTING.total_seconds())
    page = await health()
    assert "2 BMCs are silent" in page
    assert page.index(str(sold)) < page.index(str(second)), "the longest first"
    async with stage.database.transaction() as tx:
        await note_power(tx, sold, Power.ON)
    assert f"silent-{sold}" not in await health()
    clock.advance(hours=1)
    assert not await told(second, "no answer within 20 s"), "pages know by now"


async def test_a_free_server_whose_bmc_is_silent_says_what_becomes_of_it(
    stage: Stage, owner: Browser, clock: SetClock
) -> None:
    server = stage.servers["fra1-b1-02"]

    async def says(words: str) -> str:
        async with stage.database.transaction() as tx:
            await free_bmcs.note_silence(tx, server, words)
        return (await owner.get(f"/admin/servers/{server}")).text

    page = await says("no route to <it>")
    assert "Its BMC does not answer" in page
    assert "no route to &lt;it&gt;" in page
    assert "After a quarter of an hour the server is put into quarantine" in page
    assert ">BMC silent<" in (await owner.get("/admin/servers")).text
    clock.advance(seconds=free_bmcs.LASTING.total_seconds())
    page = await says("no route to <it>")
    assert "It stopped answering while it was free" in page
    assert "It is looked at again by itself" in page
    assert "Its BMC does not answer" not in page


async def test_what_was_seen_is_taken_for_right_until_it_is_as_wanted_again(
    stage: Stage, owner: Browser, enter: Enter, clock: SetClock
) -> None:
    order = await stage.delivered()
    server = order.server_id
    assert server is not None
    here, take = f"/admin/servers/{server}", f"/admin/servers/{server}/take-power"

    async def seen(power: Power) -> tuple[str, str | None]:
        """Return the page, and what the power should be, once a BMC has said so."""
        async with stage.database.transaction() as tx:
            await note_power(tx, server, power)
            wanted = (await find_server(tx, server)).power_wanted
        return (await owner.get(here)).text, wanted

    async def taken(power: str) -> str:
        done = await owner.send_form(here, take, {"seen": power})
        assert (done.status_code, done.headers["location"]) == (303, here)
        return (await owner.get(here)).text

    clock.advance(seconds=SETTLES.total_seconds())
    assert "Nothing was switched" in await taken("on"), "there is nothing to take"
    assert DIFFERS in (await seen(Power.OFF))[0]
    designer = await enter(Role.DESIGNER)
    assert take not in (await designer.get(here)).text
    assert (await designer.send_form(here, take, {"seen": "off"})).status_code == 403
    for stale in ("on", "unknown", "<b>"):
        page = await taken(stale)
        assert "is off by now" in page
        assert DIFFERS in page
    page = await taken("off")
    assert DIFFERS not in page
    assert "as was taken for right" in page
    page, wanted = await seen(Power.OFF)
    assert (DIFFERS in page, wanted) == (False, "off")
    assert LISTED not in (await owner.get("/admin")).text
    await seen(Power.UNKNOWN)
    assert (await seen(Power.OFF))[1] == "off", "a BMC that says nothing is no proof"

    page, wanted = await seen(Power.ON)
    assert ("as was taken for right" in page, wanted) == (False, "on")
    page, _ = await seen(Power.OFF)
    assert DIFFERS in page, "it was for that once"
    await taken("off")
    back = await owner.send_form(here, f"{take}/back")
    assert back.status_code == 303
    assert DIFFERS in (await seen(Power.OFF))[0]
    await taken("off")
    async with stage.database.transaction() as tx:
        await judge_anew(tx, server)  # its service has changed
        assert (await find_server(tx, server)).power_taken is None
        trail = await tx.fetch(
            "SELECT action FROM audit_entry WHERE action LIKE '%_power' AND subject = $1", server
        )
    assert sorted(row["action"] for row in trail) == [
        "inventory.judge_power",
        *["inventory.take_power"] * 3,
    ]


async def test_staff_switch_a_server_with_a_reason_and_are_told_what_came_of_it(
    stage: Stage, owner: Browser, enter: Enter
) -> None:
    order = await stage.delivered()
    server = order.server_id
    assert server is not None
    here = f"/admin/servers/{server}"
    async with stage.database.transaction() as tx:
        await tx.execute("DELETE FROM bmc WHERE server = $1", server)
        await note_power(tx, server, Power.ON)
    assert f"{here}/switch/" not in (await owner.get(here)).text, "nothing switches it"
    async with stage.database.transaction() as tx:
        seed = BmcSeed(url="https://one", username="root", password="calvin")
        await register_bmc(tx, stage.vault, server, seed)
    page = (await owner.get(here)).text
    for deed in ("stop", "restart", "reset"):
        assert f'href="{here}/switch/{deed}"' in page
    assert f"{here}/switch/start" not in page, "it runs"
    designer = await enter(Role.DESIGNER)
    assert f"{here}/switch/" not in (await designer.get(here)).text
    assert (await designer.get(f"{here}/switch/reset")).status_code == 403
    assert (await owner.get(f"{here}/switch/kill")).status_code == 404

    asked = f"{here}/switch/reset"
    page = (await owner.get(asked)).text
    assert order.hostname in page
    assert order.account_email in page
    assert (await owner.send_form(asked, asked, {"reason": ""})).status_code == 422
    sent = await owner.send_form(asked, asked, {"reason": "it hangs"})
    assert (sent.status_code, sent.headers["location"]) == (303, here)
    again = await owner.send_form(asked, asked, {"reason": "it hangs"})
    assert (again.status_code, "It is being switched already" in again.text) == (409, True)
    page = (await owner.get(here)).text
    assert "It is being reset" in page
    assert "Reset it" in page, "it is in the trail"
    async with stage.database.transaction() as tx:
        payload = await tx.fetchval("SELECT payload FROM outbox WHERE topic = 'server.switch'")
        await tx.execute("UPDATE outbox SET done_at = $1 WHERE topic = 'server.switch'", tx.now())
        await note_power(tx, server, Power.ON)
        switch = msgspec.json.decode(payload, type=ServerSwitch)
        await note_not_switched(tx, switch, "no route")
    page = (await owner.get(here)).text
    assert "Reset: it could not be done" in page
    assert "no route" in page
    assert "Nothing was done to it: it runs as before." in page
    async with stage.database.transaction() as tx:
        await note_not_switched(tx, msgspec.structs.replace(switch, is_told=True), "no answer")
    page = (await owner.get(here)).text
    assert "no answer" in page
    assert "Nothing was done to it" not in page
