"""DBOS: the flow as an async workflow with a step per call. Runs in an environment of its own.

Reads orders as JSON lines, `{"flows": 400, "how": "queue", "at_once": 64}` or `{"alone": 100}`,
and answers each with one line: `{"seconds": [...]}`.
"""

import asyncio
import json
import os
import sys
import time

import aiohttp
import uvloop
from dbos import DBOS

STEPS = 10
POLL_S = 0.05


class Session:
    http: aiohttp.ClientSession
    url: str


@DBOS.step()
async def call(n: int) -> dict[str, int]:
    async with Session.http.get(f"{Session.url}/call?n={n}") as response:
        return await response.json()


@DBOS.workflow()
async def flow(n: int) -> int:
    for number in range(STEPS):
        body = await call(n if number == 0 else n + 1)
        n = body["n"]
    return n


async def started(flows: int, at_once: int) -> None:
    """Start them in this process."""
    free = asyncio.Semaphore(at_once or flows)

    async def one() -> None:
        async with free:
            handle = await DBOS.start_workflow_async(flow, 1)
            await handle.get_result()

    await asyncio.gather(*(one() for _ in range(flows)))


async def queued(flows: int, at_once: int) -> None:
    """Put them into a queue of this process."""
    name = f"bench-{at_once}"
    if name not in _queues:
        _queues.add(name)
        await DBOS.register_queue_async(
            name, worker_concurrency=at_once or None, polling_interval_sec=POLL_S
        )
        await asyncio.sleep(2)  # until its thread has begun
    handles = await asyncio.gather(
        *(DBOS.enqueue_workflow_async(name, flow, 1) for _ in range(flows))
    )
    await asyncio.gather(*(handle.get_result(polling_interval_sec=POLL_S) for handle in handles))


_queues: set[str] = set()
HOW = {"start": started, "queue": queued}


async def obey(order: dict) -> list[float]:
    taken = []
    for _ in range(order.get("alone", 0)):
        began = time.perf_counter()
        await flow(1)
        taken.append(time.perf_counter() - began)
    if order.get("flows"):
        began = time.perf_counter()
        await HOW[order["how"]](order["flows"], order["at_once"])
        taken.append(time.perf_counter() - began)
    return taken


async def main(database_url: str, target_url: str) -> None:
    Session.url = target_url
    Session.http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=256))
    DBOS(
        config={
            "name": "bench",
            "system_database_url": database_url,
            "log_level": "ERROR",
        }
    )
    DBOS.launch()
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        seconds = await obey(json.loads(line))
        print(json.dumps({"seconds": seconds}), flush=True)
    os._exit(0)  # its threads would go on for a while


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], sys.argv[2]))
