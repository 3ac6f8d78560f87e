"""The list of the nodes of clouds, with those that are not what they should be."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

import htpy as h

from app.components.admin.client_services import SERVICES
from app.components.admin.dcim import SERVERS
from app.components.admin.filters import Choice, View, Wanted, filter_bar, listing
from app.components.badge import badge, state_badge
from app.components.button import Weight, link_button, submit_button
from app.components.choice import Option
from app.components.facts import code
from app.components.form import csrf_field, hidden_field
from app.components.frame import PageFrame
from app.components.notice import notice
from app.components.page import admin_page, page_head
from app.components.table import Column, Row
from app.components.time import moment
from app.components.tone import Tone
from app.domain.metal.link import TOPIC
from app.domain.metal.node_rule import OF_POWER, NodeDrift
from app.domain.metal.remedy import TYPED, NodeDeed, deeds_for
from app.domain.metal.views import CloudView, NodeCounts, NodePage, NodeRow
from app.drivers.metal.contract import Stage

NODES = "/admin/nodes"
CLOUD = "cloud"
SHOWN = "shown"
"""Of a form that ends a maintenance: its reason, as the page had it."""
VIEWS: Mapping[str, str] = {
    "": "All",
    "differs": "Differ",
    "active": "In use",
    "available": "Available",
    "working": "On the way",
    "failed": "Failed",
    "nobodys": "Nobody's here",
}
LABELS: Mapping[NodeDrift, str] = {
    NodeDrift.gone: "Gone",
    NodeDrift.twin: "Twice",
    NodeDrift.taken: "Taken",
    NodeDrift.occupied: "Occupied",
    NodeDrift.failed: "Failed",
    NodeDrift.lost: "Empty",
    NodeDrift.maintenance: "Maintenance",
    NodeDrift.not_offered: "Not offered",
    NodeDrift.off: "Off",
    NodeDrift.on: "On",
    NodeDrift.nobodys: "Nobody's here",
}
GRAVE = frozenset(
    {NodeDrift.gone, NodeDrift.twin, NodeDrift.taken, NodeDrift.lost, NodeDrift.failed}
)
TOLD_OTHERWISE = frozenset({NodeDrift.nobodys, NodeDrift.maintenance})
DEEDS: Mapping[NodeDeed, str] = {
    NodeDeed.start: "Switch it on",
    NodeDeed.stop: "Switch it off",
    NodeDeed.forget: "Forget the node",
    NodeDeed.aside: "Take out of stock",
    NodeDeed.end_maintenance: "End maintenance",
    NodeDeed.offer: "Clean and offer",
    NodeDeed.release: "Take the system off",
}
STAGE_TONES: Mapping[Stage, Tone] = {
    Stage.AVAILABLE: "success",
    Stage.ACTIVE: "success",
    Stage.RESCUED: "warning",
    Stage.WORKING: "accent",
    Stage.FAILED: "danger",
}
_COLUMNS = (
    Column("Node"),
    Column("At the cloud", narrow=True),
    Column("Here"),
    Column("What differs"),
    Column("Power", narrow=True),
    Column("Deeds", hidden_label=True, narrow=True),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NodesFile:
    """One page of the list, and what its viewer may do."""

    clouds: Sequence[CloudView]
    found: NodePage
    wanted: Wanted
    may_change: bool
    csrf: str


def nodes_page(file: NodesFile, counts: NodeCounts, *, frame: PageFrame) -> h.Element:
    clouds = Choice(
        name=CLOUD,
        label="Cloud",
        blank="All",
        options=[
            Option(value=one.connection, label=f"{one.connection} ({one.nodes:,})")
            for one in file.clouds
        ],
    )
    return admin_page(
        "Nodes",
        page_head(
            "Nodes",
            lede="What clouds of bare metal say of their nodes, every two minutes, against what "
            "servers and services should have. Nothing that differs is put right by itself.",
            actions=[
                link_button("Enrol a server", f"{NODES}/enrol", symbol="plus"),
                link_button("Adopt a node", f"{NODES}/adopt", weight="quiet"),
            ]
            if file.may_change and file.clouds
            else None,
        ),
        filter_bar(
            file.wanted,
            [View(key, words, getattr(counts, key or "all")) for key, words in VIEWS.items()],
            search="Name, id at the cloud, server or host name",
            choices=[clouds] if len(file.clouds) > 1 else [],
        ),
        nodes_list(file),
        frame=frame,
        active="nodes",
    )


def nodes_list(file: NodesFile) -> h.Element:
    """Return one page of the list; it follows the readings."""
    return listing(
        file.wanted,
        _COLUMNS,
        [_row(node, file) for node in file.found.items],
        topic=TOPIC,
        caption="Nodes",
        page_count=file.found.page_count,
        total=file.found.total,
        symbol="server",
        nothing=(
            "No nodes yet",
            "Add a cloud under Connections, of the kind “Bare metal”; it is asked at once.",
        ),
        above=[_cloud(one, file) for one in file.clouds] or None,
    )


def _cloud(one: CloudView, file: NodesFile) -> h.Element | None:
    action = f"{NODES}/clouds/{one.connection}/look"
    look = _click("Look now", action, file.csrf, weight="quiet") if file.may_change else None
    if one.silent_since is not None:
        return notice(
            "warning",
            f"{one.connection} does not answer",
            h.p["Since ", moment(one.silent_since), f": {one.silence}"],
            h.p(".sw-quiet")[
                "It is asked again by itself, at least every 5 minutes. Nothing is known of its "
                "nodes meanwhile: they are shown as they were, and runs that need it wait."
            ],
            look,
        )
    if one.is_doubtful:
        return notice(
            "danger",
            f"{one.connection} shows {one.gone:,} of {one.linked:,} servers no more",
            "So many rarely vanish. Look what its credentials may see before you forget any.",
            look,
        )
    heard = ["was heard ", moment(one.heard_at)] if one.heard_at else "was not asked yet"
    return h.div(".sw-inline")[
        h.span[h.span(".sw-strong")[one.connection], " ", heard, f", {one.nodes:,} nodes"], look
    ]


def _row(node: NodeRow, file: NodesFile) -> Row:
    drift = node.drift
    return Row(
        cells=(
            h.div[
                h.span(".sw-strong")[node.name],
                h.span(".sw-under")[node.connection],
                h.span(".sw-under")[code(node.node)] if node.node != node.name else None,
            ],
            _at_cloud(node),
            _here(node),
            _differs(node, drift) if drift is not None else _maintenance(node) or "–",
            h.div[
                state_badge(node.power),
                h.span(".sw-under.sw-late")["against what it should be"]
                if drift in OF_POWER
                else None,
            ],
            _deeds(node, file),
        ),
        id_=f"node-{node.id}",
        marked=drift is not None and drift is not NodeDrift.nobodys,
    )


def _at_cloud(node: NodeRow) -> h.Element:
    if node.gone_since is not None:
        was = f"was {node.state}" if node.state else "never shown"
        return h.div[
            badge("Gone", "danger"),
            h.span(".sw-under")[moment(node.gone_since)],
            h.span(".sw-under")[was],
        ]
    tone: Tone = "neutral" if node.stage is None else STAGE_TONES.get(node.stage, "neutral")
    is_moving = node.stage is Stage.WORKING
    return h.div[
        badge(node.state.capitalize() or "Unknown", tone, moving=is_moving),
        h.span(".sw-under")[moment(node.changed_at)] if node.changed_at else None,
        h.span(".sw-under.sw-late")["in maintenance"] if node.in_maintenance else None,
    ]


def _maintenance(node: NodeRow) -> h.Element | None:
    if not node.in_maintenance:
        return None
    return h.span(".sw-under.sw-why")["In maintenance there: ", maintenance_words(node)]


def maintenance_words(node: NodeRow) -> str:
    """Say why a node is in maintenance at its cloud, and when the cloud itself put it there."""
    reason = node.maintenance_reason or "no reason"
    return f"{node.fault}, by the cloud itself: {reason}" if node.fault else reason


def _here(node: NodeRow) -> h.Node:
    if node.server is None:
        return h.span(".sw-quiet")["no server"]
    return h.div[
        h.a(href=f"{SERVERS}/{node.server}")[node.server_name],
        h.span(".sw-under")[str(node.server_state)],
        h.span(".sw-under")[
            h.a(href=f"{SERVICES}/{node.service}")[node.hostname], f", {node.service_state}"
        ]
        if node.service
        else None,
    ]


def _differs(node: NodeRow, drift: NodeDrift) -> h.Element:
    tone: Tone = "danger" if drift in GRAVE else "warning"
    return h.div[
        badge(LABELS[drift], "neutral" if drift is NodeDrift.nobodys else tone),
        h.span(".sw-under")[moment(node.drift_since)] if node.drift_since else None,
        h.span(".sw-under.sw-why")[drift.words] if drift not in TOLD_OTHERWISE else None,
        h.span(".sw-under.sw-why")["It says: ", node.error]
        if node.error and drift is NodeDrift.failed
        else None,
        _maintenance(node),
        h.span(".sw-under")["not known now"] if node.silent_since else None,
    ]


def _deeds(node: NodeRow, file: NodesFile) -> h.Node:
    if not file.may_change:
        return None
    if node.is_ordered:
        return h.span(".sw-quiet")["being done"]
    if node.server is None:
        adopt = f"{NODES}/adopt/{node.node}?{urlencode({'connection': node.connection})}"
        return link_button("Adopt …", adopt, size="small", weight="quiet")
    here = f"{NODES}/{node.id}"
    return h.div(".sw-inline")[
        [
            link_button(f"{DEEDS[deed]} …", f"{here}/{deed}", size="small", weight="quiet")
            if deed in TYPED
            else _click(DEEDS[deed], f"{here}/{deed}", file.csrf, shown_field(node, deed))
            for deed in deeds_for(node)
        ]
    ]


def shown_field(node: NodeRow, deed: NodeDeed) -> h.VoidElement | None:
    """Return the maintenance that is shown with the button that ends it, and ends no other."""
    is_end = deed is NodeDeed.end_maintenance
    return hidden_field(SHOWN, node.maintenance_reason) if is_end else None


def _click(
    label: str,
    action: str,
    csrf: str,
    more: h.VoidElement | None = None,
    *,
    weight: Weight = "plain",
) -> h.Element:
    return h.form(method="post", action=action)[
        csrf_field(csrf), more, submit_button(label, weight=weight, size="small")
    ]
