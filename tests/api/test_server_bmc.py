"""The BMC of a server over the API."""

from datetime import datetime, timedelta
from typing import Any

import msgspec

from app.core.database import Database
from app.core.ids import new_id
from tests.admin.stage import Stage
from tests.api.conftest import Program

NEW = {"protocol": "ipmi", "url": "ipmi://10.77.0.7", "username": "slipway", "password": "first"}


async def test_it_is_shown_without_its_password_and_put_as_it_is_known(
    stage: Stage, owner: Program, database: Database
) -> None:
    here = f"/api/v1/servers/{stage.servers['fra1-b1-02']}/bmc"
    shown = await owner.get(here)
    assert shown.json()["protocol"] == "redfish"
    assert "password" not in shown.json()
    assert (
        await owner.get(here, headers={"If-None-Match": shown.headers["etag"]})
    ).status_code == 304
    put = await owner.put(here, json=NEW, headers={"If-Match": shown.headers["etag"]})
    assert put.json() == {
        "protocol": "ipmi", "url": "ipmi://10.77.0.7", "username": "slipway", "system_path": "",
        "tls_mode": "ca", "ca_pem": "", "boot_method": "network", "rejection": None,
    }  # fmt: skip
    late = await owner.put(here, json=NEW, headers={"If-Match": shown.headers["etag"]})
    assert late.status_code == 412
    at = stage.clock.now()
    for again_at in (at + timedelta(minutes=2), at + timedelta(hours=1), None):
        async with database.transaction() as tx:
            await tx.execute(
                "INSERT INTO bmc_rejection "
                "(id, peer, username, sealed_credentials, words, rejected_at) "
                "VALUES ($1, '10.77.0.7', 'slipway', $2, 'Incorrect password provided', $3)",
                new_id(),
                stage.vault.seal("slipway\0first"),
                at,
            )
        assert (await owner.get(here)).json()["rejection"] == {
            "words": "Incorrect password provided",
            "at": told(at),
            "again_at": told(again_at),
        }
    again = await owner.put(here, json={**NEW, "password": "second"})
    assert again.json()["rejection"] is None


def told(at: datetime | None) -> Any:
    """Return a moment as JSON has it."""
    return msgspec.to_builtins(at)


async def test_what_cannot_work_is_refused_by_field(stage: Stage, owner: Program) -> None:
    here = f"/api/v1/servers/{stage.servers['fra1-b1-02']}/bmc"
    for wrong, field in (
        ({"boot_method": "virtual-media"}, "boot_method"),
        ({"boot_method": "http"}, "boot_method"),
        ({"url": "https://10.77.0.7"}, "url"),
        ({"password": ""}, "password"),
    ):
        refused = await owner.put(here, json=NEW | wrong)
        assert (refused.status_code, list(refused.json()["fields"])) == (422, [field])
    nowhere = await owner.put(f"/api/v1/servers/{new_id()}/bmc", json=NEW)
    assert nowhere.status_code == 404
