"""A node type for the benchmark alone, found by workers as one of a package of somebody's own."""

import gc
import os

import msgspec
import psutil

from app.flows.node import Done, Effect, NodeType, Step


class Nothing(msgspec.Struct, frozen=True):
    """No parameters."""


class Memory(msgspec.Struct, frozen=True):
    """A worker's process and its resident memory, after a collection."""

    pid: int
    rss_bytes: int


def memory(step: Step, params: Nothing) -> Done:  # noqa: ARG001 - a node's signature
    gc.collect()
    return Done(Memory(os.getpid(), psutil.Process().memory_info().rss))


MEMORY = NodeType(
    name="bench.memory",
    title="Memory",
    summary="Tells which process did it, and its memory.",
    params=Nothing,
    effect=Effect.PURE,
    do=memory,
    output=Memory,
)
