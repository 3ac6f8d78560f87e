"""How a server stands with clouds of bare metal: a card of its page."""

import htpy as h

from app.components.admin.node_errand import (
    errand_badge,
    errand_href,
    want_words,
)
from app.components.admin.nodes import DEEDS, NODES, maintenance_words, shown_field
from app.components.badge import state_badge
from app.components.button import link_button, submit_button
from app.components.card import card
from app.components.facts import copyable, facts
from app.components.form import csrf_field, hidden_field
from app.components.time import moment
from app.domain.metal.errand import ErrandState
from app.domain.metal.remedy import NodeDeed, deeds_for
from app.domain.metal.standing import CloudStanding, NodeStanding
from app.domain.metal.views import NodeRow

FROM_SERVER = "from_server"
"""Of a form on the server's page: there it goes on."""


def cloud_card(name: str, cloud: CloudStanding, *, csrf: str) -> h.Element | None:
    """Return the card; None where there is no cloud. `csrf` is "" for who looks on."""
    if not cloud.is_worth_showing:
        return None
    node, errand = cloud.node, cloud.errand
    pairs: list[tuple[str, h.Node]] = []
    if node is None:
        pairs.append(("Node", "at no cloud"))
    else:
        pairs += [
            ("Cloud", node.connection),
            ("Node", copyable(node.node)),
            ("State there", _state(node, cloud.shown)),
        ]
        if node.error:
            pairs.append(("It said", h.span(".sw-break")[node.error]))
    shown = cloud.shown
    if shown is not None and shown.in_maintenance:
        pairs.append(("Maintenance", h.span(".sw-break.sw-late")[maintenance_words(shown)]))
    if errand is not None:
        words = [want_words(errand.wanted), " ", moment(errand.asked_at)]
        pairs.append(("Last", [h.a(href=errand_href(errand))[words], " ", errand_badge(errand)]))
    return card(
        facts(pairs),
        title="At a cloud",
        symbol="server",
        footer=_footer(name, cloud, csrf) if csrf else None,
    )


def _state(node: NodeStanding, shown: NodeRow | None) -> list[h.Node]:
    """Return what a flow or the last reading saw, whichever was later."""
    state = shown.state if shown is not None and shown.state else node.state
    heard_at = shown.heard_at if shown is not None else None
    heard = [one for one in (node.seen_at, heard_at) if one is not None]
    seen: h.Node = ["as it said ", moment(max(heard))] if heard else "not read yet"
    return [state_badge(state or "unknown"), h.span(".sw-under")[seen]]


def _footer(name: str, cloud: CloudStanding, csrf: str) -> h.Element | None:
    is_working = cloud.errand is not None and cloud.errand.state is ErrandState.working
    deeds = [
        _end_maintenance(cloud.shown, csrf) if cloud.shown is not None else None,
        *([] if is_working else _deeds(name, is_linked=cloud.node is not None, csrf=csrf)),
    ]
    return h.div(".sw-actions")[deeds] if any(deeds) else None


def _end_maintenance(node: NodeRow, csrf: str) -> h.Element | None:
    """Return the button that ends the maintenance that is shown; None where there is none."""
    if node.is_ordered:
        return h.p(".sw-quiet")["Something is being done about its node."]
    if NodeDeed.end_maintenance not in deeds_for(node):
        return None
    label = DEEDS[NodeDeed.end_maintenance]
    action = f"{NODES}/{node.id}/{NodeDeed.end_maintenance}"
    return h.form(".sw-inline-form", method="post", action=action)[
        csrf_field(csrf),
        hidden_field(FROM_SERVER, "yes"),
        shown_field(node, NodeDeed.end_maintenance),
        submit_button(f"{label} there", weight="plain", size="small"),
    ]


def _deeds(name: str, *, is_linked: bool, csrf: str) -> list[h.Element]:
    if not is_linked:
        return [
            link_button("Enrol it …", f"{NODES}/enrol?server={name}", size="small"),
            link_button(
                "Adopt a node …",
                f"{NODES}/adopt?server={name}",
                size="small",
                weight="quiet",
            ),
        ]
    return [
        inspect_form(name, "Inspect it", csrf),
        link_button(
            "Take it out …", f"{NODES}/withdraw?server={name}", size="small", weight="quiet"
        ),
    ]


def inspect_form(name: str, label: str, csrf: str) -> h.Element:
    """Return the button that has the server's cloud inspect it."""
    return h.form(".sw-inline-form", method="post", action=f"{NODES}/inspect")[
        csrf_field(csrf),
        hidden_field("server", name),
        h.button(".btn.btn-outline.btn-sm", type="submit", data_busy="…")[label],
    ]
