"""Servers, racks and services: found, shown without their secrets, moved with a reason."""

from uuid import UUID

import pytest

from app.core.clock import SetClock
from app.core.database import Database
from app.domain.inventory.quarantine import (
    FIRST_RECHECK,
    MOST_RECHECKS,
    note_recheck,
    quarantine,
)
from app.domain.inventory.states import ServerState
from tests.admin.stage import BMC_PASSWORD, Stage
from tests.security.browser import Browser
from tests.security.test_pages import errors_of


async def state_of(database: Database, name: str) -> tuple[str, str]:
    async with database.snapshot() as tx:
        row = await tx.fetchrow("SELECT state, state_reason FROM server WHERE name = $1", name)
    assert row is not None
    return row["state"], row["state_reason"]


async def test_lists_are_filtered_by_their_address(stage: Stage, owner: Browser) -> None:
    await stage.put_aside("fra1-b1-03", "fans dead")

    async def rows(query: str) -> int:
        return (await owner.get(f"/admin/servers{query}")).text.count('id="server-')

    assert await rows("") == 24
    assert await rows("?datacentre=fra1") == 8
    assert await rows("?view=quarantined") == 1
    assert await rows("?view=available&datacentre=fra1") == 7
    assert await rows("?q=EPYC&datacentre=ams1") == 4
    assert await rows("?q=SN00003") == 1
    assert await rows("?datacentre=nowhere") == 0
    page = (await owner.get("/admin/servers?datacentre=fra1&q=b1")).text
    assert '<option value="fra1" selected>' in page
    assert 'value="b1"' in page
    assert (await owner.get("/admin/servers/rows?q=B1")).text.count('id="server-') == 8


async def test_a_server_is_shown_whole_but_never_its_password(stage: Stage, owner: Browser) -> None:
    order = await stage.delivered(host="mine.example.org")
    page = (await owner.get(f"/admin/servers/{order.server_id}")).text
    for fact in (
        "Intel Xeon E-2386G, 6 cores", "2 × 480 GB SSD", "https://10.9.0.", "02:00:00:",
        "mine.example.org", f"#{order.number}", "Amsterdam 1", "client1@example.org",
        f"/admin/services/{order.service_id}", "198.51.100.",
    ):  # fmt: skip
        assert fact in page
    assert BMC_PASSWORD not in page
    assert "root" not in page
    assert "maintenance" not in page


async def test_a_rack_is_drawn_from_the_top(stage: Stage, owner: Browser) -> None:
    async with stage.database.snapshot() as tx:
        rack = await tx.fetchval("SELECT id FROM rack WHERE name = 'B1'")
    page = (await owner.get(f"/admin/racks/{rack}")).text
    assert page.index("fra1-b1-08") < page.index("fra1-b1-01")
    assert 'rowspan="2"' in page
    assert page.count('<th scope="row">') == 2 * 24
    assert page.count('<td class="sw-rack-free">') == 2 * (24 - 9)
    assert "1,440 / 4,000 W" in page


@pytest.mark.parametrize(
    ("begins", "deed", "ends"),
    [
        ("quarantined", "release", "available"),
        ("cleaning", "finish-cleaning", "available"),
        ("available", "begin-maintenance", "maintenance"),
        ("failed", "begin-maintenance", "maintenance"),
        ("maintenance", "end-maintenance", "available"),
    ],
)
async def test_a_person_moves_a_server_with_a_reason(
    stage: Stage, owner: Browser, begins: str, deed: str, ends: str
) -> None:
    server = stage.servers["fra1-b1-02"]
    async with stage.database.transaction() as tx:
        await tx.execute("UPDATE server SET state = $2 WHERE id = $1", server, begins)
    here = f"/admin/servers/{server}/{deed}"
    assert here in (await owner.get(f"/admin/servers/{server}")).text
    refused = await owner.send_form(here, here, {"reason": " \n "})
    assert refused.status_code == 422
    assert errors_of(refused.text) == {"reason": "Say why; it is kept."}
    assert (await state_of(stage.database, "fra1-b1-02"))[0] == begins
    done = await owner.send_form(here, here, {"reason": "new fans, burnt in for a day"})
    assert (done.status_code, done.headers["location"]) == (303, f"/admin/servers/{server}")
    state, reason = await state_of(stage.database, "fra1-b1-02")
    assert state == ends
    assert reason == ("new fans, burnt in for a day" if ends == "maintenance" else "")
    page = (await owner.get(f"/admin/servers/{server}")).text
    assert "“new fans, burnt in for a day”" in page
    assert "owner@slipway.test" in page
    assert here not in page


async def test_a_server_that_never_came_to_work_is_removed(stage: Stage, owner: Browser) -> None:
    server = stage.servers["fra1-b1-02"]
    async with stage.database.transaction() as tx:
        await tx.execute("UPDATE server SET state = 'failed' WHERE id = $1", server)
    here = f"/admin/servers/{server}/remove"
    assert here in (await owner.get(f"/admin/servers/{server}")).text
    done = await owner.send_form(here, here, {"reason": "its BMC never answered"})
    assert (done.status_code, done.headers["location"]) == (303, "/admin/servers")
    assert (await owner.get(f"/admin/servers/{server}")).status_code == 404
    assert "fra1-b1-02" not in (await owner.get("/admin/servers?datacentre=fra1")).text


@pytest.mark.parametrize("deed", ["release", "finish-cleaning", "begin-maintenance", "remove"])
async def test_a_server_that_an_order_has_is_left_alone(
    stage: Stage, owner: Browser, deed: str
) -> None:
    order = await stage.delivered()
    here = f"/admin/servers/{order.server_id}/{deed}"
    refused = await owner.send_form(here, here, {"reason": "just because"})
    assert refused.status_code == 409
    assert "just because" in refused.text
    assert "The server is active and cannot become" in refused.text
    assert (await state_of(stage.database, str(order.server_name)))[0] == ServerState.active


async def test_a_server_in_cleaning_goes_not_around_it_by_maintenance(
    stage: Stage, owner: Browser
) -> None:
    server = stage.servers["fra1-b1-02"]
    async with stage.database.transaction() as tx:
        await tx.execute("UPDATE server SET state = 'cleaning' WHERE id = $1", server)
    here = f"/admin/servers/{server}/begin-maintenance"
    assert (await owner.send_form(here, here, {"reason": "x"})).status_code == 409
    assert (await state_of(stage.database, "fra1-b1-02"))[0] == ServerState.cleaning


async def test_an_unknown_deed_is_404(stage: Stage, owner: Browser) -> None:
    server = stage.servers["fra1-b1-02"]
    assert (await owner.get(f"/admin/servers/{server}/explode")).status_code == 404
    sent = await owner.send_form("/admin", f"/admin/servers/{server}/explode", {"reason": "x"})
    assert sent.status_code == 404


async def test_services_are_found_and_shown_without_secrets(stage: Stage, owner: Browser) -> None:
    order = await stage.delivered(host="mine.example.org")
    await stage.installing(host="other.example.org", client=1)
    async with stage.database.transaction() as tx:
        await tx.execute(
            "INSERT INTO credential (id, service, kind, username, sealed_secret, created_at) "
            "VALUES (gen_random_uuid(), $1, 'root_password', 'root', $2, $3)",
            order.service_id, stage.vault.seal("Sesame-7"), tx.now(),
        )  # fmt: skip
    both = (await owner.get("/admin/services")).text
    assert both.count('id="service-') == 2
    active = (await owner.get("/admin/services?view=active&q=mine")).text
    assert active.count('id="service-') == 1
    assert "other.example.org" not in active
    page = (await owner.get(f"/admin/services/{order.service_id}")).text
    for fact in (
        "mine.example.org",
        str(order.server_name),
        "User, with a password",
        "198.51.100.",
    ):
        assert fact in page
    assert "Sesame" not in page
    assert (await owner.get(f"/admin/services/{order.service_id}/now")).status_code == 200


async def test_one_in_quarantine_tells_what_failed_and_when_it_is_looked_at_again(
    stage: Stage, owner: Browser, clock: SetClock
) -> None:
    working, _ = await stage.installing()
    served = await stage.delivered()
    assert working.server_id is not None
    assert served.server_id is not None
    words = "BMC <https://10.9.0.6> answers 503"

    async def shown(server: UUID) -> tuple[str, str, str]:
        page = (await owner.get(f"/admin/servers/{server}")).text
        listed = (await owner.get("/admin/servers?view=quarantined")).text
        health = (await owner.get("/admin/dashboard/health")).text
        row = listed[listed.index(f'id="server-{server}"') :]
        item = health[health.index(f'id="quarantined-{server}"') :]
        return page, row[: row.index("</tr>")], item[: item.index("</li>")]

    async with stage.database.transaction() as tx:
        for server in (working.server_id, served.server_id):
            await quarantine(tx, server, words)
    due = (clock.now() + FIRST_RECHECK).strftime("%Y-%m-%d %H:%M:%S UTC")
    page, *short = await shown(working.server_id)
    assert "Looked at again " in page
    assert "It was looked at" not in page
    for part in (page, *short):
        assert "It failed while it was set up for an order" in part
        assert "BMC &lt;https://10.9.0.6&gt; answers 503" in part
        assert due in part
    page, *short = await shown(served.server_id)
    assert "A service ran on it: find out what is wrong" in page
    for part in (page, *short):
        assert "It was put aside while a service ran on it" in part
        assert due not in part
    assert all("waits for a person" in part for part in short)

    for looks, said in ((1, "looked at once so far"), (2, "twice so far"), (3, "3 times so far")):
        async with stage.database.transaction() as tx:
            await note_recheck(tx, working.server_id, "no answer")
        page, *_ = await shown(working.server_id)
        assert said in page, looks
    clock.advance(hours=3)
    assert "It is due now." in (await shown(working.server_id))[0]
    async with stage.database.transaction() as tx:
        for _ in range(MOST_RECHECKS - 3):
            await note_recheck(tx, working.server_id, "no answer")
    page, *short = await shown(working.server_id)
    assert f"It was looked at {MOST_RECHECKS} times since it was last delivered" in page
    assert all("waits for a person" in part for part in short)
