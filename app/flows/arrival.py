"""A file that may be taken in, beside what is here: what it would change."""

import msgspec
from msgspec.structs import replace

from app.core.database import Tx
from app.core.errors import NotFound
from app.domain.connections.find import known_names
from app.flows.diff import Diff, diff
from app.flows.document import content_hash
from app.flows.find_flows import find_version
from app.flows.flow_views import VersionView
from app.flows.transfer import Arrival, connections_named, examine, read


class Preview(msgspec.Struct, frozen=True):
    """What taking in a file would do; nothing was written."""

    arrival: Arrival
    latest: VersionView | None
    """What runs now under that slug; None for a flow that is new here."""
    changes: Diff | None
    """From what runs now to the file."""

    @property
    def is_same(self) -> bool:
        """Whether the file says what runs already."""
        return self.latest is not None and self.latest.row.content_hash == content_hash(
            self.arrival.document
        )


async def preview_import(tx: Tx, raw: bytes | str, *, slug: str = "") -> Preview:
    """Return what taking in a file would do, under another `slug` if one is given.

    Raises FileTooLarge and BadDocument. Reads only.
    """
    document = read(raw)
    document = replace(document, flow=slug) if slug else document
    known = await known_names(tx, connections_named(document))
    try:
        latest = await find_version(tx, document.flow)
    except NotFound:
        latest = None
    return Preview(
        arrival=examine(document, known),
        latest=latest,
        changes=None if latest is None else diff(latest.document, document),
    )
