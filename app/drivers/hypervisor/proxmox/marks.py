"""How a machine at PVE is known as ours. Pure.

Its id and MAC address follow from the service's id, so that a creation nobody knows the outcome
of is found again without having been told of. Tags say whose it is; the description says it from
the first moment on, since a clone takes no tags.
"""

import hashlib
import re
from collections.abc import Iterator
from uuid import UUID

OURS = "slipway"
SUSPENDED = "slipway-suspended"
FIRST_ID = 100_000
IDS = 900_000


def tag(service: UUID) -> str:
    return f"slipway-service-{service.hex}"


def tags_in(text: str) -> frozenset[str]:
    return frozenset(part for part in re.split(r"[;, ]+", text.lower()) if part)


def ids(service: UUID) -> Iterator[int]:
    """Yield the ids that a service's machine may have, in order; the first is nearly always it.

    `nextid` of PVE reserves nothing: two orders at once would be told the same.
    """
    first = int.from_bytes(hashlib.sha256(service.bytes).digest()[:8], "big")
    for step in range(IDS):
        yield FIRST_ID + (first + step) % IDS


def mac(service: UUID, card: int = 0) -> str:
    """Return a locally administered address; 40 bits of it tell machines, and cards, apart."""
    digest = hashlib.sha256(b"mac" + service.bytes + bytes([card] if card else [])).digest()
    return ":".join(f"{byte:02X}" for byte in (0x02, *digest[:5]))
