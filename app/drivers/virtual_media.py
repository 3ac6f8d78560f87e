"""The contract for the virtual CD of one server."""

from typing import Protocol


class MediaDriver(Protocol):
    """Presents an ISO to one server. Calls are idempotent; raise only `DriverError`s."""

    async def insert(self, url: str, *, deadline_s: float = 60.0) -> None:
        """Return once the BMC reports the image at `url` as inserted.

        Another image is ejected first; the same one is left where it is.
        """
        ...

    async def eject(self, *, deadline_s: float = 30.0) -> None:
        """Return once the BMC reports an empty drive; nothing is sent if it is empty."""
        ...
