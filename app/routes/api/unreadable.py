"""JSON that cannot be worked with: too deep, not UTF-8, or with a NUL in a text."""

import re
import traceback
from typing import Any

from litestar import Request, Response
from litestar.serialization import msgspec_hooks

from app.core.errors import Refusal
from app.routes.security.errors import break_down, refuse

# An even number of backslashes before it are backslashes of the text, an odd one is an escape.
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


class TooDeep(Refusal):
    code = "api.too_deep"

    def __init__(self) -> None:
        super().__init__("What was sent is nested too deeply to be read.")


class NotUtf8(Refusal):
    code = "api.not_utf8"

    def __init__(self) -> None:
        super().__init__("What was sent is not UTF-8, as all JSON is.")


class HoldsNul(Refusal):
    """PostgreSQL keeps no text with a NUL in it."""

    code = "api.holds_nul"

    def __init__(self) -> None:
        super().__init__("A text that was sent holds the character \\u0000; leave it out.")


async def refuse_nul(request: Request[Any, Any, Any]) -> None:
    """Raise `HoldsNul` before anything is done with the body."""
    if _NUL.search(await request.body()):
        raise HoldsNul


def refuse_json(
    request: Request[Any, Any, Any], error: RecursionError | UnicodeDecodeError
) -> Response[Any]:
    """Answer 400 where it was the decoder that gave up, else as any fault of ours."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    if last.filename != msgspec_hooks.__file__:
        return break_down(request, error)
    return refuse(request, TooDeep() if isinstance(error, RecursionError) else NotUtf8())
