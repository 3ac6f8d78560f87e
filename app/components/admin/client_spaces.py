"""What clients have of the address space: their prefixes and reservations, at a glance."""

from collections.abc import Sequence

import htpy as h

from app.components.admin.address_space import (
    PREFIXES,
    RESERVATIONS,
    prefix_href,
    unit_words,
    with_query,
)
from app.components.card import card
from app.components.table import Column, Row, table
from app.domain.addresses.clients import ClientPrefix, ClientSpace
from app.domain.addresses.keep import ReservationView

SHOWN = 4
"""Prefixes, or reservations, of one client that are named."""


def client_spaces(spaces: Sequence[ClientSpace]) -> h.Element:
    return card(
        table(
            (Column("Client"), Column("Prefixes"), Column("Reserved")),
            [_row(space) for space in spaces],
            caption="Clients",
        ),
        title="Clients",
        flush=True,
    )


def _row(space: ClientSpace) -> Row:
    return Row(
        cells=(
            h.div[h.span(".sw-strong")[space.name], h.span(".sw-under")[space.email]],
            _some([_prefix(one) for one in space.prefixes], with_query(PREFIXES, q=space.email)),
            _some(
                [_reservation(one) for one in space.reservations],
                with_query(RESERVATIONS, q=space.email),
            ),
        ),
        id_=f"client-{space.client}",
    )


def _some(lines: Sequence[h.Element], all_of_them: str) -> h.Node:
    """Return the first lines, and the way to all where there are more."""
    if not lines:
        return "–"
    more = len(lines) - SHOWN
    return h.div[
        lines[:SHOWN],
        h.div[h.a(href=all_of_them)[f"And {more:,} more"]] if more > 0 else None,
    ]


def _prefix(one: ClientPrefix) -> h.Element:
    return h.div[
        h.a(".sw-mono", href=prefix_href(one.id))[str(one.network)],
        f" {one.vrf}" if one.vrf else None,
        h.span(".sw-quiet")[f" {unit_words(one.network, one.taken)}"],
    ]


def _reservation(one: ReservationView) -> h.Element:
    return h.div[
        h.a(".sw-mono", href=prefix_href(one.prefix))[one.what],
        f" {one.vrf}" if one.vrf else None,
        h.span(".sw-under.sw-clip")[one.reason],
    ]
