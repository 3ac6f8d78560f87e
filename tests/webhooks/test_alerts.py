"""`/webhooks/alertmanager`: Alertmanager's alerts, each once, from whoever has the token."""

from typing import Any

import httpx
from litestar import Litestar
from redis.asyncio import Redis

from app.core.database import Database
from app.core.live import Live
from app.core.outbox import claim_due
from app.core.secrets import Vault, new_key
from app.jobs.events import event_consumers
from app.resources import Resources
from app.settings import Settings
from tests.application import application
from tests.flows.triggers.board import Board
from tests.flows.triggers.test_alerts import request, sent
from tests.webhooks.conftest import TOKEN

WITH_TOKEN = {"Authorization": f"Bearer {TOKEN}"}


async def tell(http: httpx.AsyncClient, *alerts: dict[str, Any]) -> int:
    answer = await http.post("/webhooks/alertmanager", content=request(*alerts), headers=WITH_TOKEN)
    return answer.status_code


async def follow(database: Database) -> None:
    """Hand over what the outbox holds."""
    consumers = event_consumers(database)
    async with database.transaction() as tx:
        parcels = await claim_due(tx)
    for parcel in parcels:
        await consumers[parcel.topic](parcel)


async def test_an_alert_that_is_repeated_starts_one_run(
    board: Board, http: httpx.AsyncClient
) -> None:
    await board.listen("reboot", "alert", severity=["critical"])
    await board.listen("over", "alert", status="resolved")
    quiet = sent(fingerprint="b", labels={"alertname": "DiskFull", "severity": "warning"})
    for _ in range(3):
        assert await tell(http, sent(), quiet) == 200
        await follow(board.database)
    board.clock.advance(hours=4)
    assert await tell(http, sent()) == 200
    assert await tell(http, sent(status="resolved", endsAt="2026-03-01T02:10:00Z")) == 200
    await follow(board.database)
    (run,) = await board.runs("reboot")
    assert run["input"]["labels"]["instance"] == "web-1"
    (over,) = await board.runs("over")
    assert over["input"]["ends_at"] == "2026-03-01T02:10:00Z"


async def test_an_alert_with_words_that_the_database_cannot_hold(
    board: Board, http: httpx.AsyncClient
) -> None:
    await board.listen("reboot", "alert")
    assert await tell(http, sent(annotations={"summary": "a\x00b"})) == 200
    await follow(board.database)
    (run,) = await board.runs()
    assert run["input"]["summary"] == "a�b"


async def test_only_who_has_the_token_is_let_in(board: Board, http: httpx.AsyncClient) -> None:
    for given in ("", "Bearer guess", f"Basic {TOKEN}", "Bearer é".encode()):
        answer = await http.post(
            "/webhooks/alertmanager", content=request(sent()), headers={"Authorization": given}
        )
        assert answer.status_code == 401
    assert await board.value("SELECT count(*) FROM outbox") == 0


async def test_anything_else_is_refused(board: Board, http: httpx.AsyncClient) -> None:
    answer = await http.post("/webhooks/alertmanager", content=b"{}", headers=WITH_TOKEN)
    assert (answer.status_code, answer.json()["code"]) == (400, "hooks.bad_alerts")


async def test_without_a_token_in_the_settings_there_is_no_such_place(
    database: Database, redis: Redis, vault: Vault
) -> None:
    settings = Settings(_env_file=None, base_url="http://slipway.test", keys=new_key())
    app: Litestar = application(Resources(settings, database, redis, Live(redis), vault))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://slipway.test") as client:
        answer = await client.post(
            "/webhooks/alertmanager", content=b"{}", headers={"Authorization": "Bearer "}
        )
    assert answer.status_code == 404
