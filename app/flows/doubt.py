"""Tell a failure that may have had its effect all the same from one that had none."""

import contextlib
from collections.abc import Iterator

from app.drivers.errors import Unanswered
from app.flows.node import StepFailed


@contextlib.contextmanager
def doubts() -> Iterator[None]:
    """Let an answer that got lost fail the step as `unknown`; other errors pass as they are."""
    try:
        yield
    except Unanswered as error:
        raise StepFailed(str(error), transient=True, unknown=True) from error
