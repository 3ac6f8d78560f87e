"""The live stream: closed when the visitor leaves, and only of what may be watched."""

import asyncio
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest
from litestar import Litestar
from redis.asyncio import Redis

from app.core.database import Database
from app.core.live import Live
from app.core.secrets import Vault, new_key
from app.resources import Resources
from app.settings import Settings
from tests.application import application


@dataclass
class Visitor:
    """One connection at the ASGI level: what httpx would buffer, this sees as it comes."""

    app: Litestar
    query: str
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    blocked: asyncio.Event | None = None
    """While set, the visitor's connection takes no bytes."""
    status: int = 0
    heard: list[bytes] = field(default_factory=list)
    _asked: bool = False

    async def receive(self) -> dict[str, Any]:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            return
        if self.blocked is not None:
            await self.blocked.wait()
        self.heard.append(message.get("body", b""))
        if not message.get("more_body", False):
            self.gone.set()  # as servers do: a visitor is gone when the answer is complete

    async def visit(self) -> None:
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET",
            "path": "/live", "raw_path": b"/live", "root_path": "", "scheme": "http",
            "query_string": self.query.encode(), "headers": [(b"host", b"slipway.test")],
            "client": ("192.0.2.9", 5000), "server": ("slipway.test", 80), "state": {},
        }  # fmt: skip
        await self.app(scope, self.receive, self.send)  # type: ignore[arg-type]


@pytest.fixture
def live(redis: Redis) -> Live:
    return Live(redis)


@pytest.fixture
def app(database: Database, redis: Redis, live: Live, vault: Vault) -> Litestar:
    settings = Settings(_env_file=None, base_url="http://slipway.test", keys=new_key())
    return application(Resources(settings, database, redis, live, vault))


async def listening(live: Live, number: int) -> None:
    async with asyncio.timeout(30):
        while sum(map(len, live._listeners.values())) != number:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.005)


async def test_a_visitor_who_leaves_is_forgotten(app: Litestar, live: Live) -> None:
    visitors = [Visitor(app, "topics=stock") for _ in range(5)]
    visits = [asyncio.create_task(visitor.visit()) for visitor in visitors]
    await listening(live, 5)
    visitors[0].gone.set()
    await listening(live, 4)
    for visitor in visitors:
        visitor.gone.set()
    async with asyncio.timeout(30):
        await asyncio.gather(*visits)
    assert not live._listeners


async def test_a_visitor_who_takes_nothing_is_forgotten_too(app: Litestar, live: Live) -> None:
    visitor = Visitor(app, "topics=stock")
    visit = asyncio.create_task(visitor.visit())
    await listening(live, 1)
    visitor.blocked = asyncio.Event()
    for subscription in live._listeners["stock"]:
        subscription.ring("stock")
    await asyncio.sleep(0.02)
    visitor.gone.set()
    async with asyncio.timeout(30):
        await visit
    await listening(live, 0)


async def test_only_what_may_be_watched_is_told(app: Litestar, live: Live) -> None:
    order = f"order:{uuid4()}"
    topics = ("stock", "dashboard", order, "order:x", "doorbell:flows")
    visitor = Visitor(app, f"topics={','.join(topics)}")
    visit = asyncio.create_task(visitor.visit())
    await listening(live, 1)
    for topic in topics:
        for subscription in live._listeners.get(topic, ()):
            subscription.ring(topic)
    async with asyncio.timeout(30):
        while not any(b"event: stock" in part for part in visitor.heard):  # noqa: ASYNC110
            await asyncio.sleep(0.005)
    visitor.gone.set()
    await visit
    said = b"".join(visitor.heard)
    assert said.count(b"event:") == 1


@pytest.mark.parametrize("query", ["topics=", "topics=,,", f"topics={'a,' * 60}b{','.join(map(str, range(50)))}"])  # fmt: skip
async def test_none_or_too_many_topics_are_refused(app: Litestar, query: str) -> None:
    visitor = Visitor(app, query)
    async with asyncio.timeout(30):
        await visitor.visit()
    assert 400 <= visitor.status < 500


async def test_streams_end_when_the_process_hangs_up(app: Litestar, live: Live) -> None:
    visit = asyncio.create_task(Visitor(app, "topics=stock").visit())
    await listening(live, 1)
    live.hang_up()
    async with asyncio.timeout(30):
        await visit
        await Visitor(app, "topics=stock").visit()
    assert not live._listeners
