"""Tell a failure that may have had its effect all the same from one that had none."""

from types import TracebackType

from app.drivers.errors import Unanswered
from app.flows.node import StepFailed


class Doubts:
    """A block in which an answer that got lost fails the step as `unknown`.

    Other errors pass as they are.
    """

    def __enter__(self) -> None:
        return

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if isinstance(error, Unanswered):
            raise StepFailed(str(error), transient=True, unknown=True) from error
