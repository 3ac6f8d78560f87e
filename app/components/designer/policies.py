"""The limits of a node: retries, time-outs, and what a failure does."""

import htpy as h

from app.components.designer.slot import saved_by
from app.flows.document import ERRORS, Retry, Timeout
from app.flows.drafts.ports import title, type_of
from app.flows.drafts.sheet import Sheet, target_of
from app.flows.node import Idempotency

_DURATION = "such as 250ms, 2s, 5m, 1.5h or 30d"


def policies(sheet: Sheet, node: str) -> h.Node:
    """Return the fields; each is empty while the default holds, which it names."""
    spec, kind = sheet.nodes[node], type_of(sheet, node)
    retry, timeout, usual = spec.retry, spec.timeout, Retry()
    default = kind.idempotency.value if kind else Idempotency.KEY.value
    pause, retried = "Pause before the second", ", ".join(usual.on)
    return [
        h.div(".fl-pair")[
            _text(
                node, "retry.max", "Attempts", _unless(retry.max, usual.max), "1: none is repeated"
            ),
            _text(node, "retry.delay", pause, _unless(retry.delay, usual.delay), "2s"),
            _text(node, "retry.factor", "Growth of the pause", _unless(retry.factor, 2.0), "2.0"),
            _text(
                node, "retry.longest", "Longest pause", _unless(retry.longest, usual.longest), "5m"
            ),
        ],
        _text(
            node,
            "retry.on",
            "Errors that are tried again",
            _unless(", ".join(retry.on), retried),
            retried,
            help_=f"Of {', '.join(ERRORS)}.",
        ),
        h.div(".fl-pair")[
            _text(
                node,
                "timeout.attempt",
                "One attempt takes at most",
                _unless(timeout.attempt, Timeout().attempt),
                Timeout().attempt,
            ),
            _text(
                node,
                "timeout.total",
                "All of them, waits included",
                timeout.total or "",
                "no limit",
            ),
        ],
        h.p(".sw-help")[f"Times are {_DURATION}."],
        _choice(
            node,
            "on_failure",
            "When it fails for good",
            spec.on_failure or "",
            [
                ("", "As the flow says"),
                ("halt", "Halt for a person"),
                ("compensate", "Undo what was done"),
            ],
        ),
        _choice(
            node,
            "idempotency",
            "When nobody knows whether it happened",
            spec.idempotency or "",
            [
                ("", f"As its type says ({default})"),
                ("key", "Send the same key again"),
                ("probe", "Ask the target first"),
                ("none", "Halt for a person"),
            ],
        ),
        _choice(
            node,
            "compensate",
            "To undo it",
            spec.compensate or "",
            [
                ("", "What its type does"),
                ("none", "Leave it as it is"),
                *((other, title(sheet, other)) for other in _may_undo(sheet, node)),
            ],
        ),
    ]


def _may_undo(sheet: Sheet, node: str) -> list[str]:
    """Return the nodes that may stand in for the type's undo: no edge leads to them."""
    led_to = {target_of(edge) for edge in sheet.document.edges}
    chosen = sheet.nodes[node].compensate
    return [
        other for other in sheet.nodes if other != node and (other == chosen or other not in led_to)
    ]


def _unless(value: object, default: object) -> str:
    return "" if value == default else str(value)


def _text(
    node: str, field: str, label: str, value: str, usual: str, *, help_: str = ""
) -> h.Element:
    key = f"policy-{field.replace('.', '-')}"
    return h.div(".fl-field")[
        h.label(".sw-label", for_=key)[label],
        h.input(
            saved_by("set_policy", "value", node=node, field=field),
            id=key,
            class_="form-control",
            value=value,
            placeholder=usual,
            autocomplete="off",
            aria_describedby=f"{key}-wrong",
        ),
        h.p(".sw-help")[help_] if help_ else None,
        h.p(".fl-wrong", id=f"{key}-wrong", data_wrong=field),
    ]


def _choice(
    node: str, field: str, label: str, value: str, options: list[tuple[str, str]]
) -> h.Element:
    key = f"policy-{field}"
    return h.div(".fl-field")[
        h.label(".sw-label", for_=key)[label],
        h.select(
            saved_by("set_policy", "value", node=node, field=field), id=key, class_="form-select"
        )[[h.option(value=name, selected=name == value)[words] for name, words in options]],
        h.p(".fl-wrong", data_wrong=field),
    ]
