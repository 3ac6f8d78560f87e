"""Node types for the benchmark alone, found by workers as those of a package of somebody's own.

`bench.call` is one HTTP call as `action.http` makes it: a session for the whole process, a kept
connection, the step's key as the idempotency key. `bench.memory` tells of the worker itself.
"""

import asyncio
import gc
import os
from datetime import timedelta
from functools import lru_cache
from typing import Annotated, Any

import aiohttp
import msgspec
import psutil

from app.flows.node import Done, Effect, NodeType, Step, StepFailed, Wait

CONNECTIONS = 256


class Nothing(msgspec.Struct, frozen=True):
    """No parameters."""


class Call(msgspec.Struct, frozen=True):
    """What is called, and with what."""

    url: Annotated[str, msgspec.Meta(description="Where the target is.")]
    n: Annotated[int, msgspec.Meta(description="A number, which the target answers with.")]
    delay_ms: Annotated[int, msgspec.Meta(ge=0, description="How long it thinks.")] = 0


class Seconds(msgspec.Struct, frozen=True):
    """How long to wait."""

    seconds: Annotated[float, msgspec.Meta(ge=0, description="From the first entry on.")]


class Answer(msgspec.Struct, frozen=True):
    """What an HTTP server answered."""

    status: int
    body: Any


class Memory(msgspec.Struct, frozen=True):
    """A worker's process and its resident memory, after a collection."""

    pid: int
    rss_bytes: int


@lru_cache(maxsize=4)
def _session(_loop: asyncio.AbstractEventLoop) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=CONNECTIONS))


async def call(step: Step, params: Call) -> Done:
    url = f"{params.url}/call?n={params.n}"
    if params.delay_ms:
        url += f"&delay_ms={params.delay_ms}"
    session = _session(asyncio.get_running_loop())
    try:
        async with session.get(url, headers={"Idempotency-Key": step.key}) as response:
            body = msgspec.json.decode(await response.read())
    except aiohttp.ClientError as error:
        raise StepFailed(str(error), transient=True, unknown=True) from error
    return Done(Answer(response.status, body))


def begin(step: Step, params: Nothing) -> Done:  # noqa: ARG001 - a node's signature
    return Done({})


def wait(step: Step, params: Seconds) -> Done | Wait:
    until = step.started_at + timedelta(seconds=params.seconds)
    return Done({}) if step.now >= until else Wait(until)


def memory(step: Step, params: Nothing) -> Done:  # noqa: ARG001 - a node's signature
    gc.collect()
    return Done(Memory(os.getpid(), psutil.Process().memory_info().rss))


BEGIN = NodeType(
    name="bench.begin",
    title="Begin",
    summary="Where a measured run begins.",
    params=Nothing,
    effect=Effect.PURE,
    do=begin,
    trigger="bench",
)
CALL = NodeType(
    name="bench.call",
    title="Call",
    summary="One HTTP call to the benchmark's target.",
    params=Call,
    effect=Effect.OUTSIDE,
    do=call,
    output=Answer,
)
WAIT = NodeType(
    name="bench.wait",
    title="Wait",
    summary="Waits for some seconds.",
    params=Seconds,
    effect=Effect.PURE,
    do=wait,
)
MEMORY = NodeType(
    name="bench.memory",
    title="Memory",
    summary="Tells which process did it, and its memory.",
    params=Nothing,
    effect=Effect.PURE,
    do=memory,
    output=Memory,
)
