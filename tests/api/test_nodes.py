"""What clouds say of their nodes, over the API, and what programs have done about it."""

from app.core.ids import new_id
from app.domain.accounts.roles import Role
from app.domain.accounts.scopes import Scope
from tests.admin.stage import Stage
from tests.api.conftest import Call, Program
from tests.metal.books import CLOUD, WORDS, hear, seven_nodes

WHY = {"reason": "test"}


async def test_nodes_are_read_and_put_right(stage: Stage, owner: Program, call: Call) -> None:
    servers, shown = await seven_nodes(stage)
    await hear(stage.database, stage.clock, *shown)
    (cloud,) = (await owner.get("/api/v1/metal-clouds")).json()["items"]
    assert (cloud["nodes"], cloud["linked"], cloud["gone"]) == (6, 6, 1)
    found = (await owner.get(f"/api/v1/nodes?view=differs&cloud={CLOUD}")).json()["items"]
    told = {one["name"].removeprefix("id-of-"): (one["drift"], one["deeds"]) for one in found}
    assert told == {
        "off": ("off", ["start"]),
        "gone": ("gone", ["forget"]),
        "failed": ("failed", ["aside", "end_maintenance", "offer"]),
        "occupied": ("occupied", ["aside", "release"]),
        "care": ("maintenance", ["aside", "end_maintenance"]),
    }
    first = (await owner.get("/api/v1/nodes?limit=4")).json()
    rest = (await owner.get(f"/api/v1/nodes?limit=4&cursor={first['next']}")).json()
    assert (len(first["items"]), len(rest["items"]), rest["next"]) == (4, 3, None)
    ids = {one["name"]: one["id"] for one in found}
    failed = (await owner.get(f"/api/v1/nodes/{ids['failed']}")).json()
    assert (failed["error"], failed["server"]) == (WORDS, str(servers["failed"]))
    assert (failed["fault"], failed["maintenance_reason"]) == ("clean failure", WORDS)
    at_cloud = (await owner.get(f"/api/v1/servers/{servers['care']}/node")).json()
    assert (at_cloud["about"], at_cloud["in_maintenance"]) == (ids["care"], True)
    assert (at_cloud["maintenance_reason"], at_cloud["fault"]) == ("a fan is changed", "")
    ends = f"/api/v1/nodes/{at_cloud['about']}/deeds"
    end = {"deed": "end_maintenance", **WHY}
    other = await owner.post(ends, json={**end, "maintenance_reason": "a disk is changed"})
    assert (other.status_code, other.json()["code"]) == (409, "metal.other_maintenance")
    end["maintenance_reason"] = at_cloud["maintenance_reason"]
    assert (await owner.post(ends, json=end)).status_code == 202

    reader = await call(Role.OWNER, Scope.SERVERS_READ)
    here = f"/api/v1/nodes/{ids['off']}/deeds"
    assert (await reader.post(here, json={"deed": "start", **WHY})).status_code == 403
    assert (await owner.post(here, json={"deed": "stop", **WHY})).status_code == 409
    assert (await owner.post(here, json={"deed": "start", "reason": ""})).status_code == 422
    done = await owner.post(here, json={"deed": "start", **WHY})
    assert done.json() == {"about": ids["off"], "deed": "start"}
    assert (await owner.post(here, json={"deed": "start", **WHY})).status_code == 409
    assert (await owner.get(f"/api/v1/nodes/{ids['off']}")).json()["is_ordered"]
    nowhere = f"/api/v1/nodes/{new_id()}/deeds"
    assert (await owner.post(nowhere, json={"deed": "start", **WHY})).status_code == 404
    assert (await owner.post(f"/api/v1/metal-clouds/{CLOUD}/look")).status_code == 202
    assert (await owner.post("/api/v1/metal-clouds/nobody/look")).status_code == 404
