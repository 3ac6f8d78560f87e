"""How a server stands with clouds of bare metal: a card of its page."""

import htpy as h

from app.components.admin.node_errand import (
    errand_badge,
    errand_href,
    want_words,
)
from app.components.admin.nodes import NODES
from app.components.badge import state_badge
from app.components.button import link_button
from app.components.card import card
from app.components.facts import copyable, facts
from app.components.form import csrf_field, hidden_field
from app.components.time import moment
from app.domain.metal.errand import ErrandState
from app.domain.metal.standing import CloudStanding


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
    if errand is not None:
        words = [want_words(errand.wanted), " ", moment(errand.asked_at)]
        pairs.append(("Last", [h.a(href=errand_href(errand))[words], " ", errand_badge(errand)]))
    is_working = errand is not None and errand.state is ErrandState.working
    return card(
        facts(pairs),
        _deeds(name, is_linked=node is not None, csrf=csrf) if csrf and not is_working else None,
        title="At a cloud",
        symbol="server",
    )


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
