"""Hide what is named like a secret in the input and output of a step."""

import re
from typing import Any

HIDDEN = "••••••"
_SECRET = re.compile(
    r"passw|passphrase|passcode|pass$|secret|token|api[_-]?key|private[_-]?key|credential|authorization",
    re.IGNORECASE,
)


def redacted(value: Any) -> Any:
    """Return `value` with every non-empty value whose key names a secret replaced, at any depth.

    A key counts when it has password, secret, token, credential or the like anywhere in it:
    too much is hidden rather than too little.
    """
    match value:
        case dict():
            return {
                key: HIDDEN
                if isinstance(key, str) and _SECRET.search(key) and inner
                else redacted(inner)
                for key, inner in value.items()
            }
        case list():
            return [redacted(inner) for inner in value]
        case _:
            return value
