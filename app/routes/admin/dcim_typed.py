"""What was typed into forms of the datacentre, as the verbs take it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID

from app.core.database import Tx
from app.core.errors import Invalid, NotFound
from app.core.paging import PAGE_SIZE
from app.domain.inventory.read_struct import read_struct

T = TypeVar("T")


def read_form(values: Mapping[str, str], kind: type[T], **more: Any) -> T:
    """Return the fields that were filled in as a struct, with `more`. Raises Invalid by field."""
    fields = set(kind.__struct_fields__)  # type: ignore[attr-defined]  # a msgspec struct
    typed = {name: text.strip() for name, text in values.items() if name in fields}
    return read_struct({**{name: text for name, text in typed.items() if text}, **more}, kind)


def read_time(values: Mapping[str, str], name: str) -> datetime | None:
    """Return a time in UTC as `2027-03-01 06:00`, None when empty. Raises Invalid."""
    text = values.get(name, "").strip()
    if not text:
        return None
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise Invalid({name: "Type it as 2027-03-01 06:00, in UTC."}) from None
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)


def read_uuid(text: str, *, kind: str) -> UUID:
    """Return an id out of an address or a form. Raises NotFound."""
    try:
        return UUID(text)
    except ValueError:
        raise NotFound(kind, text) from None


def chosen_servers(ids: list[str]) -> list[UUID]:
    """Return the servers that were chosen in a list, each once. Raises NotFound."""
    return [read_uuid(text, kind="server") for text in dict.fromkeys(ids)][:PAGE_SIZE]


def read_places(text: str) -> list[tuple[str, UUID, int]]:
    """Return `KEY@RACK@UNIT` by semicolons as a form carries them. Raises NotFound."""
    found = []
    for part in filter(None, text.split(";")):
        key, _, place = part.partition("@")
        rack, _, unit = place.partition("@")
        if not (unit.isascii() and unit.isdecimal() and len(unit) < 6):
            raise NotFound("place", part)
        found.append((key, read_uuid(rack, kind="rack"), int(unit)))
    return found


async def rack_names(tx: Tx) -> list[tuple[UUID, str]]:
    """Return every rack as a choice: datacentre and name."""
    rows = await tx.fetch(
        "SELECT r.id, d.code || ' ' || r.name AS name FROM rack r "
        "JOIN datacentre d ON d.id = r.datacentre ORDER BY d.code, r.name"
    )
    return [(row["id"], row["name"]) for row in rows]
