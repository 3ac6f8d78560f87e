"""Files of the address space as the API takes them, and what became, or would become, of rows."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from msgspec import Meta, Struct

from app.core.sheets import MOST_BYTES
from app.domain.addresses.arrive import Arrival
from app.domain.addresses.sheet_row import Outcome, SheetRow
from app.routes.api.problem import RowProblem
from app.routes.api.space_json import Text, same


class SpaceFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file of prefixes or addresses: of Slipway, NetBox or phpIPAM."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "content": "prefix,site,status,description\n192.0.2.0/24,ams1,active,Front racks\n",
    }

    content: Annotated[
        str,
        Meta(description="All that the file says, CSV with a head or JSON.", max_length=MOST_BYTES),
    ]
    datacentre: Annotated[Text, Meta(description="Code of the place of rows that name none.")] = ""


class FileRow(Struct, frozen=True, kw_only=True):
    """A row of a file."""

    row: Annotated[int, Meta(description="Its line, of several its last; of JSON its place.")]
    text: Annotated[str, Meta(description="The prefix or address of the row.")]
    changes: Annotated[
        tuple[str, ...], Meta(description="What differs, each as it is and as it would be.")
    ]
    note: Annotated[str, Meta(description="What is done otherwise than the row says.")]


class SpaceArrival(Struct, frozen=True, kw_only=True):
    """What became of a file."""

    prefixes: Annotated[int, Meta(description="Rows of prefixes.")]
    addresses: Annotated[int, Meta(description="Rows of addresses.")]
    new: int
    changed: int
    unchanged: int
    notes: Annotated[
        tuple[FileRow, ...], Meta(description="What was done otherwise than the file says.")
    ]


class SpaceLook(Struct, frozen=True, kw_only=True):
    """What would become of a file; with anything in `faults`, nothing of it is taken in."""

    prefixes: Annotated[int, Meta(description="Rows of prefixes.")]
    addresses: Annotated[int, Meta(description="Rows of addresses.")]
    faults: Annotated[tuple[RowProblem, ...], Meta(description="Each thing that is wrong.")]
    new: tuple[FileRow, ...]
    changed: tuple[FileRow, ...]
    unchanged: int
    notes: Annotated[
        tuple[FileRow, ...], Meta(description="What would be done otherwise than the file says.")
    ]


def arrival_of(arrival: Arrival) -> SpaceArrival:
    return SpaceArrival(
        prefixes=arrival.prefixes,
        addresses=arrival.addresses,
        new=len(arrival.of(Outcome.new)),
        changed=len(arrival.of(Outcome.differs)),
        unchanged=len(arrival.of(Outcome.same)),
        notes=_lines(arrival.notes),
    )


def look_of(arrival: Arrival) -> SpaceLook:
    return SpaceLook(
        prefixes=arrival.prefixes,
        addresses=arrival.addresses,
        faults=tuple(
            RowProblem(**same(fault, RowProblem.__struct_fields__)) for fault in arrival.row_faults
        ),
        new=_lines(arrival.of(Outcome.new)),
        changed=_lines(arrival.of(Outcome.differs)),
        unchanged=len(arrival.of(Outcome.same)),
        notes=_lines(arrival.notes),
    )


def _lines(rows: tuple[SheetRow, ...]) -> tuple[FileRow, ...]:
    return tuple(
        FileRow(row=row.number, text=row.text, changes=row.changes, note=row.note) for row in rows
    )
