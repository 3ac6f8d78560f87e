"""One address or /64: whose it is, what may be done with it, and who had it before."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import htpy as h

from app.components.admin.address_space import (
    ACTIVE,
    ADDRESSES,
    TOPICS,
    VLANS,
    address_href,
    owner_of,
    prefix_href,
    with_query,
)
from app.components.admin.claim_form import terms_fields, until_field, vrf_field
from app.components.admin.decide import decide_page
from app.components.admin.reverse_dns import REVERSE_DNS
from app.components.badge import badge, state_badge
from app.components.button import link_button, submit_button
from app.components.card import card, stack
from app.components.empty import empty
from app.components.facts import facts
from app.components.form import Form, hidden_field, text_field
from app.components.frame import PageFrame
from app.components.live import live_region
from app.components.page import admin_page, page_head
from app.components.reverse_dns import name_badge
from app.components.table import Column, Row, table
from app.components.time import moment
from app.domain.addresses.history import Tenure
from app.domain.addresses.names import NameView
from app.domain.addresses.search import Standing
from app.domain.addresses.states import ClaimState
from app.domain.addresses.views import ClaimView

DAY = "day"
PURPOSE_HELP = "What it is used as, such as router or monitoring."


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressFile:
    """An address as its page shows it; `history` is by VRF, the latest first."""

    text: str
    standings: tuple[Standing, ...]
    history: tuple[tuple[str, tuple[Tenure, ...]], ...]
    day: date | None
    """Only what held on this day is shown."""
    names: tuple[NameView, ...]
    """Of the global VRF alone: DNS knows no other."""
    may_change: bool


def address_page(file: AddressFile, *, frame: PageFrame) -> h.Element:
    return admin_page(file.text, address_region(file), frame=frame, active=ACTIVE)


def address_region(file: AddressFile) -> h.Element:
    """Return the whole page but its frame."""
    here = address_href(file.text)
    day = file.day.isoformat() if file.day else ""
    return live_region(TOPICS, with_query(f"{here}/now", day=day), id_="address")[
        page_head(file.text, eyebrow=h.a(href=ADDRESSES)["Addresses"]),
        stack(
            [_standing(file, one) for one in file.standings]
            or card(empty("map-pin", "It is of no prefix", "Add the prefix that it lies in.")),
            _history(file),
        ),
    ]


def _standing(file: AddressFile, one: Standing) -> h.Element:
    claim = one.claim
    prefix: list[h.Node] = [h.a(href=prefix_href(one.prefix))[one.network]]
    if one.vrf:
        prefix += [" ", badge(f"VRF {one.vrf}", dot=False)]
    pairs: list[tuple[str, h.Node]] = [("Prefix", prefix)]
    if claim is not None:
        whose = "Why" if claim.state is ClaimState.quarantined else "Whose"
        pairs += [(whose, owner_of(claim)), ("Since", moment(claim.claimed_at))]
        if claim.expires_at is not None:
            pairs.append(("Until", moment(claim.expires_at)))
        if claim.purpose and claim.reason:
            pairs.append(("Purpose", claim.purpose))
        if claim.kept_back:
            pairs.append(("Afterwards", f"kept back as {claim.kept_back}"))
    if one.kept:
        pairs.append(("Kept for", one.kept))
    if (
        not one.vrf
        and claim is not None
        and (claim.state is ClaimState.assigned or claim.is_by_hand)
    ):
        pairs.append(("Host name", _names(file)))
    return card(
        facts(pairs),
        title="Now",
        symbol="map-pin",
        actions=[
            state_badge(claim.state if claim else "free"),
            *(_deeds(file.text, one) if file.may_change else ()),
        ],
    )


def _names(file: AddressFile) -> h.Node:
    """Return the names (of a /64, those of its addresses) and the way to set one."""
    address = file.text.partition("/")[0]
    to = with_query(REVERSE_DNS, address=address if "/" not in file.text else f"{address}1")
    is_net = "/" in file.text
    return h.div[
        [
            h.div[
                h.span(".sw-mono")[f"{one.address}: {one.hostname}" if is_net else one.hostname],
                " ",
                name_badge(one),
            ]
            for one in file.names
        ],
        h.a(href=f"{to}#set")["Change" if file.names and not is_net else "Set one"]
        if file.may_change
        else (None if file.names else "none"),
    ]


def _deeds(text: str, one: Standing) -> list[h.Element]:
    if one.claim is None:
        to = with_query(f"{ADDRESSES}/new", address=text, vrf=one.vrf)
        return [link_button("Claim by hand", to, size="small", symbol="plus")]
    return claim_deeds(one.claim)


def claim_deeds(claim: ClaimView) -> list[h.Element]:
    """Return what staff may do to a claim: nothing, unless they made it."""
    if not claim.is_by_hand:
        return []
    here = f"{ADDRESSES}/claims/{claim.id}"
    return [
        link_button("Change", f"{here}/change", size="small", weight="quiet"),
        link_button("Release", f"{here}/release", size="small"),
    ]


def _history(file: AddressFile) -> h.Element:
    ask = h.form(".sw-filter-form", method="get", action=address_href(file.text))[
        text_field(
            Form(values={DAY: file.day.isoformat() if file.day else ""}),
            DAY,
            "Who had it on this day?",
            kind="date",
            optional=True,
        ),
        h.div(".sw-actions")[
            submit_button("Show", weight="plain"),
            link_button("Show all", address_href(file.text), weight="quiet") if file.day else None,
        ],
    ]
    tables = [
        h.div[
            h.p(".sw-map-title")[f"VRF {vrf}"] if vrf else None,
            h.div(".sw-inset-table")[_tenures(tenures)],
        ]
        for vrf, tenures in file.history
    ]
    nothing = (
        "Nobody had it on this day." if file.day else "Nobody has had it since this is recorded."
    )
    return card(
        stack(ask, tables or h.p(".sw-quiet")[nothing]),
        title="History",
        symbol="history",
        id_="history",
    )


def _tenures(tenures: Sequence[Tenure]) -> h.Element:
    return table(
        (
            Column("From"),
            Column("Until"),
            Column("State", narrow=True),
            Column("Whose"),
            Column("Client"),
        ),
        [
            Row(
                cells=(
                    moment(one.since, relative=False),
                    moment(one.until, relative=False) if one.until else "now",
                    state_badge(one.state),
                    _whose(one),
                    one.client_email or "–",
                )
            )
            for one in tenures[:50]
        ],
        caption="History",
    )


def _whose(one: Tenure) -> h.Node:
    if one.order_number is not None:
        return h.div[
            h.a(href=f"/admin/orders/{one.holder}")[f"#{one.order_number}"],
            h.span(".sw-under")[one.hostname],
        ]
    return one.reason or one.purpose or "–"


def claim_page(form: Form, vrfs: Sequence[str], *, frame: PageFrame) -> h.Element:
    """Return the form of a claim by hand."""
    return decide_page(
        "Claim by hand",
        text_field(
            form,
            "address",
            "Address",
            mono=True,
            placeholder="192.0.2.17",
            help_="An address, a /64, or a range of at most 256 of them.",
        ),
        vrf_field(form, vrfs),
        terms_fields(form, purpose_help=PURPOSE_HELP),
        about=h.p["No order gets it until you release it."],
        form=form,
        action=f"{ADDRESSES}/new",
        confirm="Claim",
        back=("Addresses", ADDRESSES),
        frame=frame,
        active=ACTIVE,
        reason_help="What it is for. Shown wherever the address is.",
        labels={"address": "Address", "client": "Client", "expires_at": "Until"},
    )


def change_claim_page(claim: ClaimView, form: Form, *, frame: PageFrame) -> h.Element:
    """Return the form that changes what a claim by hand is for, and until when."""
    return decide_page(
        f"Change {claim.text}",
        hidden_field("seq", form.value("seq", str(claim.seq))),
        text_field(form, "purpose", "Purpose", optional=True, help_=PURPOSE_HELP),
        until_field(form),
        about=h.p["It stays whose it is. What it was until now stays in its history."],
        form=form,
        action=f"{ADDRESSES}/claims/{claim.id}/change",
        confirm="Save",
        back=(claim.text, claim_href(claim)),
        frame=frame,
        active=ACTIVE,
        reason_help="What it is for. Shown wherever the address is.",
        labels={"purpose": "Purpose", "expires_at": "Until"},
    )


def claim_href(claim: ClaimView) -> str:
    """Return the page of what is claimed."""
    return f"{VLANS}/{claim.scope}" if claim.kind == "vlan" else address_href(claim.text)


def release_page(claim: ClaimView, form: Form, *, frame: PageFrame) -> h.Element:
    """Return the decision to release a claim by hand."""
    return decide_page(
        f"Release {claim.text}",
        hidden_field("seq", form.value("seq", str(claim.seq))),
        about=[
            h.p["It goes into quarantine, and is free when the cool-down of its prefix ends."],
            h.p(".sw-quiet")[claim.reason, " · since ", moment(claim.claimed_at)],
        ],
        form=form,
        action=f"{ADDRESSES}/claims/{claim.id}/release",
        confirm="Release it",
        back=(claim.text, claim_href(claim)),
        frame=frame,
        active=ACTIVE,
    )
