"""A Slipway process of its own, for the benchmark: `python -m benchmarks.ipam.process`.

`orders DSN COUNT AT_ONCE` waits for a line, claims so many orders' sets, each in a transaction of
its own, prints how many a second that were, and ends when its input does; `first DSN` prints the
seconds from its start until its first claim stands, without the time that Python takes to import
the program.
"""

import asyncio
import sys
import time

import uvloop

from app.core.database import Database
from app.domain.addresses.hints import listening
from app.domain.addresses.index import INDEX
from benchmarks.ipam.ground import ONE, ORDER, claim_for, rate
from benchmarks.report import say

WARM_UP = 64


async def orders(dsn: str, count: str, at_once: str) -> None:
    database, callers = Database(), int(at_once)
    await database.open(dsn, min_size=2, max_size=callers + 1)
    try:
        async with listening(database, INDEX):
            await rate(lambda: claim_for(database, ORDER), WARM_UP, callers)
            say("ready")
            await asyncio.to_thread(sys.stdin.readline)
            say(str(await rate(lambda: claim_for(database, ORDER), int(count), callers)))
            await asyncio.to_thread(sys.stdin.read)
    finally:
        await database.close()


async def first(dsn: str) -> None:
    began = time.perf_counter()
    database = Database()
    await database.open(dsn, min_size=1, max_size=4)
    try:
        await claim_for(database, ONE)
        say(str(time.perf_counter() - began))
    finally:
        await database.close()


if __name__ == "__main__":
    what, *arguments = sys.argv[1:]
    uvloop.run({"orders": orders, "first": first}[what](*arguments))
