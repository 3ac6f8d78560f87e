"""The datacentre's pages: racks, places, cables, models, imports, deliveries, moves, BMCs."""

import re
from html import unescape
from typing import Any

import pytest

from app.domain.inventory.find import find_server
from app.domain.inventory.release import release
from tests.admin.hall import a_hall, value
from tests.admin.stage import Stage
from tests.security.browser import Browser, csrf_of
from tests.security.test_pages import errors_of

TINT = re.compile(r'class="sw-rack-server ([a-z0-9-]+)')
RACK = {"name": "D1", "datacentre": "ams1", "u_height": "20", "feed_a_watts": "900", "row": ""}


async def test_a_rack_is_added_changed_and_shown_with_its_limits(
    stage: Stage, owner: Browser
) -> None:
    new = "/admin/racks/new"
    refused = await owner.send_form(new, new, RACK | {"u_height": "many", "name": ""})
    assert refused.status_code == 422
    refused = await owner.send_form(new, new, RACK | {"name": "A1"})
    assert errors_of(refused.text) == {"name": "Another rack of the datacentre has this name."}
    done = await owner.send_form(new, new, RACK)
    assert done.status_code == 303
    here = done.headers["location"]
    assert "0 / 900 W" in (await owner.get(here)).text
    change = f"{here}/change"
    terms = RACK | {"room": "Hall 2", "row": "D", "feed_a_watts": "", "note": "new floor"}
    assert (await owner.send_form(change, change, terms | {"row": ""})).status_code == 422
    assert (await owner.send_form(change, change, terms)).status_code == 303
    page = (await owner.get(here)).text
    assert "Hall 2" in page
    assert "new floor" in page
    assert "Without a limit: power, feed a alone" in page
    assert "Hall 2, row D" in (await owner.get("/admin/racks?datacentre=ams1")).text
    assert "D1" not in (await owner.get("/admin/racks?datacentre=fra1")).text
    assert "D1" in (await owner.get("/admin/racks/now?datacentre=ams1")).text


async def test_an_elevation_has_two_sides_three_colours_and_labels(
    stage: Stage, owner: Browser
) -> None:
    ids = await a_hall(stage)
    here = f"/admin/racks/{ids['rack']}"
    page = (await owner.get(here)).text
    front, rear = page.split('data-face="rear"')
    assert "ams1-a1-02" in front
    assert "ams1-a1-02" not in rear.partition("Capacity")[0]
    assert page.count("planned</span>") == 2
    assert "3 / 8" in page
    assert TINT.findall(page).count("tone-success") == 3, "two servers, one of them on both sides"
    order = await stage.paid()
    async with stage.database.transaction() as tx:
        await release(tx, order.id)
        await tx.execute(
            "UPDATE server SET state = 'active', holder = $1, may_hold_data = true WHERE id = $2",
            order.id,
            ids["other"],
        )
    assert TINT.findall((await owner.get(here)).text).count("tone-accent") == 1
    clients = (await owner.get(f"{here}?colour=client")).text
    assert "nobody&#39;s" in clients
    assert TINT.findall(clients).count("is-hue-0") == 1
    power = (await owner.get(f"{here}/now?colour=power")).text
    assert "90 W" in power
    assert sorted({*TINT.findall(power)} - {"is-planned"}) == ["is-power-0", "is-power-1"]
    labels = (await owner.get(f"{here}/labels")).text
    assert "ams1 C1 U3" in labels
    assert "S/N SN00000" in labels


async def test_a_datacentre_is_seen_at_a_glance(stage: Stage, owner: Browser) -> None:
    """Each rack by its row, with its fill, its power, the largest gap and how many are where."""
    await a_hall(stage)
    page = (await owner.get("/admin/racks?datacentre=ams1")).text
    place, _, card = page.partition(">C1</a>")
    assert place.rpartition('class="sw-row-title">')[2].startswith("Hall 1, row C<")
    card = card.partition("</article>")[0]
    for words in ("4 / 16", "450 / 1,000 W", "6 free units on end", "2 available"):
        assert words in card


async def test_a_place_is_looked_at_refused_with_reasons_and_written(
    stage: Stage, owner: Browser
) -> None:
    ids = await a_hall(stage)
    here = f"/admin/servers/{ids['server']}/place"
    assert "It stands here." in (await owner.get(here)).text
    refused = (await owner.get(f"{here}?rack={ids['rack']}&u=5")).text
    assert "ams1-a1-02 stands there." in refused
    assert 'value="done"' not in refused
    place = {"rack": str(ids["rack"]), "u": "5", "side": "both", "as": "done"}
    late = await owner.send_form(here, here, place)
    assert late.status_code == 409
    assert "It cannot stand in rack C1, unit 5" in late.text
    done = await owner.send_form(here, here, place | {"u": "12"})
    assert done.headers["location"] == f"/admin/racks/{ids['rack']}"
    async with stage.database.snapshot() as tx:
        assert (await find_server(tx, ids["server"])).u_position == 12
    planned = await owner.send_form(here, here, place | {"u": "1", "as": "task"})
    assert planned.headers["location"] == "/admin/moves"
    assert "ams1-a1-01" in (await owner.get("/admin/moves")).text


async def test_devices_ports_and_cables_by_hand(stage: Stage, owner: Browser) -> None:
    ids = await a_hall(stage)
    new = f"/admin/devices/new?rack={ids['rack']}"
    sw2 = {
        "name": "c1-sw2",
        "kind": "switch",
        "u_position": "3",
        "u_height": "1",
        "ports": "swp[1-4]",
    }
    refused = await owner.send_form(new, new, sw2)
    assert errors_of(refused.text) == {"u_position": "ams1-a1-01 stands at unit 3."}
    refused = await owner.send_form(new, new, sw2 | {"ports": "swp[4-1]"})
    assert list(errors_of(refused.text)) == ["ports"]
    done = await owner.send_form(new, new, sw2 | {"u_position": "15"})
    device = done.headers["location"]
    assert "swp4" in (await owner.get(device)).text
    change = f"{device}/change"
    facts = sw2 | {"u_position": "14", "model": "SN3700", "side": "rear"}
    assert (await owner.send_form(change, change, facts)).status_code == 303
    assert "SN3700" in (await owner.get(device)).text
    ports = f"/admin/servers/{ids['server']}/ports"
    both = {"name": "eth[1-2]", "kind": "network", "mac": "02:00:00:00:aa:aa"}
    assert list(errors_of((await owner.send_form(ports, ports, both)).text)) == ["mac"]
    assert (await owner.send_form(ports, ports, both | {"mac": ""})).status_code == 303
    more = f"{device}/ports"
    assert (
        await owner.send_form(more, more, {"name": "mgmt", "kind": "console"})
    ).status_code == 303
    eth1 = await value(stage, "SELECT id FROM port WHERE name = 'eth1'")
    plug = f"/admin/cables/new?a={eth1}"
    page = (await owner.get(plug)).text
    assert "C1, c1-sw2, swp1" in page
    assert "C1, c1-sw, swp1" not in page
    swp1 = await value(
        stage, "SELECT p.id FROM port p JOIN device d ON d.id = p.device "
        "WHERE d.name = 'c1-sw2' AND p.name = 'swp1'"
    )  # fmt: skip
    refused = await owner.send_form(plug, plug, {"b": ""})
    assert errors_of(refused.text) == {"b": "Choose a port."}
    done = await owner.send_form(plug, plug, {"b": str(swp1), "label": "C-99", "length_cm": "200"})
    assert done.headers["location"] == f"/admin/servers/{ids['server']}"
    assert "C-99" in (await owner.get("/admin/cables?q=C-99")).text
    remove = f"{device}/remove"
    refused = await owner.send_form(remove, remove, {"reason": "old"})
    assert (refused.status_code, "Unplug first" in refused.text) == (409, True)
    cable = await value(stage, "SELECT id FROM cable WHERE label = 'C-99'")
    unplug = f"/admin/cables/{cable}/unplug"
    assert (await owner.send_form(unplug, unplug, {"reason": ""})).status_code == 422
    assert (await owner.send_form(unplug, unplug, {"reason": "swap"})).status_code == 303
    assert (await owner.send_form(remove, remove, {"reason": "old"})).status_code == 303
    assert await value(stage, "SELECT count(*) FROM device WHERE name = 'c1-sw2'") == 0


async def test_models_and_equivalences_by_hand(stage: Stage, owner: Browser) -> None:
    here = "/admin/cpu-models"
    ryzen = {"name": "AMD Ryzen 9 7950X", "cores": "16", "threads": "32"}
    assert (await owner.send_form(here, here, ryzen | {"cores": "x"})).status_code == 422
    assert (await owner.send_form(here, here, ryzen)).status_code == 303
    link = {"group": "big", "wanted": "Intel Xeon E-2388G", "stand_in": ryzen["name"], "cost": "7"}
    links = f"{here}/equivalences"
    assert (await owner.send_form(here, links, link | {"wanted": ryzen["name"]})).status_code == 422
    assert (await owner.send_form(here, links, link)).status_code == 303
    page = (await owner.get(here)).text
    assert ">7<" in page
    model = await value(stage, "SELECT id FROM cpu_model WHERE name = $1", ryzen["name"])
    await owner.send_form(here, f"{here}/{model}/remove", {})
    assert "1 equivalences" in (await owner.get(here)).text
    made = await value(stage, "SELECT id FROM cpu_equivalence WHERE cost = 7")
    await owner.send_form(here, f"{links}/{made}/remove", {})
    await owner.send_form(here, f"{here}/{model}/remove", {})
    assert await value(stage, "SELECT count(*) FROM cpu_model WHERE name = $1", ryzen["name"]) == 0


async def test_servers_are_changed_alone_and_together(stage: Stage, owner: Browser) -> None:
    one, two = stage.servers["ams1-a1-01"], stage.servers["ams1-a1-02"]
    here = f"/admin/servers/{one}/change"
    facts = {
        "name": "ams1-a1-01", "cpu_model": "Intel Xeon E-2388G", "cpu_count": "1", "ram_gb": "64",
        "disks": "2 x 960 nvme", "feeds": "A", "power_draw_watts": "", "weight_kg": "14",
        "mac": "02:00:00:00:00:00", "warranty_ends_on": "2020-05-01", "note": "refurbished",
    }  # fmt: skip
    refused = await owner.send_form(here, here, facts | {"name": "ams1-a1-02"})
    assert errors_of(refused.text) == {"name": "Another server has this name."}
    refused = await owner.send_form(here, here, facts | {"mac": "none"})
    assert list(errors_of(refused.text)) == ["mac"]
    assert (await owner.send_form(here, here, facts)).status_code == 303
    page = (await owner.get(f"/admin/servers/{one}")).text
    for fact in ("ended on 2020-05-01", "refurbished", "14 kg", "2 × 960 GB NVMe", "feeds A"):
        assert fact in page
    many = f"/admin/servers/many?server={one}&server={two}"
    page = (await owner.get(many)).text
    assert "Change 2 servers" in page
    change = "/admin/servers/many/change"
    terms: dict[str, Any] = {"server": [str(one), str(two)], "weight_kg": "18", "maintenance": "on"}
    refused = await owner.send_form(many, change, terms)
    assert errors_of(refused.text) == {"reason": "Say why; it is kept."}
    refused = await owner.send_form(many, change, terms | {"reason": "x", "ends": "soon"})
    assert list(errors_of(refused.text)) == ["ends"]
    terms |= {"reason": "firmware", "ends": "2099-01-01 06:00"}
    assert (await owner.send_form(many, change, terms)).status_code == 303
    page = (await owner.get(f"/admin/servers/{two}")).text
    assert "Ends by itself" in page
    assert "18 kg" in page
    again = await owner.send_form(many, change, terms)
    assert (again.status_code, "cannot become maintenance" in again.text) == (409, True)
    assert (await owner.get("/admin/servers/many")).status_code == 303


async def test_servers_come_in_by_a_file_and_go_out(stage: Stage, owner: Browser) -> None:
    here = "/admin/servers/import"
    sheet = (
        "name,serial,datacentre,rack,u_position,cpu_model,ram_gb,mac\n"
        "n1,N1,ams1,A1,20,Intel Xeon E-2386G,32,02:00:00:00:dd:01\n"
        ",SN00000,,,,,48,\n"
    )
    refused = await owner.send_form(here, here, {"document": ""})
    assert "Choose a file, or paste what one says." in refused.text
    bad = await owner.send_form(here, here, {"document": sheet.replace("A1,20", "A9,20")})
    assert (bad.status_code, "There is no rack A9" in bad.text) == (422, True)
    seen = await owner.send_form(here, here, {"document": sheet})
    assert "1 new, 1 changed, 0 unchanged" in seen.text
    assert await value(stage, "SELECT count(*) FROM server WHERE serial = 'N1'") == 0
    confirm = f"{here}/confirm"
    late = await owner.send_form(here, confirm, {"document": sheet.replace("N1,ams1", "N1,nyc1")})
    assert late.status_code == 422
    lost = await owner.send_form(here, confirm, {"document": "name,colour\n"})
    assert (lost.status_code, "name,colour" in lost.text) == (422, True)
    assert (await owner.send_form(here, confirm, {"document": sheet})).status_code == 303
    csv = (await owner.get("/admin/servers/export/csv")).text
    assert "n1,N1," in csv
    assert '"serial": "N1"' in (await owner.get("/admin/servers/export/json")).text
    assert (await owner.get("/admin/servers/export/xml")).status_code == 404


async def test_a_file_that_was_looked_at_is_changed_without_sending_it_anew(
    stage: Stage, owner: Browser
) -> None:
    here = "/admin/servers/import"
    sheet = "name,serial,datacentre\nn1,N1,ams1\n"
    sent = await owner.post(
        here,
        data={"_csrf_token": csrf_of((await owner.get(here)).text)},
        files={"file": ("servers.csv", sheet.encode(), "text/csv")},
    )
    assert sent.status_code == 422
    assert "Fill it in." in sent.text
    assert f'formaction="{here}/again"' in sent.text
    again = await owner.send_form(here, f"{here}/again", {"document": sheet})
    assert again.status_code == 200
    assert sheet in unescape(again.text.split("<textarea")[1])


async def test_a_delivery_is_shown_on_the_racks_and_accepted(stage: Stage, owner: Browser) -> None:
    here = "/admin/delivery"
    sheet = "name,serial,cpu_model,ram_gb,mac,u_height\n" + "".join(
        f"d{n},D{n},Intel Xeon E-2386G,32,02:00:00:00:ee:0{n},{h}\n" for n, h in ((1, 8), (2, 9))
    )
    rack = str(await value(stage, "SELECT id FROM rack WHERE name = 'A1'"))
    terms = {"document": sheet, "datacentre": "ams1", "rack": rack}
    assert (await owner.send_form(here, here, terms | {"document": ""})).status_code == 422
    bad = await owner.send_form(here, here, terms | {"document": sheet + "d3,D3,,,,\n"})
    assert (bad.status_code, "cpu_model: " in bad.text or "Fill it in" in bad.text) == (422, True)
    seen = await owner.send_form(here, here, terms)
    assert "1 of 2 machines find no place" in seen.text
    assert "Rack A1, as it would be" in seen.text
    assert seen.text.count("proposed</span>") == 16
    confirm = f"{here}/confirm"
    places = f"D1@{rack}@17"
    clash = await owner.send_form(here, confirm, terms | {"places": f"D1@{rack}@1"})
    assert (clash.status_code, "d1 cannot stand there" in clash.text) == (409, True)
    assert (await owner.send_form(here, confirm, terms | {"places": places})).status_code == 303
    assert await value(stage, "SELECT u_position FROM server WHERE serial = 'D1'") == 17
    assert (await owner.send_form(here, confirm, terms | {"places": "D1@x@1"})).status_code == 404


async def test_a_plan_frees_a_gap_and_its_moves_are_done_or_dropped(
    stage: Stage, owner: Browser
) -> None:
    ids = await a_hall(stage)
    here, plan = "/admin/moves", "/admin/moves/plan"
    gap = {"goal": "gap", "datacentre": "ams1", "rack": str(ids["rack"]), "u_height": "9"}
    refused = await owner.send_form(here, plan, gap | {"u_height": "x"})
    assert errors_of(refused.text) == {"u_height": "Type a whole number from 1 to 60."}
    assert (await owner.send_form(here, plan, gap | {"u_height": "16"})).status_code == 409
    (first,) = (await owner.send_form(here, plan, gap | {"u_height": "3"})).text.split(
        "Nothing has to"
    )[1:]
    assert "be moved" in first
    drop = await owner.send_form(here, f"{here}/{ids['task']}/drop", {})
    assert drop.status_code == 303
    seen = (await owner.send_form(here, plan, gap | {"u_height": "12"})).text
    assert "1 move does it" in seen
    places = seen.split('name="places" value="')[1].partition('"')[0]
    accept = f"{here}/accept"
    assert (
        await owner.send_form(here, accept, {"places": places, "reason": ""})
    ).status_code == 422
    made = await owner.send_form(here, accept, {"places": places, "reason": "chassis"})
    assert made.status_code == 303
    task = await value(stage, "SELECT id FROM rack_move")
    assert (await owner.send_form(here, f"{here}/{task}/done", {})).status_code == 303
    assert await value(stage, "SELECT count(*) FROM rack_move") == 0
    power = {"goal": "power", "datacentre": "ams1", "percent": "100"}
    assert "Nothing has to be moved" in (await owner.send_form(here, plan, power)).text


async def test_what_a_bmc_says_is_asked_for_and_accepted(stage: Stage, owner: Browser) -> None:
    ids = await a_hall(stage)
    here = f"/admin/servers/{ids['server']}/discovery"
    page = (await owner.get(here)).text
    assert "Acme R1" in page
    assert "Differences" in page
    assert "3 × 960 GB NVMe" in page
    assert (await owner.send_form(here, here, {})).status_code == 303
    assert "Acme R1" in (await owner.get(f"{here}/now")).text
    await owner.send_form(here, f"{here}/accept", {"fact": "model"})
    assert await value(stage, "SELECT model FROM server WHERE id = $1", ids["server"]) == "Acme R1"
    again = await owner.send_form(here, f"{here}/accept", {"fact": "model"})
    assert again.status_code == 303
    await owner.send_form(here, f"{here}/accept", {"fact": "serial"})
    assert "Another server has this serial number." in (await owner.get(here)).text


@pytest.mark.parametrize(
    "path",
    ["/admin/racks/{0}/change", "/admin/devices/new?rack=x", "/admin/cables/new?a=x"],
    ids=["rack", "device", "cable"],
)
async def test_what_is_not_there_is_404(stage: Stage, owner: Browser, path: str) -> None:
    answer = await owner.get(path.format("00000000-0000-7000-8000-000000000000"))
    assert answer.status_code == 404
