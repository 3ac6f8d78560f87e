"""Servers at clouds of bare metal over the API; what workers do there is tested in tests/metal."""

from app.core.database import Database
from app.core.ids import new_id
from app.domain.connections.kinds import Kind
from app.domain.inventory.maintain import begin_maintenance
from tests.admin.stage import Stage
from tests.api.conftest import Program
from tests.connections.world import add

CLOUD = {
    "provider": "ironic",
    "auth_type": "http_basic",
    "base_url": "http://127.0.0.1:1",
    "username": "slipway",
    "secret": "not reached",
    "trust": "system",
}


async def test_a_server_is_enrolled_stopped_and_gone_on_with(
    stage: Stage, owner: Program, database: Database
) -> None:
    await add(database, stage.vault, Kind.METAL, "fra-ironic", **CLOUD)
    server = stage.servers["fra1-b1-02"]
    here = f"/api/v1/servers/{server}/node"
    assert (await owner.get(here)).json()["last_errand"] is None
    want = {"connection": "fra-ironic", "interfaces": {"boot": "redfish-virtual-media"}}
    sold = await owner.post(f"{here}/enrol", json=want)
    assert (sold.status_code, sold.json()["code"]) == (409, "metal.in_use")
    async with database.transaction() as tx:
        await begin_maintenance(tx, server, reason="to a cloud", actor=None, actor_label="test")
    nowhere = await owner.post(f"{here}/enrol", json={**want, "connection": "elsewhere"})
    assert (nowhere.status_code, list(nowhere.json()["fields"])) == (422, ["connection"])
    headers = {"Idempotency-Key": "once"}
    asked = (await owner.post(f"{here}/enrol", json=want, headers=headers)).json()
    assert (asked["deed"], asked["state"]) == ("enrol", "working")
    assert [one["step"] for one in asked["steps"]] == ["known", "inspected", "offered"]
    replayed = await owner.post(f"{here}/enrol", json=want, headers=headers)
    assert replayed.json()["id"] == asked["id"]
    twice = await owner.post(f"{here}/enrol", json=want)
    assert (twice.status_code, twice.json()["code"]) == (409, "metal.under_way")

    errand = f"/api/v1/node-errands/{asked['id']}"
    shown = await owner.get(errand)
    assert shown.json() == asked
    same = await owner.get(errand, headers={"If-None-Match": shown.headers["etag"]})
    assert same.status_code == 304
    assert (await owner.post(f"{errand}/stop")).json()["state"] == "stopped"
    assert (await owner.post(f"{errand}/stop")).json()["code"] == "metal.errand_is_over"
    again = (await owner.post(f"{errand}/again")).json()
    assert (again["state"], again["id"] != asked["id"]) == ("working", True)
    assert (await owner.get(here)).json()["last_errand"]["id"] == again["id"]
    await owner.post(f"/api/v1/node-errands/{again['id']}/stop")
    out = await owner.post(f"{here}/withdraw", json={"reason": "a mistake"})
    assert out.json()["deed"] == "withdraw"


async def test_what_cannot_be_done_is_refused(
    stage: Stage, owner: Program, database: Database
) -> None:
    await add(database, stage.vault, Kind.METAL, "fra-ironic", **CLOUD)
    here = f"/api/v1/servers/{stage.servers['fra1-b1-02']}/node"
    adopt = {"connection": "fra-ironic", "node": str(new_id()), "how": "running"}
    for deed, body, code in (
        ("adopt", adopt, "metal.still_sold"),
        ("adopt", {**adopt, "how": "offer"}, "metal.in_use"),
        ("inspect", None, "metal.in_use"),
        ("withdraw", {"reason": "a mistake"}, "metal.in_use"),
    ):
        refused = await owner.post(f"{here}/{deed}", json=body)
        assert (refused.status_code, refused.json()["code"]) == (409, code)
    linked = await owner.post(f"{here}/adopt", json={**adopt, "how": "link"})
    assert [one["step"] for one in linked.json()["steps"]] == ["taken_on"]
    silent = await owner.get("/api/v1/metal-clouds/fra-ironic/strays")
    assert (silent.status_code, silent.json()["code"]) == (409, "metal.cloud_silent")
    assert (await owner.get("/api/v1/metal-clouds/elsewhere/strays")).status_code == 404
    assert (await owner.get(f"/api/v1/node-errands/{new_id()}")).status_code == 404
