"""Several processes in one: each task can have an index of its own, as each process has."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from uuid import UUID

import pytest

from app.domain.addresses import (
    claim,
    desk,
    divide,
    free,
    leaves,
    next_free,
    register,
    remove,
)
from app.domain.addresses.index import AddressIndex

_MEMORY: ContextVar[dict[UUID, Any]] = ContextVar("memory")


class Processes(AddressIndex):
    """Remembers per context what an index remembers per process."""

    def __init__(self) -> None:
        self._shared: dict[UUID, Any] = {}
        self._readers: dict[int, asyncio.Future[None] | None] = {}
        self.unfinished = asyncio.Event()

    @property
    def _known(self) -> dict[UUID, Any]:  # type: ignore[override]  # where it is kept is the point
        return _MEMORY.get(self._shared)

    @property
    def _reading(self) -> asyncio.Future[None] | None:
        return self._readers.get(id(self._known))

    @_reading.setter
    def _reading(self, reading: asyncio.Future[None] | None) -> None:
        self._readers[id(self._known)] = reading

    def begin(self) -> None:
        """Make the calling task a process that knows nothing yet."""
        _MEMORY.set({})

    @contextmanager
    def within(self, memory: dict[UUID, Any]) -> Iterator[None]:
        """Be the process that remembers this."""
        token = _MEMORY.set(memory)
        try:
            yield
        finally:
            _MEMORY.reset(token)


def install(monkeypatch: pytest.MonkeyPatch) -> Processes:
    processes = Processes()
    for module in (claim, desk, divide, free, leaves, next_free, register, remove):
        monkeypatch.setattr(module, "INDEX", processes)
    return processes
