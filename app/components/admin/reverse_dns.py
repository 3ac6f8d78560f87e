"""The host names of all addresses, and how far the name servers are with them."""

from collections.abc import Mapping

import htpy as h

from app.components.admin.filters import Wanted, counted_views, filter_bar, listing
from app.components.card import card, stack
from app.components.facts import code
from app.components.form import Form
from app.components.frame import PageFrame
from app.components.page import admin_page, page_head
from app.components.reverse_dns import WORDS, name_badge, name_form
from app.components.table import Column, Row
from app.components.time import moment
from app.domain.addresses.names import NamePage, NameState, NameView

REVERSE_DNS = "/admin/reverse-dns"
VIEWS: Mapping[str, tuple[str, tuple[NameState, ...]]] = {
    "": ("All", ()),
    **{state.value: (words, (state,)) for state, (words, _) in WORDS.items()},
}

_COLUMNS = (
    Column("Address", narrow=True),
    Column("Host name"),
    Column("State"),
    Column("Whose"),
    Column("Changed", narrow=True),
)


def reverse_dns_page(
    found: NamePage,
    counts: Mapping[NameState, int],
    wanted: Wanted,
    form: Form | None,
    *,
    frame: PageFrame,
) -> h.Element:
    """Return the list; with a `form`, an address can be named."""
    return admin_page(
        "Reverse DNS",
        page_head(
            "Reverse DNS",
            lede="The host names of addresses, as the name servers are to say them. Connections "
            "of kind DNS say which server has which zone.",
        ),
        filter_bar(wanted, counted_views(VIEWS, counts), search="Address or host name"),
        stack(
            names_list(found, wanted),
            card(
                name_form(
                    form, REVERSE_DNS, address_help="Any that an order has, or staff claimed."
                ),
                title="Name an address",
                symbol="pencil",
                id_="set",
            )
            if form is not None
            else None,
        ),
        frame=frame,
        active="reverse-dns",
    )


def names_list(found: NamePage, wanted: Wanted) -> h.Element:
    return listing(
        wanted,
        _COLUMNS,
        [_row(one) for one in found.items],
        topic="names",
        caption="Host names of addresses",
        page_count=found.page_count,
        total=found.total,
        symbol="globe",
        nothing=("No host names yet", "Clients name their addresses on the page of a service."),
    )


def _row(one: NameView) -> Row:
    order: h.Node = one.claimed_for or "–"
    if one.order_id is not None:
        order = h.a(href=f"/admin/orders/{one.order_id}")[f"#{one.order_number}"]
    return Row(
        cells=(
            code(str(one.address)),
            h.span(".sw-mono.sw-clip")[one.hostname]
            if one.hostname
            else h.span(".sw-quiet")["none any more"],
            h.div[name_badge(one), h.div(".sw-help")[one.error] if one.error else None],
            order,
            moment(one.changed_at),
        ),
        id_=f"name-{str(one.address).replace(':', '-').replace('.', '-')}",
    )
