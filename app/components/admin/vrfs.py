"""VRFs: routing tables in each of which the same network may be written down once."""

from collections.abc import Sequence

import htpy as h

from app.components.admin.address_space import ACTIVE, PREFIXES, VRFS, space_tabs, with_query
from app.components.button import link_button, submit_button
from app.components.card import card
from app.components.confirm import confirm_button
from app.components.empty import empty
from app.components.form import Form, form_element, text_field
from app.components.frame import PageFrame
from app.components.page import admin_page, page_head
from app.components.table import Column, Row, table
from app.domain.addresses.views import VrfView


def vrfs_page(vrfs: Sequence[VrfView], *, may_change: bool, frame: PageFrame) -> h.Element:
    """Return the list; without live changes, so that a question stays open."""
    return admin_page(
        "VRFs",
        page_head(
            "VRFs",
            lede="Routing tables of their own, beside the global one. Orders take from their "
            "prefixes only where a product asks for the role.",
            actions=link_button("Add a VRF", f"{VRFS}/new", weight="primary", symbol="plus")
            if may_change
            else None,
        ),
        h.div(".sw-filters")[space_tabs(VRFS)],
        card(
            table(
                (
                    Column("VRF"),
                    Column("Prefixes", figures=True),
                    Column("Remove", narrow=True, hidden_label=True),
                ),
                [_row(vrf, may_change=may_change, csrf=frame.csrf) for vrf in vrfs],
                caption="VRFs",
                empty=empty(
                    "globe",
                    "No VRFs",
                    "All prefixes are in the global table. Add one where networks overlap.",
                ),
            ),
            flush=True,
        ),
        frame=frame,
        active=ACTIVE,
    )


def _row(vrf: VrfView, *, may_change: bool, csrf: str) -> Row:
    prefixes = h.a(href=with_query(PREFIXES, vrf=vrf.name))[f"{vrf.prefixes:,}"]
    remove = confirm_button(
        "Remove",
        id_=f"remove-{vrf.id}",
        title=f"Remove the VRF {vrf.name}?",
        text="Only one without prefixes can be removed. The history of its addresses stays.",
        action=f"{VRFS}/{vrf.id}/remove",
        csrf=csrf,
        confirm="Remove it",
        weight="quiet",
        small=True,
    )
    return Row(
        cells=(
            h.div[
                h.span(".sw-strong")[vrf.name],
                h.span(".sw-under")[vrf.note] if vrf.note else None,
            ],
            prefixes,
            remove if may_change else "",
        ),
        id_=f"vrf-{vrf.id}",
    )


def new_vrf_page(form: Form, *, frame: PageFrame) -> h.Element:
    title = "Add a VRF"
    return admin_page(
        title,
        page_head(
            title,
            eyebrow=h.a(href=VRFS)["VRFs"],
            lede="A routing table of its own: the same network may be written down once in each.",
        ),
        h.div(".sw-decide")[
            card(
                form_element(
                    form,
                    f"{VRFS}/new",
                    text_field(form, "name", "Name"),
                    text_field(form, "note", "Note", optional=True),
                    h.div(".sw-actions")[submit_button("Add it", weight="primary")],
                    labels={"name": "Name", "note": "Note"},
                )
            )
        ],
        frame=frame,
        active=ACTIVE,
    )
