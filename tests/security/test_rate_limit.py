"""Rate limits: by client and window, in Redis, and open when Redis is away."""

from collections.abc import AsyncIterator

import pytest
import structlog
from litestar import Litestar, get
from redis.asyncio import Redis

from app.core.clock import SetClock
from app.core.database import Database
from app.routes.security.plugin import SecurityPlugin
from app.routes.security.rate_limit import Limit, limited
from app.routes.security.visit import Edge
from app.settings import Settings
from tests.accounts.people import make_account
from tests.security.browser import Browser


async def test_beyond_the_limit_it_says_when_to_come_back(
    app: Litestar, browser: Browser, clock: SetClock
) -> None:
    clock.advance(seconds=20)
    assert [(await browser.get("/costly")).status_code for _ in range(4)] == [200, 200, 200, 429]
    refused = await browser.get("/costly")
    assert refused.headers["retry-after"] == "40"
    assert "Try again in 40 s" in refused.text
    async with Browser(app, address="192.0.2.8") as other:
        assert (await other.get("/costly")).status_code == 200
    clock.advance(seconds=40)
    assert (await browser.get("/costly")).status_code == 200


async def test_a_network_of_ipv6_is_one_client(app: Litestar) -> None:
    statuses = []
    for n in range(4):
        async with Browser(app, address=f"2001:db8::{n:x}") as browser:
            statuses.append((await browser.get("/costly")).status_code)
    assert statuses == [200, 200, 200, 429]


@pytest.fixture
async def no_redis() -> AsyncIterator[Redis]:
    client = Redis(host="127.0.0.1", port=1, socket_connect_timeout=0.2)
    yield client
    await client.aclose()


async def test_without_redis_requests_pass_and_a_line_is_logged(
    database: Database, no_redis: Redis
) -> None:
    @get("/costly", guards=[limited(Limit("costly", most=1))])
    async def costly() -> str:
        return "done"

    settings = Settings(_env_file=None)
    app = Litestar(
        [costly],
        plugins=[SecurityPlugin(lambda: Edge(settings, database, no_redis))],
        openapi_config=None,
    )
    async with Browser(app) as browser:
        with structlog.testing.capture_logs() as logs:
            assert [(await browser.get("/costly")).status_code for _ in range(3)] == [200, 200, 200]
    assert [line["event"] for line in logs] == ["rate limit not applied"] * 3


async def test_sign_in_says_when_to_try_again(
    browser: Browser, database: Database, clock: SetClock
) -> None:
    await make_account(database)
    for _ in range(10):
        wrong = await browser.sign_in(password="wrong password")
        assert wrong.status_code == 422
        assert "E-mail or password is wrong" in wrong.text
        assert 'value="ada@example.com"' in wrong.text
        assert "wrong password" not in wrong.text
    throttled = await browser.sign_in()
    assert throttled.status_code == 429
    assert "Try again at 02:15:00 UTC (in 15 minutes)" in throttled.text
    assert throttled.headers["retry-after"] == "900"
    clock.advance(minutes=15)
    assert (await browser.sign_in()).status_code == 303
