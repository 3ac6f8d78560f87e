"""A Slipway process of its own, for the benchmark: `python -m benchmarks.ipam.process`.

`orders DSN COUNT` waits for a line, claims so many orders' sets at the desk and prints how many a
second that were; `first DSN` prints the seconds from its start until its first claim stands,
without the time that Python takes to import the program.
"""

import asyncio
import sys
import time

import uvloop

from app.core.database import Database
from app.domain.addresses.desk import ClaimDesk
from app.domain.addresses.hints import listening
from app.domain.addresses.index import INDEX
from benchmarks.ipam.ground import CONNECTIONS, ONE, ORDER, ask_for, rate
from benchmarks.report import say

WARM_UP = 64


async def orders(dsn: str, count: str) -> None:
    database = Database()
    await database.open(dsn, min_size=2, max_size=4)
    try:
        async with listening(database, INDEX):
            desk = ClaimDesk(database)
            await rate(lambda: desk.claim(ask_for(ORDER)), WARM_UP, CONNECTIONS)
            say("ready")
            await asyncio.to_thread(sys.stdin.readline)
            say(str(await rate(lambda: desk.claim(ask_for(ORDER)), int(count), CONNECTIONS)))
    finally:
        await database.close()


async def first(dsn: str) -> None:
    began = time.perf_counter()
    database = Database()
    await database.open(dsn, min_size=1, max_size=4)
    try:
        await ClaimDesk(database).claim(ask_for(ONE))
        say(str(time.perf_counter() - began))
    finally:
        await database.close()


if __name__ == "__main__":
    what, *arguments = sys.argv[1:]
    uvloop.run({"orders": orders, "first": first}[what](*arguments))
