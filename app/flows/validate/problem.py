"""What is wrong with a document, and the refusal that says so."""

from collections.abc import Sequence
from enum import StrEnum

import msgspec

from app.core.errors import Refusal


class Severity(StrEnum):
    """Whether a flow may be published with it."""

    error = "error"
    """It would go wrong at run time."""

    warning = "warning"
    """It may be meant; somebody should look at it."""


class Problem(msgspec.Struct, frozen=True):
    """`node` is empty for the flow itself; `field` is a path such as `with.headers.Accept`.

    `at` is where in the text of that field, in characters from 0, an expression is wrong.
    """

    node: str
    field: str
    message: str
    severity: Severity = Severity.error
    at: int | None = None

    @property
    def is_error(self) -> bool:
        return self.severity is Severity.error

    def __str__(self) -> str:
        return f"{self.node or 'flow'}.{self.field}: {self.message}"


class InvalidFlow(Refusal):
    """The flow cannot be published. `problems` are all there are, warnings among them."""

    code = "flow.invalid"

    def __init__(self, problems: Sequence[Problem]) -> None:
        lines = "; ".join(str(problem) for problem in problems if problem.is_error)
        super().__init__(f"The flow cannot be published: {lines}")
        self.problems = list(problems)


def warning(node: str, field: str, message: str, at: int | None = None) -> Problem:
    return Problem(node, field, message, Severity.warning, at)
