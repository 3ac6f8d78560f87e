"""Allocation over the API: explained, overruled, asked about before it is sold."""

import msgspec

from app.domain.orders.explain import explain_order
from tests.admin.stage import Stage
from tests.api.conftest import Program

API = "/api/v1"


async def test_an_order_is_explained_as_on_its_page(stage: Stage, owner: Program) -> None:
    order = await stage.order()
    here = f"{API}/orders/{order.id}/allocation"
    said = (await owner.get(here, params={"server": "fra1-b1-01"})).json()
    async with stage.database.snapshot() as tx:
        told = await explain_order(tx, order.id, server="fra1-b1-01")
    assert (said["has"], said["chosen"]) == (str(order.server_id), str(told.account.chosen))
    assert said["eligible"] == told.account.explanation.eligible
    assert [one["id"] for one in said["candidates"]] == [
        str(one.server) for one in told.account.candidates
    ]
    assert said["want"]["datacentres"] == ["ams1"]
    assert said["asked"]["failed"][0] == "In ams1"
    assert said["asked"]["says"].startswith("fra1-b1-01 fails: In ams1")
    steps = [step["text"] for rule in said["rules"] for step in rule["steps"]]
    assert sorted(steps) == sorted(s.text for s in told.account.explanation.relaxations)
    assert (await owner.get(here, params={"server": "nobody"})).status_code == 404


async def test_a_server_is_chosen_once_and_only_while_it_can_be(
    stage: Stage, owner: Program
) -> None:
    order = await stage.order()
    here = f"{API}/orders/{order.id}/allocation"
    body = {"server": "fra1-b1-01", "reason": "asked for it"}
    key = {"Idempotency-Key": "choose-1"}
    made = await owner.post(here, json=body, headers=key)
    assert (made.status_code, made.json()["name"]) == (200, "fra1-b1-01")
    assert made.json()["fails"][0] == "In ams1"
    assert (await owner.post(here, json=body, headers=key)).json() == made.json()
    assert (await owner.post(here, json=body)).json()["code"] == "orders.not_in_stock"
    working, _ = await stage.installing()
    refused = await owner.post(f"{API}/orders/{working.id}/allocation", json=body)
    assert (refused.status_code, refused.json()["code"]) == (409, "orders.server_fixed")


async def test_what_is_left_and_what_could_be_sold(stage: Stage, owner: Program) -> None:
    [line] = [
        one
        for one in (await owner.get(f"{API}/stock")).json()["items"]
        if one["product"] == "metal-s"
    ]
    ask = f"{API}/products/metal-s/what-if"
    enough = (await owner.get(ask, params={"number": line["servers"]})).json()
    assert (enough["possible"], enough["binds"]) == (line["servers"], [])
    short = (await owner.get(ask, params={"number": line["servers"] + 1})).json()
    assert (short["possible"], short["binds"]) == (line["servers"], ["stock"])
    assert (await owner.get(ask, params={"number": 0})).status_code == 422
    client = {"number": line["servers"], "client": str(stage.clients[0])}
    async with stage.database.transaction() as tx:
        await tx.execute("UPDATE rack SET most_of_client = 1")
    assert (await owner.get(ask, params=client)).json()["binds"] == ["racks"]
    nobody = await owner.get(ask, params=client | {"client": "nobody@example.test"})
    assert (nobody.status_code, list(nobody.json()["fields"])) == (422, ["client"])


async def test_who_waits_is_listed(stage: Stage, owner: Program) -> None:
    order, _ = await stage.without_stock()
    said = (await owner.get(f"{API}/backlog")).json()
    assert [(one["number"], one["passed"]) for one in said["waiting"]] == [(order.number, 0)]
    assert said["served"] == []


async def test_a_wish_is_matched_to_the_stock_as_it_is(stage: Stage, owner: Program) -> None:
    want = {"want": {"min_cores": 24}}
    async with stage.database.snapshot() as tx:
        names = {
            str(row["id"]) for row in await tx.fetch("SELECT id FROM server WHERE ram_gb = 128")
        }
    said = (await owner.post(f"{API}/server-matches", json=want)).json()
    assert set(said["ranked"]) == names
    assert (said["eligible"], said["chosen"]) == (len(names), said["ranked"][0])
    async with stage.database.transaction() as tx:
        await tx.execute(
            "UPDATE server SET state = 'maintenance' WHERE id::text = $1", said["chosen"]
        )
    after = (await owner.post(f"{API}/server-matches", json=want)).json()
    assert set(after["ranked"]) == names - {said["chosen"]}
    unknown = msgspec.json.encode({"want": {"colour": "red"}})
    wrong = await owner.post(
        f"{API}/server-matches", content=unknown, headers={"Content-Type": "application/json"}
    )
    assert wrong.status_code == 422
