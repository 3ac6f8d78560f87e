"""Root passwords: made by the system's random source, kept in the machine as SHA-512 crypt."""

import secrets
import string

from passlib.hash import sha512_crypt

ALPHABET = "".join(sorted(set(string.ascii_letters + string.digits) - set("0O1lI")))
"""57 characters that nobody confuses and no keyboard layout moves much."""
LENGTH = 20
"""116 bits."""
ROUNDS = 5_000
"""The default of crypt(3): understood everywhere. The entropy is in the password."""


def new_password() -> str:
    """Return 20 random characters with a lower-case and an upper-case letter and a digit."""
    while True:
        password = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
        kinds = (str.islower, str.isupper, str.isdigit)
        if all(any(map(kind, password)) for kind in kinds):
            return password


def hash_password(password: str) -> str:
    """Return the `$6$…` form for /etc/shadow. Cost: about 5 ms. Source: Drepper, 2008."""
    return str(sha512_crypt.using(rounds=ROUNDS).hash(password))
