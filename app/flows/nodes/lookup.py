"""data.lookup: find a row in a table that the flow carries."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

import msgspec

from app.flows.bounds import MAX_ITEMS, Text, shown
from app.flows.literal_schema import schema_of
from app.flows.node import Done, Effect, NodeType, Step, StepFailed
from app.flows.same import same

Column = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class Params(msgspec.Struct, frozen=True):
    where: Annotated[
        Annotated[dict[Column, Any], msgspec.Meta(min_length=1, max_length=20)],
        msgspec.Meta(
            title="Where",
            description="Columns and the values they must have, all of them.",
            examples=[{"plan": "small", "region": "eu"}],
        ),
    ]
    rows: Annotated[
        Annotated[tuple[dict[str, Any], ...], msgspec.Meta(max_length=MAX_ITEMS)] | None,
        msgspec.Meta(
            title="Rows",
            description="The table as a list of objects; they need not all have each column.",
            examples=[[{"plan": "small", "region": "eu", "template": 9001}]],
        ),
    ] = None
    csv: Annotated[
        Text | None,
        msgspec.Meta(
            title="CSV",
            description="The table as text: its first line names the columns.",
            examples=["plan,region,template\nsmall,eu,9001\n"],
        ),
    ] = None
    delimiter: Annotated[
        Literal[",", ";", "\t", "|"],
        msgspec.Meta(title="Delimiter", description="What stands between the cells of the CSV."),
    ] = ","

    def __post_init__(self) -> None:
        if (self.rows is None) == (self.csv is None):
            raise ValueError("give the table either as `rows` or as `csv`")


DOCS = """\
Finds the first row whose columns have the values of `where` and gives it, by the port `out`. Where
no row has, it leaves by `missing`, with null. A column that the table does not know is an error,
for it is a slip of the pen.

```json
{
  "rows": [
    {"plan": "small", "template": 9001, "cores": 2},
    {"plan": "large", "template": 9002, "cores": 8}
  ],
  "where": {"plan": "=input.plan"}
}
```

A table from elsewhere may be given as CSV; all its cells are text then, and `where` is compared as
text: `2` finds `2`, `true` finds `true`.

```json
{
  "csv": "plan;template\\nsmall;9001\\nlarge;9002",
  "delimiter": ";",
  "where": {"plan": "=input.plan"}
}
```
"""


def do(step: Step, params: Params) -> Done:  # noqa: ARG001 - a node's signature
    if params.rows is not None:
        return _first(params.rows, params.where)
    wanted = {column: _as_cell(value) for column, value in params.where.items()}
    return _first(list(_read(params.csv or "", params.delimiter)), wanted)


def _first(rows: Sequence[Mapping[str, Any]], where: Mapping[str, Any]) -> Done:
    for row in rows:
        if all(name in row and same(row[name], value) for name, value in where.items()):
            return Done(row)
    columns = {name for row in rows for name in row}
    unknown = [name for name in where if name not in columns]
    if rows and unknown:
        known = ", ".join(sorted(columns))
        raise StepFailed(f"the table has no column {', '.join(unknown)}; it has {known or 'none'}")
    return Done(None, "missing")


def _as_cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case float() if value.is_integer():
            return str(int(value))
        case int() | float() | str():
            return str(value)
    raise StepFailed(f"a cell of a CSV is text; it cannot be {shown(value)}")


def _read(text: str, delimiter: str) -> Iterator[dict[str, str]]:
    lines = csv.reader(
        io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=delimiter, strict=True
    )
    columns: list[str] = []
    try:
        for cells in lines:
            if not cells:
                continue
            if not columns:
                columns = _columns([cell.strip() for cell in cells])
                continue
            if len(cells) != len(columns):
                raise StepFailed(
                    f"line {lines.line_num} of the CSV has {len(cells)} cells, "
                    f"its first line {len(columns)}"
                )
            if lines.line_num > MAX_ITEMS:
                raise StepFailed(f"the CSV has more than {MAX_ITEMS:,} lines")
            yield dict(zip(columns, cells, strict=True))
    except csv.Error as error:
        raise StepFailed(f"line {lines.line_num} of the CSV cannot be read: {error}") from error


def _columns(names: list[str]) -> list[str]:
    if "" in names:
        raise StepFailed("the first line of the CSV names the columns; one of them has no name")
    if len(set(names)) != len(names):
        raise StepFailed("the first line of the CSV names a column twice")
    return names


def output_of(params: Mapping[str, Any]) -> Mapping[str, Any]:
    rows = params.get("rows")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        return {"type": ["object", "null"]}
    columns: dict[str, dict[str, Any]] = {}
    for row in rows:
        for name, value in row.items():
            seen = schema_of(value)
            columns[name] = seen if columns.get(name, seen) == seen else {}
    always = [name for name in columns if all(name in row for row in rows)]
    return {"type": ["object", "null"], "properties": columns, "required": always}


def says(params: Params) -> str:
    asked = ", ".join(f"{name} = {shown(value)}" for name, value in params.where.items())
    return f"Looks up the row where {asked}"


node = NodeType(
    name="data.lookup",
    title="Table look-up",
    summary="Finds a row in a table by the values of its columns.",
    params=Params,
    effect=Effect.PURE,
    do=do,
    ports=("out", "missing"),
    output_of=output_of,
    says=says,
    docs=DOCS,
)
