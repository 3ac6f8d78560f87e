"""What providers say of virtual machines, over the API, and what programs have done about it."""

from app.core.ids import new_id
from app.domain.accounts.roles import Role
from app.domain.accounts.scopes import Scope
from app.domain.usage.note import note_usage
from tests.admin.stage import Stage
from tests.api.conftest import Call, Program
from tests.machines.books import five_machines, hear, readings
from tests.orders.world import a_client
from tests.usage.test_samples import sample

WHY = {"reason": "test"}


async def test_what_differs_is_read_and_put_right(stage: Stage, owner: Program, call: Call) -> None:
    async with stage.database.transaction() as tx:
        account = await a_client(tx, "machines@example.org")
    five = await five_machines(stage.database, stage.clock, stage.vault, account)
    await hear(stage.database, stage.clock, *readings(five))
    (provider,) = (await owner.get("/api/v1/machine-providers")).json()["items"]
    told = {name: provider[name] for name in ("planned", "gone", "machines", "foreign_machines")}
    assert told == {"planned": 5, "gone": 1, "machines": 5, "foreign_machines": 1}
    assert provider["foreign"][0]["name"] == "somebody-elses"
    found = (await owner.get("/api/v1/machine-drifts")).json()["items"]
    assert {one["service"]: one["drift"] for one in found} == {
        str(five[1]): "off",
        str(five[2]): "gone",
        str(five[3]): "not_suspended",
        str(five[4]): "left_over",
    }
    (stray,) = (await owner.get("/api/v1/stray-machines")).json()["items"]
    assert (stray["name"], stray["service_state"]) == ("stray.example.org", None)

    reader = await call(Role.OWNER, Scope.MACHINES_READ)
    here = f"/api/v1/machine-drifts/{five[1]}/remedy"
    assert (await reader.post(here)).status_code == 403
    done = await owner.post(here, headers={"Idempotency-Key": "once"})
    assert done.json() == {"about": str(five[1]), "deed": "start"}
    again = await owner.post(here, headers={"Idempotency-Key": "once"})
    assert again.headers["idempotency-replayed"] == "true"
    assert (await owner.post(here)).status_code == 409
    gone = f"/api/v1/machine-drifts/{five[2]}"
    assert (await owner.post(f"{gone}/remedy")).status_code == 409
    assert (await owner.post(f"{gone}/release", json={"reason": ""})).status_code == 422
    assert (await owner.post(f"{gone}/release", json=WHY)).json()["deed"] == "release"
    left = f"/api/v1/machine-drifts/{five[4]}/remove"
    assert (await owner.post(left, json=WHY)).json()["deed"] == "remove"
    provider = "/api/v1/machine-providers/pve"
    keeper = await call(Role.OWNER, Scope.MACHINES_READ, Scope.MACHINES_WRITE)
    assert (await keeper.post(f"{provider}/drain", json=WHY)).status_code == 403, "as on the page"
    grouped = await owner.post(f"{provider}/group", json={"group": "fra", "weight": 7})
    assert (grouped.json()["in_group"], grouped.json()["weight"]) == ("fra", 7)
    assert (await owner.post(f"{provider}/drain", json=WHY)).json()["draining_since"] is not None
    assert (await owner.post(f"{provider}/take-up", json=WHY)).json()["draining_since"] is None
    here = f"/api/v1/stray-machines/{stray['id']}"
    assert (await owner.post(f"{here}/leave", json=WHY)).json()["left_alone_at"] is not None
    assert (await owner.post(f"{here}/remove", json=WHY)).json()["about"] == stray["id"]
    unknown = f"/api/v1/stray-machines/{new_id()}/remove"
    assert (await owner.post(unknown, json=WHY)).status_code == 404
    assert (await owner.post("/api/v1/machine-providers/pve/look")).status_code == 202
    assert (await owner.post("/api/v1/machine-providers/nobody/look")).status_code == 404


async def test_what_a_machine_used_is_told(stage: Stage, owner: Program) -> None:
    async with stage.database.transaction() as tx:
        account = await a_client(tx, "machines@example.org")
    service, *_ = await five_machines(stage.database, stage.clock, stage.vault, account)
    now = stage.clock.now()
    async with stage.database.transaction() as tx:
        samples = [sample(int(now.timestamp()) + 60 * n, 1_000.0) for n in range(30)]
        await note_usage(tx, service, samples)
    stage.clock.advance(minutes=30)
    here = f"/api/v1/services/{service}"
    for bad in ("end=0001-01-01T00:00:00Z", "end=2026-01-01T00:00:00"):
        refused = await owner.get(f"{here}/usage?{bad}")
        assert (refused.status_code, [*refused.json()["fields"]]) == (422, ["end"])
    points = (await owner.get(f"{here}/usage")).json()["items"]
    assert sum(point["seconds"] for point in points) == 1_800
    assert {point["net_in_bits_s"] for point in points} == {8_000.0}
    (hour, *_) = (await owner.get(f"{here}/usage?step=1h")).json()["items"]
    assert hour["cpu"] == 0.5
    past = "begin=2020-01-01T00:00:00Z&end=2020-02-01T00:00:00Z"
    assert (await owner.get(f"{here}/usage?step=1d&{past}")).json()["items"] == []
    assert (await owner.get(f"{here}/usage?begin=2020-01-01T00:00:00")).status_code == 422
    (month,) = (await owner.get(f"{here}/usage-months")).json()["items"]
    assert (month["net_in_bytes"], month["p95_bits_s"]) == (1_800_000, 16_000)
    assert (await owner.get(f"/api/v1/services/{new_id()}/usage")).status_code == 404
    assert (await owner.get(f"/api/v1/services/{new_id()}/usage-months")).status_code == 404
