"""Search over all that is taken: by address, order, host name, client, or what it is for."""

from collections.abc import Sequence

import htpy as h

from app.components.admin.address_space import (
    ACTIVE,
    ADDRESSES,
    TOPICS,
    VLANS,
    address_href,
    owner_of,
    prefix_href,
    space_tabs,
)
from app.components.admin.client_spaces import client_spaces
from app.components.admin.filters import Choice, Wanted, filter_form, listing
from app.components.badge import state_badge
from app.components.button import link_button
from app.components.choice import Option
from app.components.frame import PageFrame
from app.components.page import admin_page, page_head
from app.components.table import Column, Row
from app.components.time import moment
from app.domain.addresses.clients import ClientSpace
from app.domain.addresses.states import ClaimState
from app.domain.addresses.views import ClaimPage, ClaimView
from app.ipam.wants import AddressKind

STATE = "state"
COLUMNS = (
    Column("Address"),
    Column("State", narrow=True),
    Column("Whose"),
    Column("Client"),
    Column("Since", narrow=True),
)


def addresses_page(
    found: ClaimPage,
    spaces: Sequence[ClientSpace],
    wanted: Wanted,
    *,
    may_change: bool,
    frame: PageFrame,
) -> h.Element:
    states = Choice(
        name=STATE,
        label="State",
        blank="Any",
        options=[Option(value=state.value, label=state.value.capitalize()) for state in ClaimState],
    )
    return admin_page(
        "Addresses",
        page_head(
            "Addresses",
            lede="All that is taken, and by whom. Type an address to see who had it.",
            actions=link_button(
                "Claim by hand", f"{ADDRESSES}/new", weight="primary", symbol="plus"
            )
            if may_change
            else None,
        ),
        h.div(".sw-filters")[
            space_tabs(ADDRESSES),
            filter_form(
                wanted, search="Address, client, order, host name or reason", choices=[states]
            ),
        ],
        addresses_list(found, spaces, wanted),
        frame=frame,
        active=ACTIVE,
    )


def addresses_list(found: ClaimPage, spaces: Sequence[ClientSpace], wanted: Wanted) -> h.Element:
    """Return what was found, below what the clients have whose names were searched for."""
    return listing(
        wanted,
        COLUMNS,
        [claim_row(claim) for claim in found.items],
        topic=TOPICS,
        caption="Addresses",
        page_count=found.page_count,
        total=found.total,
        symbol="map-pin",
        nothing=("Nothing is taken yet", "What orders and staff claim is listed here."),
        above=client_spaces(spaces) if spaces else None,
    )


def claim_row(claim: ClaimView) -> Row:
    is_vlan = claim.kind is AddressKind.vlan
    pool = f"{VLANS}/{claim.scope}" if is_vlan else prefix_href(claim.scope)
    text = f"VLAN {claim.text}" if is_vlan else claim.text
    return Row(
        cells=(
            h.div[
                h.a(".sw-strong.sw-mono", href=pool if is_vlan else address_href(claim.text))[text],
                h.span(".sw-under")["of ", h.a(href=pool)[claim.pool]],
            ],
            h.div[
                state_badge(claim.state),
                h.span(".sw-under")["until ", moment(claim.expires_at)]
                if claim.expires_at
                else None,
            ],
            owner_of(claim),
            claim.client_email or "–",
            moment(claim.claimed_at),
        ),
        id_=f"claim-{claim.id}",
    )
