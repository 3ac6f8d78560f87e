"""What one node did in a run: beside the canvas, by round and attempt."""

from datetime import datetime
from urllib.parse import urlencode

import htpy as h

from app.components.admin.attempts import attempt_item, scope_words
from app.components.badge import badge, state_badge
from app.components.button import icon_button
from app.components.designer.names import overlay_url
from app.components.designer.overlay import name_of, sign_of
from app.components.designer.overlay_deeds import Hands, deeds
from app.components.tone import Tone
from app.flows.overlay import ROUNDS, NodeFile, NodeRound, Overlay, Stand
from app.flows.scopes import TOP

_KINDS: dict[str, tuple[str, Tone]] = {
    "failed": ("Failed", "danger"),
    "finished": ("Done", "success"),
    "compensated": ("Undone", "warning"),
    "waiting": ("Waiting", "info"),
    "started": ("Running", "info"),
}


_OPEN = (Stand.halted, Stand.in_doubt, Stand.retrying, Stand.running, Stand.waiting)


def node_panel(found: Overlay, file: NodeFile, now: datetime, *, hands: Hands | None) -> h.Element:
    """Return what a node did; `hands` is None where nothing can be done any more."""
    stand = found.stands[file.node]
    sign = sign_of(found, stand, now)
    spec = found.document.nodes[file.node]
    return h.div("#panel.fl-panel", tabindex="-1")[
        h.header(".fl-panel-head")[
            h.div[h.h2[name_of(found, file.node)], h.p(".sw-quiet")[spec.type]],
            h.div(".fl-run-head")[
                badge(sign.words, sign.tone, dot=False)
                if sign
                else badge("Not reached", "neutral"),
                icon_button("x", "Close (Esc)", attrs={"data-do": "none"}),
            ],
        ],
        h.p(".sw-why")[stand.says] if stand.says else None,
        deeds(hands, file.node, file.scope) if hands and stand.stand in _OPEN else None,
        _rounds(found, file) if file.round_count > 1 else None,
        h.ol(".sw-timeline.sw-attempts", aria_label="Attempts")[
            [attempt_item(one, now, run=found.run) for one in file.attempts]
        ]
        if file.attempts
        else h.p(".sw-quiet")["It has not been tried."],
        _children(file),
        _ledger(file),
    ]


def _rounds(found: Overlay, file: NodeFile) -> h.Element:
    names = {node: name_of(found, node) for node in found.document.nodes}
    pages = -(-file.round_count // ROUNDS)
    return h.nav(".fl-rounds", aria_label="Rounds")[
        h.h3[f"{file.round_count:,} rounds"],
        h.ul[[_round(found, file, one, names) for one in file.rounds]],
        h.div(".fl-rounds-pages")[
            _page(found, file, file.page - 1, "Before") if file.page > 1 else None,
            h.span(".sw-quiet")[f"Page {file.page:,} of {pages:,}"],
            _page(found, file, file.page + 1, "Next") if file.page < pages else None,
        ]
        if pages > 1
        else None,
    ]


def _round(found: Overlay, file: NodeFile, one: NodeRound, names: dict[str, str]) -> h.Element:
    words, tone = _KINDS.get(one.kind, (one.kind.capitalize(), "neutral"))
    return h.li[
        h.button(
            {"hx-get": panel_url(found, file.node, one.scope, file.page), "hx-target": "#panel",
             "hx-swap": "outerHTML"},
            type="button",
            class_="fl-round-pick",
            aria_current="true" if one.scope == file.scope else None,
        )[h.span[scope_words(one.scope, names) if one.scope != TOP else "Once"],
          badge(words, tone, dot=False)]
    ]  # fmt: skip


def _page(found: Overlay, file: NodeFile, page: int, words: str) -> h.Element:
    return h.button(
        {"hx-get": panel_url(found, file.node, "", page), "hx-target": "#panel",
         "hx-swap": "outerHTML"},
        type="button",
        class_="btn btn-sm btn-quiet",
    )[words]  # fmt: skip


def panel_url(found: Overlay, node: str, scope: str, page: int) -> str:
    query = {"chosen": node, "scope": scope, "page": str(page)}
    if found.is_past and found.moment:
        query["at"] = str(found.moment.position)
    return overlay_url(found.run, f"/panel?{urlencode(query)}")


def _children(file: NodeFile) -> h.Element | None:
    if not file.children:
        return None
    return h.section[
        h.h3["Runs of other flows"],
        h.ul(".fl-children")[
            [
                h.li[h.a(href=overlay_url(run))[name], " ", state_badge(status)]
                for run, name, status in file.children
            ]
        ],
    ]


def _ledger(file: NodeFile) -> h.Element | None:
    if not file.ledger:
        return None
    return h.section[
        h.h3["What it took"],
        h.ul(".fl-children")[
            [
                h.li[
                    f"{kind} ",
                    h.code[reference],
                    " ",
                    badge(state.capitalize(), _LEDGER[state], dot=False),
                ]
                for kind, reference, state in file.ledger
            ]
        ],
    ]


_LEDGER: dict[str, Tone] = {"taken": "info", "delivered": "success", "returned": "neutral"}
