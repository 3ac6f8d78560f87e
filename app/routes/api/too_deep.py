"""JSON that is nested deeper than anybody reads: the decoder gives up on it, not the process."""

import traceback
from typing import Any

from litestar import Request, Response
from litestar.serialization import msgspec_hooks

from app.core.errors import Refusal
from app.routes.security.errors import break_down, refuse


class TooDeep(Refusal):
    code = "api.too_deep"

    def __init__(self) -> None:
        super().__init__("What was sent is nested too deeply to be read.")


def refuse_depth(request: Request[Any, Any, Any], error: RecursionError) -> Response[Any]:
    """Answer 400 where it was the decoder that gave up, else as any fault of ours."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    if last.filename == msgspec_hooks.__file__:
        return refuse(request, TooDeep())
    return break_down(request, error)
