"""How long a step rests before it is tried again."""

import contextlib
import random
from datetime import timedelta

from app.flows.document import Retry, duration


def backoff(retry: Retry, attempt: int) -> timedelta:
    """Return the pause after `attempt`: exponential, bounded, with jitter."""
    delay = longest = duration(retry.longest)
    with contextlib.suppress(OverflowError):  # it is far past the longest then
        delay = min(duration(retry.delay) * retry.factor ** (attempt - 1), longest)
    if retry.jitter:
        delay *= 0.5 + random.random() / 2  # noqa: S311 - spreads load, guards nothing
    return delay
