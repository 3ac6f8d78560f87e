"""How a server stands with clouds of bare metal: a card of its page."""

import htpy as h

from app.components.admin.node_errand import (
    errand_badge,
    errand_href,
    want_words,
)
from app.components.admin.nodes import DEEDS, NODES, maintenance_words
from app.components.badge import state_badge
from app.components.button import link_button, submit_button
from app.components.card import card
from app.components.facts import copyable, facts
from app.components.form import csrf_field, hidden_field
from app.components.time import moment
from app.domain.metal.errand import ErrandState
from app.domain.metal.remedy import NodeDeed, deeds_for
from app.domain.metal.standing import CloudStanding
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
        seen: h.Node = ["as it said ", moment(node.seen_at)] if node.seen_at else "not read yet"
        pairs += [
            ("Cloud", node.connection),
            ("Node", copyable(node.node)),
            ("State there", [state_badge(node.state or "unknown"), h.span(".sw-under")[seen]]),
        ]
        if node.error:
            pairs.append(("It said", h.span(".sw-break")[node.error]))
    shown = cloud.shown
    if shown is not None and shown.in_maintenance:
        pairs.append(("Maintenance", h.span(".sw-break.sw-late")[maintenance_words(shown)]))
    if errand is not None:
        words = [want_words(errand.wanted), " ", moment(errand.asked_at)]
        pairs.append(("Last", [h.a(href=errand_href(errand))[words], " ", errand_badge(errand)]))
    is_working = errand is not None and errand.state is ErrandState.working
    return card(
        facts(pairs),
        _end_maintenance(shown, csrf) if csrf and shown is not None else None,
        _deeds(name, is_linked=node is not None, csrf=csrf) if csrf and not is_working else None,
        title="At a cloud",
        symbol="server",
    )


def _end_maintenance(node: NodeRow, csrf: str) -> h.Element | None:
    """Return the button that ends the maintenance that is shown; None where there is none."""
    if node.is_ordered:
        return h.p(".sw-quiet")["Something is being done about its node."]
    if NodeDeed.end_maintenance not in deeds_for(node):
        return None
    label = DEEDS[NodeDeed.end_maintenance]
    return h.form(method="post", action=f"{NODES}/{node.id}/{NodeDeed.end_maintenance}")[
        csrf_field(csrf),
        hidden_field(FROM_SERVER, "yes"),
        submit_button(f"{label} there", weight="plain", size="small"),
    ]


def _deeds(name: str, *, is_linked: bool, csrf: str) -> h.Element:
    if not is_linked:
        return h.div(".sw-actions")[
            link_button("Enrol it …", f"{NODES}/enrol?server={name}", size="small"),
            link_button(
                "Adopt a node …",
                f"{NODES}/adopt?server={name}",
                size="small",
                weight="quiet",
            ),
        ]
    return h.div(".sw-actions")[
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
