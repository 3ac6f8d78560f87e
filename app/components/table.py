"""Tables that turn into cards on a phone."""

from collections.abc import Sequence
from dataclasses import dataclass

import htpy as h


@dataclass(frozen=True, slots=True)
class Column:
    """A column; `figures` sets it right-aligned with figures that line up."""

    label: str
    figures: bool = False
    narrow: bool = False
    hidden_label: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row's cells, one for each column; with `href`, the whole row leads there.

    The first cell's content becomes the link's text, or that of `linked`. `id_` is needed where
    rows are morphed.
    """

    cells: Sequence[h.Node]
    href: str | None = None
    id_: str | None = None
    marked: bool = False
    linked: int = 0
    """Index of the cell whose content becomes the link's text."""


def table(
    columns: Sequence[Column],
    rows: Sequence[Row],
    *,
    caption: str,
    empty: h.Node = None,
    id_: str | None = None,
) -> h.Element:
    """Return a table, or `empty` where there are no rows and it is given.

    `caption` is read to those who cannot see the page. About 0.1 ms a row: 50 rows at most.
    """
    if not rows and empty is not None:
        return h.div(id=id_)[empty]
    return h.div(".sw-table-wrap", id=id_)[
        h.table(".sw-table")[
            h.caption(".visually-hidden")[caption],
            h.thead[h.tr[[_head(column) for column in columns]]],
            h.tbody[[_row(columns, row) for row in rows]],
        ]
    ]


def _head(column: Column) -> h.Element:
    label = h.span(".visually-hidden")[column.label] if column.hidden_label else column.label
    return h.th(scope="col", class_={"is-figures": column.figures, "is-narrow": column.narrow})[
        label
    ]


def _row(columns: Sequence[Column], row: Row) -> h.Element:
    cells = zip(columns, row.cells, strict=True)
    return h.tr(id=row.id_, class_={"has-link": row.href is not None, "is-marked": row.marked})[
        [
            _cell(column, cell, row.href if i == row.linked else None)
            for i, (column, cell) in enumerate(cells)
        ]
    ]


def _cell(column: Column, cell: h.Node, href: str | None) -> h.Element:
    classes = {"is-figures": column.figures, "is-narrow": column.narrow}
    label = None if column.hidden_label else column.label
    return h.td(class_=classes, data_label=label)[
        h.a(".sw-row-link", href=href)[cell] if href else cell
    ]
