"""Servers, racks and cables over the API."""

from app.domain.inventory.register import register_bmc
from app.domain.inventory.seed import BmcSeed
from tests.admin.hall import a_hall
from tests.admin.stage import Stage
from tests.api.conftest import Program

V1 = "/api/v1"


async def test_servers_are_listed_changed_moved_and_taken_out_of_stock(
    stage: Stage, owner: Program
) -> None:
    ids = await a_hall(stage)
    listed = (await owner.get(f"{V1}/servers?rack=C1&status=available")).json()
    assert [one["name"] for one in listed["items"]] == ["ams1-a1-02", "ams1-a1-01"]
    assert len((await owner.get(f"{V1}/servers?datacentre=fra1&limit=5")).json()["items"]) == 5
    here = f"{V1}/servers/{ids['server']}"
    shown = await owner.get(here)
    assert (shown.json()["u_position"], shown.json()["disks"][0]["count"]) == (3, 2)
    power = {"power": "unknown", "power_wanted": None, "power_drifts": False}
    assert shown.json() == shown.json() | power
    etag = shown.headers["etag"]
    assert (await owner.get(here, headers={"If-None-Match": etag})).status_code == 304
    change = {"note": "spare", "feeds": "A", "warranty_ends_on": "2031-05-01"}
    changed = await owner.patch(here, json=change, headers={"If-Match": etag})
    assert changed.json() == changed.json() | change
    late = await owner.patch(here, json=change, headers={"If-Match": etag})
    assert late.status_code == 412
    (eth0, psu1) = (await owner.get(f"{here}/ports")).json()["items"]
    assert (eth0["far_owner"], eth0["far_port"], psu1["cable"]) == ("c1-sw", "swp1", None)

    rack = str(ids["rack"])
    place = {"rack_id": rack, "u_position": 5}
    look = await owner.get(f"{here}/place", params=place)
    assert look.json() == {"obstacles": [{"rule": "units", "text": "ams1-a1-02 stands there."}]}
    refused = await owner.post(f"{here}/place", json=place)
    assert (refused.status_code, refused.json()["code"]) == (409, "inventory.no_room")
    moved = await owner.post(f"{here}/place", json=place | {"u_position": 7, "reason": "airflow"})
    assert (moved.status_code, moved.json()["u_position"]) == (200, 7)
    begun = await owner.post(f"{here}/maintenance", json={"reason": "fan"})
    assert (begun.json()["state"], begun.json()["state_reason"]) == ("maintenance", "fan")
    past = {"reason": "fan", "ends_at": "2001-01-01T00:00:00Z"}
    assert (await owner.post(f"{here}/maintenance", json=past)).status_code == 422
    ended = await owner.post(f"{here}/maintenance/end", json={"reason": "new fan"})
    assert ended.json()["state"] == "available"
    gone = await owner.delete(here, params={"reason": "sold"})
    assert (gone.status_code, gone.json()) == (200, {"id": str(ids["server"])})
    assert (await owner.get(here)).status_code == 404


async def test_servers_are_imported_whole_or_not_at_all(stage: Stage, owner: Program) -> None:
    new = {
        "name": "n1", "serial": "N1", "datacentre": "ams1", "rack": "A1", "u_position": "20",
        "cpu_model": "Intel Xeon E-2386G", "ram_gb": "32", "mac": "02:00:00:00:dd:01",
    }  # fmt: skip
    sheet = {"servers": [new, {"serial": "SN00000", "note": "seen"}], "dry_run": True}
    looked = (await owner.post(f"{V1}/server-imports", json=sheet)).json()
    assert (looked["is_kept"], len(looked["new"]), looked["changed"][0]["text"]) == (
        False,
        1,
        "note",
    )
    bad = {"servers": [new, {"serial": "X"}]}
    refused = (await owner.post(f"{V1}/server-imports", json=bad)).json()
    assert (refused["is_kept"], refused["faults"][0]["row"]) == (False, 2)
    kept = (await owner.post(f"{V1}/server-imports", json=sheet | {"dry_run": False})).json()
    assert kept["is_kept"]
    again = (await owner.post(f"{V1}/server-imports", json=sheet)).json()
    assert again["unchanged"] == 2


async def test_racks_are_read_and_cables_plugged(stage: Stage, owner: Program) -> None:
    ids = await a_hall(stage)
    listed = (await owner.get(f"{V1}/racks?datacentre=ams1&limit=1")).json()
    assert (listed["items"][0]["name"], listed["next"] is None) == ("C1", False)
    rack = await owner.get(f"{V1}/racks/{ids['rack']}")
    assert rack.json() == listed["items"][0]
    assert [one["kind"] for one in rack.json()["devices"]] == ["switch", "pdu"]
    assert rack.json()["used_units"] == 3
    here = f"{V1}/cables/{ids['cable']}"
    assert (await owner.delete(here)).json() == {"id": str(ids["cable"])}
    async with stage.database.snapshot() as tx:
        ports = {row["name"]: str(row["id"]) for row in await tx.fetch("SELECT id, name FROM port")}
    ends = {"a_port": ports["eth0"], "b_port": ports["swp3"], "label": "C-18"}
    made = await owner.post(f"{V1}/cables", json=ends)
    assert (made.status_code, made.json()["b_port"]) == (201, "swp3")
    other = await owner.post(f"{V1}/cables", json=ends | {"b_port": ports["swp4"]})
    assert other.status_code == 422


async def test_cpu_models_and_their_stand_ins_are_kept(stage: Stage, owner: Program) -> None:
    models, links = f"{V1}/cpu-models", f"{V1}/cpu-equivalences"
    made = await owner.post(models, json={"name": "Epyc 9", "cores": 8, "threads": 16})
    assert (made.status_code, made.json()["servers"]) == (201, 0)
    again = await owner.post(models, json={"name": "Epyc 9", "cores": 9, "threads": 18})
    assert (again.json()["id"], again.json()["cores"]) == (made.json()["id"], 9)
    listed = (await owner.get(models)).json()["items"]
    assert again.json() in listed
    used = next(one for one in listed if one["servers"])
    ends = {"group": "nines", "wanted": used["name"], "stand_in": "Epyc 9", "cost": 2}
    link = await owner.post(links, json=ends)
    assert (link.status_code, link.json()) == (201, ends | {"id": link.json()["id"]})
    assert link.json() in (await owner.get(links)).json()["items"]
    unknown = await owner.post(links, json=ends | {"wanted": "6502"})
    assert (unknown.status_code, list(unknown.json()["fields"])) == (422, ["wanted"])
    kept = await owner.delete(f"{models}/{made.json()['id']}")
    assert (kept.status_code, kept.json()["code"]) == (409, "conflict")
    late = await owner.delete(f"{links}/{link.json()['id']}", headers={"If-Match": '"old"'})
    assert late.status_code == 412
    for path in (f"{links}/{link.json()['id']}", f"{models}/{made.json()['id']}"):
        assert (await owner.delete(path)).status_code == 200
        assert (await owner.delete(path)).status_code == 404


async def test_devices_are_put_into_racks_changed_and_taken_out(
    stage: Stage, owner: Program
) -> None:
    ids = await a_hall(stage)
    devices, rack = f"{V1}/devices", str(ids["rack"])
    new = {
        "rack_id": rack, "name": "c1-pdu9", "kind": "pdu", "u_position": 14,
        "ports": [{"name": "out1", "kind": "power"}, {"name": "out2", "kind": "power"}],
    }  # fmt: skip
    made = await owner.post(devices, json=new)
    assert made.status_code == 201, made.text
    assert (made.json()["rack"], made.json()["ports"]) == ("C1", 2)
    here = f"{devices}/{made.json()['id']}"
    listed = (await owner.get(f"{devices}?rack_id={rack}")).json()["items"]
    assert listed[0] == made.json()
    assert all(one["rack_id"] == rack for one in listed)
    twice = await owner.post(devices, json=new)
    assert (twice.status_code, list(twice.json()["fields"])) == (422, ["name"])
    facts = {"kind": "pdu", "u_position": 15, "note": "left"}
    stale = await owner.put(here, json=facts, headers={"If-Match": '"old"'})
    assert stale.status_code == 412
    moved = await owner.put(here, json=facts, headers={"If-Match": made.headers["etag"]})
    assert moved.json() == made.json() | facts
    over = await owner.put(here, json=facts | {"u_position": 3})
    assert over.status_code in {409, 422}
    more = {"ports": [{"name": "out3", "kind": "power"}, {"name": "out1", "kind": "power"}]}
    ports = await owner.post(f"{here}/ports", json=more)
    assert [one["name"] for one in ports.json()["items"]] == ["out1", "out2", "out3"]
    assert (await owner.get(f"{here}/ports")).json() == ports.json()
    [free] = [one for one in (await owner.get(f"{V1}/servers/{ids['server']}/ports")).json()["items"]
              if one["kind"] == "power"]  # fmt: skip
    cable = await owner.post(
        f"{V1}/cables", json={"a_port": ports.json()["items"][0]["id"], "b_port": free["id"]}
    )
    kept = await owner.delete(here)
    assert (kept.status_code, (await owner.get(here)).json()["cabled"]) == (409, 1)
    assert (await owner.delete(f"{V1}/cables/{cable.json()['id']}")).status_code == 200
    assert (await owner.delete(here)).json() == {"id": made.json()["id"]}
    assert (await owner.get(here)).status_code == 404


async def test_a_server_is_burned_in_and_that_is_stopped(stage: Stage, owner: Program) -> None:
    server = (await a_hall(stage))["server"]
    here = f"{V1}/servers/{server}/burn-ins"
    assert (await owner.get(here)).json() == {"items": []}
    begun = await owner.post(here, json={"minutes": 90, "reason": "new memory"})
    assert (begun.status_code, begun.json()["state"], begun.json()["minutes"]) == (
        201,
        "under_way",
        90,
    )
    assert (await owner.get(f"{V1}/servers/{server}")).json()["state"] == "inspecting"
    again = await owner.post(here, json={"reason": "twice"})
    assert (again.status_code, again.json()["code"]) == (409, "inventory.burn_in_under_way")
    stopped = await owner.post(f"{here}/stopped", json={"reason": "it is needed"})
    assert (stopped.status_code, stopped.json()["reason"]) == (200, "new memory")
    (listed,) = (await owner.get(here)).json()["items"]
    assert (listed["id"], listed["state"]) == (begun.json()["id"], stopped.json()["state"])
    assert listed["state"] in {"stopping", "stopped"}
    assert (await owner.post(here, json={"minutes": 0, "reason": "no time"})).status_code == 422


async def test_a_servers_power_is_shown_and_switched(stage: Stage, owner: Program) -> None:
    server = (await stage.delivered()).server_id
    assert server is not None
    async with stage.database.transaction() as tx:
        seed = BmcSeed(url="https://one", username="root", password="calvin")
        await register_bmc(tx, stage.vault, server, seed)
    here = f"{V1}/servers/{server}/power"
    shown = (await owner.get(here)).json()
    assert (shown["power"], shown["can_switch"], shown["doing"]) == ("unknown", True, None)
    order = {"deed": "restart", "reason": "a new kernel"}
    sent = await owner.post(here, json=order)
    assert (sent.status_code, sent.json()["doing"]) == (202, "restart")
    again = await owner.post(here, json=order)
    assert (again.status_code, again.json()["code"]) == (409, "servers.not_switched_now")
    for wrong in ({"deed": "kill", "reason": "x"}, {"deed": "restart"}):
        assert (await owner.post(here, json=wrong)).status_code in (400, 422)
