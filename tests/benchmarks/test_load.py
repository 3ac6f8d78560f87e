"""The load generator against a real server, and the phases of a cold start."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.cli.demo.processes import Processes
from benchmarks import cold
from benchmarks.cold import ColdFailed, Said, demo_phases
from benchmarks.floor import page_of
from benchmarks.load import BadAnswer, User, load, read_head
from benchmarks.machine import start_floor


@pytest.fixture(scope="module")
async def floor(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    processes = Processes(tmp_path_factory.mktemp("floor"))
    try:
        yield await start_floor(processes, "litestar", 5_000)
    finally:
        await processes.stop()


async def test_load_counts_each_answer_once(floor: str) -> None:
    taken = await load(floor, "/", users=5, requests=50, warm_up=7)
    assert len(taken) == 50
    assert all(seconds > 0 for seconds in taken)


async def test_a_user_keeps_its_connection_and_reads_the_whole_page(floor: str) -> None:
    user = User(floor)
    await user.open()
    assert [await user.get("/"), await user.get("/")] == [page_of(5_000).encode()] * 2
    await user.close()


async def test_an_answer_that_is_not_200_ends_the_measurement(floor: str) -> None:
    with pytest.raises(ExceptionGroup) as caught:
        await load(floor, "/nothing", users=2, requests=4, warm_up=0)
    assert caught.group_contains(BadAnswer, match="404")


async def test_chunks_are_read_to_their_end() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(2):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                b"4;x=y\r\nSlip\r\n3\r\nway\r\n0\r\n\r\n"
            )
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    user = User(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    await user.open()
    assert [await user.get("/"), await user.get("/")] == [b"Slipway", b"Slipway"]
    await user.close()
    server.close()


def test_head() -> None:
    assert read_head(b"HTTP/1.1 404 Not Found\r\nContent-Length:  12\r\n\r\n") == (
        404,
        {"content-length": "12"},
    )


def test_phases_of_a_cold_demo() -> None:
    said = Said()
    said.lines = [(1.0, "fetching"), (40.0, "Everything runs after 8.5 s."), (55.0, "delivered")]
    said.wall_s = 60.0
    assert demo_phases(said) == {
        "set-up": 31.5, "start": 8.5, "delivery and stop": 20.0, "all": 60.0,
    }  # fmt: skip
    with pytest.raises(ColdFailed):
        demo_phases(Said())


async def test_cold_does_not_start_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(cold.NESTED, "1")
    with pytest.raises(ColdFailed, match="itself"):
        await cold.measure()


def test_a_cold_environment_has_its_own_caches_and_no_settings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SLIPWAY_PORT", "1")
    monkeypatch.setenv("DATABASE_URL", "postgresql://elsewhere")
    made = cold._environment(Path("/caches"))
    assert made["UV_CACHE_DIR"] == "/caches/uv"
    assert made["PATH"] == os.environ["PATH"]
    assert not {"SLIPWAY_PORT", "DATABASE_URL"} & set(made)
