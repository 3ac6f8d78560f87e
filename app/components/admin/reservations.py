"""What is kept for a client or a purpose: a list, the form of a new one, and its end."""

from collections.abc import Sequence

import htpy as h

from app.components.admin.address_space import ACTIVE, RESERVATIONS, prefix_href, space_tabs
from app.components.admin.claim_form import terms_fields, vrf_field
from app.components.admin.decide import decide_page
from app.components.admin.filters import Wanted, filter_form, listing
from app.components.button import link_button
from app.components.form import Form, text_field
from app.components.frame import PageFrame
from app.components.page import admin_page, page_head
from app.components.table import Column, Row, table
from app.components.time import moment
from app.domain.addresses.keep import ReservationPage, ReservationView

_COLUMNS = (
    Column("What"),
    Column("For"),
    Column("Until", narrow=True),
    Column("End it", narrow=True, hidden_label=True),
)


def reservations_page(
    found: ReservationPage, wanted: Wanted, *, may_change: bool, frame: PageFrame
) -> h.Element:
    return admin_page(
        "Reservations",
        page_head(
            "Reservations",
            lede="Addresses that only orders of one client may take, or that are kept for a "
            "purpose and taken by none.",
            actions=link_button("Reserve", f"{RESERVATIONS}/new", weight="primary", symbol="lock")
            if may_change
            else None,
        ),
        h.div(".sw-filters")[
            space_tabs(RESERVATIONS),
            filter_form(wanted, search="Network, client, purpose or reason"),
        ],
        reservations_list(found, wanted, may_change=may_change),
        frame=frame,
        active=ACTIVE,
    )


def reservations_list(found: ReservationPage, wanted: Wanted, *, may_change: bool) -> h.Element:
    return listing(
        wanted,
        _COLUMNS,
        [_row(one, may_change=may_change) for one in found.items],
        topic="addresses",
        caption="Reservations",
        page_count=found.page_count,
        total=found.total,
        symbol="lock",
        nothing=("Nothing is reserved", "Keep an address, a range or a prefix for somebody."),
    )


def reservation_table(reservations: Sequence[ReservationView], *, may_change: bool) -> h.Element:
    """Return the reservations of one prefix; the first 50."""
    rows = [_row(one, may_change=may_change) for one in reservations[:50]]
    return table(_COLUMNS, rows, caption="Reservations")


def _row(one: ReservationView, *, may_change: bool) -> Row:
    end = link_button("End", f"{RESERVATIONS}/{one.id}/end", size="small", weight="quiet")
    return Row(
        cells=(
            h.div[
                h.a(".sw-strong.sw-mono", href=prefix_href(one.prefix))[one.what],
                h.span(".sw-under")[f"in {one.network}", f", VRF {one.vrf}" if one.vrf else None],
            ],
            h.div[
                one.client_email or one.purpose,
                h.span(".sw-under.sw-clip")[one.reason],
            ],
            moment(one.expires_at) if one.expires_at else "for good",
            end if may_change else "",
        ),
        id_=f"reservation-{one.id}",
    )


def reserve_page(form: Form, vrfs: Sequence[str], *, frame: PageFrame) -> h.Element:
    """Return the form of a new reservation."""
    return decide_page(
        "Reserve addresses",
        text_field(
            form,
            "address",
            "What",
            mono=True,
            placeholder="192.0.2.8-192.0.2.15",
            help_="An address, a range, a network in a prefix, or the whole prefix.",
        ),
        vrf_field(form, vrfs),
        terms_fields(form, purpose_help="Kept for a purpose alone, no order takes it."),
        about=h.p["Orders of the client may take from it, and nobody else's."],
        form=form,
        action=f"{RESERVATIONS}/new",
        confirm="Reserve",
        back=("Reservations", RESERVATIONS),
        frame=frame,
        active=ACTIVE,
        reason_help="Whoever looks at it in a year will ask.",
        labels={"address": "What", "client": "Client", "purpose": "Purpose", "expires_at": "Until"},
    )


def end_page(one: ReservationView, form: Form, *, frame: PageFrame) -> h.Element:
    """Return the decision to end a reservation."""
    return decide_page(
        f"End the reservation of {one.what}",
        about=[
            h.p["Orders may take from it at once."],
            h.p(".sw-quiet")[f"Kept for {one.client_email or one.purpose}: {one.reason}"],
        ],
        form=form,
        action=f"{RESERVATIONS}/{one.id}/end",
        confirm="End it",
        back=("Reservations", RESERVATIONS),
        frame=frame,
        active=ACTIVE,
    )
