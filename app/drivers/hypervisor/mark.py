"""How a machine says whose it is, wherever a provider keeps a text with it. Pure."""

import re
from uuid import UUID

_MARK = re.compile(r"slipway-service[ :=-]+([0-9a-f]{32})")


def description(service: UUID) -> str:
    return f"Made by Slipway; slipway-service: {service.hex}"


def service_in(text: str) -> UUID | None:
    """Return the service that tags or a description name."""
    found = _MARK.search(text.lower())
    return None if found is None else UUID(found[1])
