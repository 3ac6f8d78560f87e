"""Holds adapters of other packages to the contract: they raise `DriverError`s, whatever happens."""

import functools
import inspect
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import structlog

from app.drivers.errors import DriverError

log = structlog.get_logger()


class AdapterFailed(DriverError):
    """An adapter failed by a fault of its own. What was done before that, nobody knows."""

    def __init__(self, peer: str, package: str, error: BaseException) -> None:
        where = ""
        if frames := traceback.extract_tb(error.__traceback__):
            last = frames[-1]
            where = f" in {Path(last.filename).name}:{last.lineno}"
        # Not its words: nobody has looked whether a secret is in them.
        words = f"{package} failed: {type(error).__name__}{where}; tell those who make it"
        super().__init__(peer, words)
        self.package = package


class Guarded:
    """An adapter; its coroutines raise AdapterFailed in place of what the contract has not."""

    def __init__(self, adapter: object, *, peer: str, package: str) -> None:
        self._adapter = adapter
        self._peer = peer
        self._package = package

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._adapter, name)
        if not inspect.iscoroutinefunction(found):
            return found
        return _guarded(found, self._peer, self._package)


def _guarded(
    call: Callable[..., Awaitable[Any]], peer: str, package: str
) -> Callable[..., Awaitable[Any]]:
    @functools.wraps(call)
    async def guarded(*given: Any, **more: Any) -> Any:
        try:
            return await call(*given, **more)
        except (DriverError, TimeoutError):
            raise
        except Exception as error:
            log.exception("plug_in.adapter_failed", peer=peer, package=package)
            raise AdapterFailed(peer, package, error) from error

    return guarded


def made_by(make: Callable[[], Any], *, peer: str, package: str) -> Any:
    """Return the adapter that another package makes, guarded. Raises AdapterFailed."""
    try:
        return Guarded(make(), peer=peer, package=package)
    except DriverError:
        raise
    except Exception as error:
        log.exception("plug_in.adapter_failed", peer=peer, package=package)
        raise AdapterFailed(peer, package, error) from error
