"""Restate: the flow as a handler with `ctx.run` per call. Runs in an environment of its own."""

import os

import aiohttp
import restate

STEPS = 10
flows = restate.Service("flow")


class Session:
    http: aiohttp.ClientSession | None = None


async def call(n: int) -> dict[str, int]:
    if Session.http is None:
        Session.http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=256))
    async with Session.http.get(f"{os.environ['TARGET_URL']}/call?n={n}") as response:
        return await response.json()


@flows.handler()
async def run(ctx: restate.Context, n: int) -> int:
    for number in range(STEPS):
        given = n if number == 0 else n + 1
        body = await ctx.run_typed(f"s{number + 1}", call, n=given)
        n = body["n"]
    return n


app = restate.app([flows])
