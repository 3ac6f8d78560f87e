"""What counts as the name of a secret, wherever something is kept or shown."""

import re

HIDDEN = "••••••"
_SECRET = re.compile(
    r"passw|passphrase|passcode|pass$|secret|token|api[_-]?key|private[_-]?key|credential|authorization",
    re.IGNORECASE,
)


def names_secret(name: str) -> bool:
    """Say whether a field of this name holds a secret.

    It does when it has password, secret, token, credential or the like anywhere in it: too much
    is hidden rather than too little.
    """
    return _SECRET.search(name) is not None
