"""One prefix: what it is for, how full it is, and its addresses as a map, or what it contains."""

from dataclasses import dataclass

import htpy as h

from app.components.admin.address_map import address_map_grids, map_legend
from app.components.admin.address_space import (
    ACTIVE,
    ADDRESSES,
    PREFIXES,
    RESERVATIONS,
    TOPICS,
    prefix_href,
    unit_words,
    with_query,
)
from app.components.admin.prefixes import TREE_COLUMNS, tree_rows
from app.components.admin.reservations import reservation_table
from app.components.admin.trail import trail_card
from app.components.badge import badge, state_badge
from app.components.button import link_button, submit_button
from app.components.card import card, split, stack
from app.components.confirm import confirm_button
from app.components.empty import empty
from app.components.facts import copyable, facts
from app.components.form import Form, text_field
from app.components.frame import PageFrame
from app.components.live import live_region
from app.components.page import admin_page, page_head
from app.components.progress import progress, quota
from app.components.table import table
from app.components.time import about_text
from app.domain.addresses.keep import ReservationView
from app.domain.addresses.map import AddressMap
from app.domain.addresses.tree import TreeLine
from app.domain.addresses.views import PrefixView
from app.domain.audit.views import AuditLine

JUMP = "address"


@dataclass(frozen=True, slots=True, kw_only=True)
class PrefixFile:
    """A prefix as its page shows it: a leaf has a map, a container its parts.

    `trail` is None where it may not be seen.
    """

    prefix: PrefixView
    shown: AddressMap | None
    parts: tuple[TreeLine, ...]
    covered: float
    reservations: tuple[ReservationView, ...]
    trail: tuple[AuditLine, ...] | None
    may_change: bool
    jump: Form
    """The address that the map is to be opened at."""


def prefix_page(file: PrefixFile, *, frame: PageFrame) -> h.Element:
    prefix = file.prefix
    return admin_page(
        str(prefix.network),
        page_head(
            str(prefix.network),
            eyebrow=h.a(href=PREFIXES)["Prefixes"],
            status=[
                state_badge(prefix.status),
                badge(f"VRF {prefix.vrf}", dot=False) if prefix.vrf else None,
            ],
            lede=prefix.note or None,
            actions=_actions(prefix, frame.csrf) if file.may_change else None,
        ),
        _jump(file) if file.shown is not None and file.shown.grids else None,
        prefix_region(file),
        frame=frame,
        active=ACTIVE,
    )


def _jump(file: PrefixFile) -> h.Element:
    """Return the way to an address of a prefix that is larger than one grid."""
    example = str(file.prefix.network[1])
    return h.div(".sw-filters")[
        h.form(".sw-filter-form", method="get", action=prefix_href(file.prefix.id), role="search")[
            text_field(
                file.jump,
                JUMP,
                "Go to an address",
                mono=True,
                placeholder=example,
                autocomplete="off",
            ),
            h.div(".sw-actions")[submit_button("Show", symbol="search", weight="plain")],
        ]
    ]


def prefix_region(file: PrefixFile) -> h.Element:
    """Return what changes by itself: use, map and reservations."""
    # Where it is open it stays, whatever is claimed before.
    prefix, at = file.prefix, str(file.shown.at) if file.shown else ""
    return live_region(
        f"{TOPICS} prefix:{prefix.id}",
        prefix_href(prefix.id, "now", at=at),
        id_="prefix",
        at_most_every_ms=1_000,
    )[
        split(
            stack(
                _map(prefix, file.shown) if file.shown is not None else _parts(file),
                _kept(file) if file.reservations else None,
            ),
            stack(
                _use(file),
                _facts(prefix),
                trail_card(file.trail) if file.trail is not None else None,
            ),
        )
    ]


def _actions(prefix: PrefixView, csrf: str) -> list[h.Node]:
    network = str(prefix.network)
    by_hand = with_query(f"{ADDRESSES}/new", prefix=str(prefix.id))
    keep = with_query(f"{RESERVATIONS}/new", address=network, vrf=prefix.vrf)
    leaf: list[h.Node] = [
        link_button("Claim by hand", by_hand, weight="primary", symbol="plus"),
        link_button("Reserve", keep, symbol="lock"),
        link_button("Split", prefix_href(prefix.id, "split"), weight="quiet"),
        link_button("Merge", prefix_href(prefix.id, "merge"), weight="quiet"),
    ]
    inside = with_query(f"{PREFIXES}/new", network=network, vrf=prefix.vrf)
    container: list[h.Node] = [
        link_button("Add a prefix in it", inside, weight="primary", symbol="plus")
    ]
    return [
        *(container if prefix.is_container else leaf),
        link_button("Change", prefix_href(prefix.id, "change"), symbol="pencil"),
        confirm_button(
            "Remove",
            id_="remove",
            title=f"Remove {network}?",
            text="Only an empty prefix can be removed. The history of its addresses stays.",
            action=prefix_href(prefix.id, "remove"),
            csrf=csrf,
            confirm="Remove it",
            weight="quiet",
            symbol="trash-2",
        ),
    ]


def _map(prefix: PrefixView, shown: AddressMap) -> h.Element:
    unit = "address" if prefix.network.version == 4 else "/64"
    return card(
        map_legend(),
        address_map_grids(prefix.id, shown),
        title=f"Each {unit}",
        lede="Open a cell to see whose it is and who had it before.",
        id_="map",
    )


def _parts(file: PrefixFile) -> h.Element:
    return card(
        table(
            TREE_COLUMNS,
            tree_rows(file.parts, may_change=file.may_change, base=1),
            caption="What it contains",
            empty=empty("globe", "It is empty", "Add a prefix in it."),
        ),
        title="What it contains",
        flush=True,
    )


def _kept(file: PrefixFile) -> h.Element:
    return card(
        reservation_table(file.reservations, may_change=file.may_change),
        title="Reservations",
        symbol="lock",
        flush=True,
    )


def _use(file: PrefixFile) -> h.Element:
    prefix = file.prefix
    if prefix.is_container:
        bar = progress(round(file.covered * 1_000), 1_000, label="Divided among prefixes")
        return card(bar, title="Use")
    counts = {
        "free": prefix.free,
        "kept": prefix.kept,
        "assigned": prefix.assigned,
        "held": prefix.held,
        "claimed_by_hand": prefix.by_hand,
        "reserved": prefix.reserved,
        "quarantined": prefix.quarantined,
    }
    return card(
        stack(
            quota(prefix.usable - prefix.free, prefix.usable, label="Taken or kept"),
            h.ul(".sw-legend")[
                [
                    h.li[state_badge(state), h.span[unit_words(prefix.network, count)]]
                    for state, count in counts.items()
                    if count or state == "free"
                ]
            ],
        ),
        title="Use",
    )


def _facts(prefix: PrefixView) -> h.Element:
    place = prefix.datacentre if prefix.rack is None else f"{prefix.datacentre}, rack {prefix.rack}"
    pairs: list[tuple[str, h.Node]] = [("Network", copyable(str(prefix.network))), ("Place", place)]
    if prefix.vid is not None:
        pairs.append(("VLAN", f"{prefix.vid} of {prefix.vlan_group}"))
    elif prefix.vlan_group is not None:
        pairs.append(("VLAN group", prefix.vlan_group))
    if not prefix.is_container:
        pairs += [
            ("Gateway", copyable(str(prefix.gateway)) if prefix.gateway else "none"),
            ("Role", prefix.purpose),
            ("Orders", "take from it" if prefix.auto_allocatable else "do not take from it"),
            ("Before it is given", "looked at" if prefix.check_first else "not looked at"),
            ("Strategy", prefix.strategy),
            ("Cool-down", about_text(prefix.cooldown_s * 1_000) if prefix.cooldown_s else "none"),
        ]
    if prefix.forward_zone:
        pairs.append(("DNS zone", prefix.forward_zone))
    if prefix.reverse_zone:
        pairs.append(("Reverse zone", prefix.reverse_zone))
    return card(facts(pairs), title="Facts", symbol="info")
