"""Live topics: nothing that was said during a reconnection is missed, nobody waits for Redis."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from app.core import live as module
from app.core.embedded.redis import EmbeddedRedis
from app.core.live import DOORBELLS, EVERYTHING, Live


@contextlib.asynccontextmanager
async def running(redis: Redis, *, hears: str = EVERYTHING) -> AsyncIterator[Live]:
    live = Live(redis, hears=hears)
    await live.start()
    yield live
    await live.stop()


async def test_every_listener_looks_again_after_a_reconnection(
    redis: Redis, redis_server: EmbeddedRedis
) -> None:
    from app.resources import open_redis

    patient = open_redis(redis_server.url)
    async with running(patient) as live, live.listen("order:1") as bell:
        assert await bell.wait(30) == {"order:1"}, "once it listens"
        for client in await redis.client_list(_type="pubsub"):
            await redis.client_kill_filter(_id=client["id"])
        assert await bell.wait(30) == {"order:1"}
        await live.publish(["order:1"])
        assert await bell.wait(30) == {"order:1"}
    await patient.aclose()


async def test_a_topic_that_is_no_text_does_not_end_the_relay(redis: Redis) -> None:
    async with running(redis) as live, live.listen("order:1") as bell:
        await bell.wait(30)
        await redis.publish(b"slipway:\xff", "")
        await live.publish(["order:1"])
        assert await bell.wait(30) == {"order:1"}


async def test_who_hears_doorbells_is_sent_nothing_else(redis: Redis) -> None:
    async with (
        running(redis, hears=DOORBELLS) as live,
        live.listen("order:1", "doorbell:flows") as bell,
    ):
        await bell.wait(30)  # once it listens
        await live.publish(["order:1", "doorbell:flows"])
        assert await bell.wait(30) == {"doorbell:flows"}


async def test_a_failure_of_any_kind_does_not_end_the_relay(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RECONNECT_S", 0.01)
    relay, failures = Live._relay, [ValueError("?"), OSError("gone")]

    async def unlucky(live: Live) -> None:
        if failures:
            raise failures.pop()
        await relay(live)

    monkeypatch.setattr(Live, "_relay", unlucky)
    async with running(redis) as live, live.listen("order:1") as bell:
        assert await bell.wait(30) == {"order:1"}


async def test_a_redis_that_does_not_answer_delays_nobody_for_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "PUBLISH_S", 0.05)
    gone = asyncio.Event()

    async def silence(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await gone.wait()
        writer.close()

    server = await asyncio.start_server(silence, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    client = Redis(host="127.0.0.1", port=port)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(30):
            await Live(client).publish(["order:1"])
    gone.set()
    await client.aclose()
    server.close()
    await server.wait_closed()


async def test_listeners_leave_nothing_behind(redis: Redis) -> None:
    live = Live(redis)
    async with live.listen("a", "b", "a"), live.listen("a"):
        assert set(live._listeners) == {"a", "b"}
    assert not live._listeners
