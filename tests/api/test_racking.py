"""Deliveries, planned moves and what BMCs say, over the API as on their pages."""

from app.core.ids import new_id
from tests.admin.hall import a_hall, value
from tests.admin.stage import Stage
from tests.api.conftest import Program

MACHINES = [
    {
        "name": f"new-{n}", "serial": f"NEW{n}", "cpu_model": "AMD EPYC 7443P", "ram_gb": "64",
        "mac": f"02:00:5e:77:00:0{n}", "power_draw_watts": "200",
    }
    for n in (1, 2)
]  # fmt: skip


async def test_a_delivery_is_planned_and_accepted_as_a_whole(stage: Stage, owner: Program) -> None:
    await a_hall(stage)
    here = "/api/v1/deliveries"
    model = await value(stage, "SELECT name FROM cpu_model LIMIT 1")
    machines = [one | {"cpu_model": model} for one in MACHINES]
    ask = {"datacentre": "ams1", "machines": machines}
    plan = (await owner.post(f"{here}/plan", json=ask)).json()
    assert [one["serial"] for one in plan["places"]] == ["NEW1", "NEW2"]
    assert (plan["unplaced"], plan["bound"]) == ([], 2)
    assert await value(stage, "SELECT count(*) FROM server WHERE serial LIKE 'NEW%'") == 0

    taken = {**plan["places"][1], "u_position": plan["places"][0]["u_position"]}
    refused = await owner.post(here, json=ask | {"places": [plan["places"][0], taken]})
    assert refused.status_code == 409, "two in one unit"
    assert await value(stage, "SELECT count(*) FROM server WHERE serial LIKE 'NEW%'") == 0
    strange = await owner.post(here, json=ask | {"places": [{**taken, "serial": "OTHER"}]})
    assert strange.json()["fields"] == {"places": "No machine of the delivery is OTHER."}

    made = await owner.post(here, json=ask | {"places": plan["places"]})
    assert made.status_code == 201
    first = (await owner.get(f"/api/v1/servers/{made.json()['server_ids'][0]}")).json()
    assert (first["serial"], first["u_position"]) == ("NEW1", plan["places"][0]["u_position"])
    again = await owner.post(f"{here}/plan", json=ask)
    assert again.status_code == 422
    assert "written down already" in again.json()["fields"]["machines.1"]


async def test_moves_are_planned_accepted_done_and_dropped(stage: Stage, owner: Program) -> None:
    ids = await a_hall(stage)
    here = "/api/v1/rack-moves"
    (before,) = (await owner.get(here)).json()["items"]
    assert (await owner.delete(f"{here}/{before['id']}")).json() == {"id": str(ids["task"])}
    goal = {"datacentre": "ams1", "rack_id": str(ids["rack"])}
    assert (await owner.post(f"{here}/plan", json=goal)).status_code == 422
    nothing = await owner.post(f"{here}/plan", json=goal | {"free_u": 3})
    assert nothing.json() == {"moves": []}
    never = await owner.post(f"{here}/plan", json=goal | {"free_u": 16})
    assert never.status_code == 409
    (move,) = (await owner.post(f"{here}/plan", json=goal | {"free_u": 12})).json()["moves"]
    wanted = {name: move[name] for name in ("server_id", "to_rack_id", "to_u")}
    made = await owner.post(here, json={"moves": [wanted], "reason": "chassis"})
    (task,) = made.json()["items"]
    assert (task["to_u"], task["reason"]) == (move["to_u"], "chassis")
    done = await owner.post(f"{here}/{task['id']}/done")
    assert done.status_code == 200
    server = (await owner.get(f"/api/v1/servers/{move['server_id']}")).json()
    assert server["u_position"] == move["to_u"]
    assert (await owner.post(f"{here}/{task['id']}/done")).status_code == 404
    level = await owner.post(f"{here}/plan", json={"datacentre": "ams1", "most_percent": 100})
    assert level.json() == {"moves": []}


async def test_what_a_bmc_says_is_asked_for_and_accepted(stage: Stage, owner: Program) -> None:
    ids = await a_hall(stage)
    here = f"/api/v1/servers/{ids['server']}/hardware"
    report = (await owner.get(here)).json()
    assert "model" in {one["fact"] for one in report["differences"]}
    stage.clock.advance(minutes=1)
    assert (await owner.post(here)).json()["is_waiting"] is True
    accepted = await owner.post(f"{here}/accepted", json={"fact": "model"})
    assert "model" not in {one["fact"] for one in accepted.json()["differences"]}
    assert await value(stage, "SELECT model FROM server WHERE id = $1", ids["server"]) == "Acme R1"
    assert (await owner.post(f"{here}/accepted", json={"fact": "model"})).status_code == 404
    refused = await owner.post(f"{here}/accepted", json={"fact": "serial"})
    assert refused.json()["fields"] == {"serial": "Another server has this serial number."}
    other = f"/api/v1/servers/{stage.servers['fra1-b1-02']}/hardware"
    assert (await owner.get(other)).status_code == 404, "never asked"
    assert (await owner.post(f"/api/v1/servers/{new_id()}/hardware")).status_code == 404
