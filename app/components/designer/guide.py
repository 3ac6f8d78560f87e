"""The guided first flow: the next step towards a flow that can run, by what is drawn so far."""

import htpy as h

from app.components.icon import icon
from app.flows.drafts.ports import type_of
from app.flows.drafts.sheet import Sheet, target_of

ENOUGH = 4
"""Who has drawn so many nodes needs no guide."""


def guide(sheet: Sheet) -> h.Element:
    """Return what to do next; empty and hidden once a flow is on its way."""
    steps = _steps(sheet)
    if all(done for done, _, _ in steps) or len(sheet.nodes) > ENOUGH:
        return h.aside("#guide", hidden=True)
    current = next(index for index, (done, _, _) in enumerate(steps) if not done)
    return h.aside("#guide.fl-guide", aria_label="First steps")[
        h.p(".fl-guide-title")["Your first flow"],
        h.ol[
            [
                h.li(class_={"is-done": done, "is-current": index == current})[
                    icon("circle-check" if done else "circle-dashed"),
                    h.span[
                        h.strong[words],
                        h.span(".fl-guide-how")[how] if index == current else None,
                    ],
                ]
                for index, (done, words, how) in enumerate(steps)
            ]
        ],
    ]


def _steps(sheet: Sheet) -> list[tuple[bool, str, str]]:
    kinds = {node: type_of(sheet, node) for node in sheet.nodes}
    starts = [node for node, kind in kinds.items() if kind and kind.trigger is not None]
    others = [node for node in sheet.nodes if node not in starts]
    led_to = {target_of(edge) for edge in sheet.document.edges}
    return [
        (
            bool(starts),
            "Add what starts the flow",
            "Press / and choose a trigger, for instance “Order paid”.",
        ),
        (
            bool(others),
            "Add what it does",
            "Select the trigger, press / again and choose an action: it is connected for you.",
        ),
        (
            bool(others) and all(node in led_to for node in others),
            "Connect the nodes",
            "Drag from a port to the next node, or press C and choose it with the arrow keys.",
        ),
        (
            any(spec.params for spec in sheet.nodes.values()) or len(others) > 1,
            "Fill in a parameter",
            "Select a node and fill in its form at the right; ƒ makes an expression of a value.",
        ),
    ]
