"""Filters of a list: tabs, a search, further choices; all of it in the address."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar
from urllib.parse import urlencode

import htpy as h

from app.components.button import link_button, submit_button
from app.components.card import card, stack
from app.components.choice import Option, select_field
from app.components.empty import empty
from app.components.form import Form, hidden_field, text_field
from app.components.icon import IconName
from app.components.live import live_region
from app.components.nav import Tab, tabs
from app.components.pagination import pagination
from app.components.table import Column, Row, table

QUERY = "q"

State = TypeVar("State", bound=StrEnum)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a list shows: `view` is the tab, `more` further choices by their field's name."""

    path: str
    view: str = ""
    search: str = ""
    more: Mapping[str, str] = field(default_factory=dict)
    page: int = 1

    def address(self, *, view: str | None = None, page: int = 1, path: str = "") -> str:
        """Return the address of this list with another tab or page; what is empty is left out."""
        query = {
            "view": self.view if view is None else view,
            QUERY: self.search,
            **self.more,
            "page": str(page) if page > 1 else "",
        }
        words = urlencode({name: value for name, value in query.items() if value})
        where = path or self.path
        return f"{where}?{words}" if words else where

    @property
    def is_plain(self) -> bool:
        return not (self.view or self.search or any(self.more.values()))


@dataclass(frozen=True, slots=True)
class View:
    """A tab: its key in the address, its words, how many there are."""

    key: str
    label: str
    count: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A drop-down list beside the search."""

    name: str
    label: str
    blank: str
    options: Sequence[Option]


def counted_views(
    views: Mapping[str, tuple[str, Sequence[State]]], counts: Mapping[State, int]
) -> list[View]:
    """Return the tabs of `views` (key → words and states; none is all) with their counts."""
    return [
        View(key, words, sum(counts[one] for one in states) if states else sum(counts.values()))
        for key, (words, states) in views.items()
    ]


def filter_bar(
    wanted: Wanted, views: Sequence[View], *, search: str, choices: Sequence[Choice] = ()
) -> h.Element:
    """Return the tabs and the search form; `search` says what is searched."""
    return h.div(".sw-filters")[
        tabs(
            [Tab(view.label, wanted.address(view=view.key), view.count) for view in views],
            wanted.address(),
        ),
        filter_form(wanted, search=search, choices=choices),
    ]


def filter_form(wanted: Wanted, *, search: str, choices: Sequence[Choice] = ()) -> h.Element:
    """Return the search form alone; `search` says what is searched."""
    form = Form(values={QUERY: wanted.search, **wanted.more})
    return h.form(".sw-filter-form", method="get", action=wanted.path, role="search")[
        hidden_field("view", wanted.view) if wanted.view else None,
        text_field(form, QUERY, search, kind="search", optional=True, autocomplete="off"),
        [
            select_field(
                form,
                choice.name,
                choice.label,
                choice.options,
                optional=True,
                blank=choice.blank,
            )
            for choice in choices
        ],
        h.div(".sw-actions")[
            submit_button("Search", busy="Searching…", weight="plain", symbol="search"),
            link_button("Clear", wanted.path, weight="quiet") if not wanted.is_plain else None,
        ],
    ]


def listing(
    wanted: Wanted,
    columns: Sequence[Column],
    rows: Sequence[Row],
    *,
    topic: str,
    caption: str,
    page_count: int,
    total: int,
    symbol: IconName,
    nothing: tuple[str, str],
    above: h.Node = None,
) -> h.Element:
    """Return one page of the list, which keeps itself current on `topic`, as what is `above` does.

    `nothing` is title and text for a list that is empty by nature; a search that finds
    nothing, and a page past the end, have words of their own.
    """
    if wanted.page > 1:
        words = ("Nothing on this page", f"The list has {page_count} pages by now.")
    elif wanted.is_plain:
        words = nothing
    else:
        words = ("Nothing matches", "Look under another tab, or search for something else.")
    way_back = (
        link_button("Show all", wanted.path) if wanted.page > 1 or not wanted.is_plain else None
    )
    rows_card = card(
        table(columns, rows, caption=caption, empty=empty(symbol, words[0], words[1], way_back)),
        flush=True,
    )
    return live_region(
        topic,
        wanted.address(page=wanted.page, path=f"{wanted.path}/rows"),
        id_="listing",
        at_most_every_ms=2_000,
    )[
        rows_card if above is None else stack(above, rows_card),
        h.div(".sw-list-foot")[
            h.p(".sw-list-total")[f"{total:,} in all" if total else None],
            pagination(
                page=min(wanted.page, page_count),
                page_count=page_count,
                href=lambda page: wanted.address(page=page),
            ),
        ],
    ]
