"""Rows out of a file and into one: CSV with a head, or JSON with a list of objects. Pure."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from app.core.errors import Refusal

MOST_BYTES = 4_000_000
MOST_ROWS = 20_000
FORMULA = frozenset("=+-@\t\r")
"""What a spreadsheet takes the rest of a cell for a formula after."""


class Unreadable(Refusal):
    """The file as a whole is none that we know."""

    code = "unreadable_file"

    def __init__(self, why: str) -> None:
        super().__init__(f"The file cannot be read: {why}. Nothing was changed.")


class SheetLine(msgspec.Struct, frozen=True, kw_only=True):
    """A row of a file by its line or place, as a preview names it.

    `fault` says why it cannot be taken in, and what to do; `note` what is worth knowing.
    """

    number: int
    text: str
    fault: str = ""
    note: str = ""


class Undone(Exception):
    """Nothing of the file stays."""


def keep_or_undo(*, dry_run: bool, has_faults: bool) -> None:
    """Raise `Undone` for a file that was only looked at, or that has a fault anywhere."""
    if dry_run or has_faults:
        raise Undone


class RawSheet(msgspec.Struct, frozen=True, kw_only=True):
    """The rows of a file by column; names are in lower case with `_` for spaces."""

    rows: list[dict[str, str]]
    numbers: list[int]
    """Of each row its line in a CSV, of several the last; its place in a JSON."""
    whole: Any = None
    """All that a JSON says."""


def read_raw(raw: bytes, *, lists: Sequence[str]) -> RawSheet:
    """Return the rows of a file that say anything; a JSON may have them under one of `lists`.

    Raises Unreadable.
    """
    if len(raw) > MOST_BYTES:
        raise Unreadable(f"it is larger than {MOST_BYTES:,} bytes; split it")
    try:
        text = raw.decode("utf-8-sig").strip()
    except UnicodeDecodeError as error:
        raise Unreadable("it is not UTF-8") from error
    if not text:
        raise Unreadable("it is empty")
    if text[0] in "[{":
        whole, rows = _json(text, lists)
        sheet = RawSheet(rows=rows, numbers=list(range(1, len(rows) + 1)), whole=whole)
    else:
        sheet = _csv(text)
    sheet = _without_empty(sheet)
    if len(sheet.rows) > MOST_ROWS:
        raise Unreadable(f"it has {len(sheet.rows):,} rows; at most {MOST_ROWS:,} at a time")
    return sheet


def csv_text(names: Sequence[str], rows: Iterable[Mapping[str, object]]) -> str:
    """Return a CSV that `read_raw` reads back."""
    out = io.StringIO()
    # By the default line end, both of its characters are quoted in cells.
    writer = csv.DictWriter(out, names)
    writer.writeheader()
    for row in rows:
        writer.writerow({name: _unarmed(row[name]) for name in names})
    return out.getvalue()


def _unarmed(value: object) -> object:
    """Keep spreadsheets from taking what somebody wrote for a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in FORMULA else value


def _json(text: str, lists: Sequence[str]) -> tuple[Any, list[dict[str, str]]]:
    """Return what the text says, and the rows that are in it."""
    try:
        found = msgspec.json.decode(text)
        return found, _objects(found, lists)
    except msgspec.DecodeError as error:
        raise Unreadable(str(error)) from error
    except RecursionError as error:
        raise Unreadable("things in it are nested too deeply") from error


def _objects(found: Any, lists: Sequence[str]) -> list[dict[str, str]]:
    if isinstance(found, dict):
        found = next((found[name] for name in lists if name in found), None)
    if not (isinstance(found, list) and found and all(isinstance(one, dict) for one in found)):
        raise Unreadable(f"a list of {lists[0]} is wanted, or an object that has one")
    return [{_name(name): _flat(value) for name, value in one.items()} for one in found]


def _csv(text: str) -> RawSheet:
    """Return the rows below the head, which is line 1."""
    head = text.partition("\n")[0]
    delimiter = max(",;\t", key=head.count)
    reader = csv.DictReader(io.StringIO(text), delimiter=delimiter)
    sheet = RawSheet(rows=[], numbers=[])
    try:
        for row in reader:
            sheet.rows.append(
                {_name(name): _flat(value) for name, value in row.items() if name is not None}
            )
            sheet.numbers.append(reader.line_num)
    except csv.Error as error:
        raise Unreadable(str(error)) from error
    return sheet


def _without_empty(sheet: RawSheet) -> RawSheet:
    """Leave out rows without a cell that is filled, as spreadsheets leave them below a table."""
    filled = [place for place, row in enumerate(sheet.rows) if any(row.values())]
    return msgspec.structs.replace(
        sheet,
        rows=[sheet.rows[place] for place in filled],
        numbers=[sheet.numbers[place] for place in filled],
    )


def _name(head: str) -> str:
    return "_".join(head.strip().lower().split())


def _flat(value: object) -> str:
    """Return a value as text: of NetBox's nested objects what tells them apart."""
    if isinstance(value, dict):
        found = next((value[key] for key in ("value", "vid", "name", "slug") if key in value), "")
        return _flat(found)
    if isinstance(value, list):
        return "; ".join(map(_flat, value))
    if isinstance(value, bool):
        return "true" if value else "false"
    text = "" if value is None else str(value).replace("\0", "").strip()
    return text[1:] if text[:1] == "'" and text[1:2] in FORMULA else text
