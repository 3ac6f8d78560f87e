"""The tree of prefixes: what contains what, how full it is, what is still free."""

from collections.abc import Sequence

import htpy as h

from app.components.admin.address_space import (
    ACTIVE,
    PREFIXES,
    TOPICS,
    prefix_href,
    room_words,
    space_tabs,
    with_query,
)
from app.components.admin.filters import Choice, Wanted, filter_form, listing
from app.components.badge import state_badge
from app.components.button import link_button
from app.components.choice import Option
from app.components.frame import PageFrame
from app.components.icon import icon
from app.components.page import admin_page, page_head
from app.components.progress import progress, quota
from app.components.table import Column, Row
from app.core.paging import Page
from app.domain.addresses.states import PrefixStatus
from app.domain.addresses.tree import Gap, TreeLine
from app.domain.addresses.views import PrefixView
from app.domain.inventory.views import DatacentreView

VRF = "vrf"
DATACENTRE = "datacentre"
GLOBAL = "global"
"""As a choice of VRF: the one without a name."""
DEEPEST = 6
"""Levels that are set in from the left; what is deeper stands at the last one."""

TREE_COLUMNS = (
    Column("Prefix"),
    Column("Status", narrow=True),
    Column("In use"),
    Column("Role"),
    Column("Place"),
)


def prefixes_page(
    found: Page[TreeLine],
    vrfs: Sequence[str],
    sites: Sequence[DatacentreView],
    wanted: Wanted,
    *,
    may_change: bool,
    frame: PageFrame,
) -> h.Element:
    choices = [
        Choice(
            name=VRF,
            label="VRF",
            blank="All",
            options=[
                Option(value=GLOBAL, label="Global"),
                *(Option(value=name, label=name) for name in vrfs),
            ],
        ),
        Choice(
            name=DATACENTRE,
            label="Datacentre",
            blank="All",
            options=[Option(value=site.code, label=site.name) for site in sites],
        ),
    ]
    return admin_page(
        "Prefixes",
        page_head(
            "Prefixes",
            lede="The address space: what contains what, how full it is, and what is still free.",
            actions=[
                link_button("Import", f"{PREFIXES}/import", weight="quiet"),
                link_button("Add a prefix", f"{PREFIXES}/new", weight="primary", symbol="plus"),
            ]
            if may_change
            else None,
        ),
        h.div(".sw-filters")[
            space_tabs(PREFIXES),
            filter_form(wanted, search="Network, role, note or client", choices=choices),
        ],
        prefixes_list(found, wanted, may_change=may_change),
        frame=frame,
        active=ACTIVE,
    )


def prefixes_list(found: Page[TreeLine], wanted: Wanted, *, may_change: bool) -> h.Element:
    return listing(
        wanted,
        TREE_COLUMNS,
        tree_rows(found.items, may_change=may_change),
        topic=TOPICS,
        caption="Prefixes",
        page_count=found.page_count,
        total=found.total,
        symbol="globe",
        nothing=("No prefixes yet", "Add the networks that you have, the largest first."),
    )


def tree_rows(lines: Sequence[TreeLine], *, may_change: bool, base: int = 0) -> list[Row]:
    """Return the rows of the tree, set in by their depth below `base`."""
    return [_row(line, min(line.depth - base, DEEPEST), may_change=may_change) for line in lines]


def _row(line: TreeLine, depth: int, *, may_change: bool) -> Row:
    if isinstance(line.what, Gap):
        return _gap_row(line.what, depth, may_change=may_change)
    return _prefix_row(line.what, line.covered, depth)


def _prefix_row(prefix: PrefixView, covered: float, depth: int) -> Row:
    place = prefix.datacentre if prefix.rack is None else f"{prefix.datacentre}, {prefix.rack}"
    return Row(
        cells=(
            h.div(class_=["sw-tree", f"is-depth-{depth}"])[
                h.span(".sw-strong.sw-mono")[str(prefix.network)],
                h.span(".sw-under")[f"VRF {prefix.vrf}"] if prefix.vrf else None,
                h.span(".sw-under")[prefix.note] if prefix.note else None,
            ],
            state_badge(prefix.status),
            use_bar(prefix, covered),
            h.div[
                "–" if prefix.is_container else prefix.purpose,
                h.span(".sw-under")["by hand only"]
                if not (prefix.is_container or prefix.auto_allocatable)
                else None,
            ],
            h.div[place, h.span(".sw-under")[f"VLAN {prefix.vid}"] if prefix.vid else None],
        ),
        href=prefix_href(prefix.id),
        id_=f"prefix-{prefix.id}",
        marked=prefix.status is PrefixStatus.deprecated,
    )


def use_bar(prefix: PrefixView, covered: float) -> h.Element:
    """Return how much of a leaf is taken or kept, or of a container divided."""
    if prefix.is_container:
        return progress(round(covered * 1_000), 1_000, label="divided", tone="neutral")
    return quota(prefix.usable - prefix.free, prefix.usable, label=room_words(prefix))


def _gap_row(gap: Gap, depth: int, *, may_change: bool) -> Row:
    add = with_query(f"{PREFIXES}/new", network=gap.largest, vrf=gap.vrf)
    return Row(
        cells=(
            h.div(class_=["sw-tree", "is-gap", f"is-depth-{depth}"])[
                h.span(".sw-mono")[f"{gap.first} – {gap.last}"]
            ],
            state_badge("free"),
            h.div[
                h.span(".sw-quiet")["largest: ", gap.largest],
                h.a(".sw-gap-add", href=add)[icon("plus"), "Add"] if may_change else None,
            ],
            None,
            None,
        ),
    )
