"""The audit trail of a thing."""

from collections.abc import Sequence
from typing import Any

import htpy as h

from app.components.card import card
from app.components.time import moment
from app.domain.audit.views import AuditLine

HIDDEN_FACTS = frozenset({"holder"})


def trail_card(lines: Sequence[AuditLine]) -> h.Element:
    """Return who did what, the latest first."""
    body = (
        h.ol(".sw-trail")[[_line(line) for line in lines]]
        if lines
        else h.p(".sw-quiet")["Nobody has changed anything by hand."]
    )
    return card(body, title="Audit trail", symbol="shield-check")


def _line(line: AuditLine) -> h.Element:
    return h.li[
        h.div(".sw-trail-head")[
            h.span(".sw-trail-action")[action_words(line.action)], moment(line.at)
        ],
        h.p(".sw-trail-who")[line.actor_label, _change(line)],
        h.p(".sw-trail-reason")["“", line.reason, "”"] if line.reason else None,
    ]


def action_words(action: str) -> str:
    """Turn `inventory.release_from_quarantine` into "Release from quarantine"."""
    return action.rpartition(".")[2].replace("_", " ").capitalize()


def _change(line: AuditLine) -> h.Node:
    """Show the facts that changed: `state: quarantined → available`."""
    names = [
        name
        for name in dict.fromkeys([*line.before, *line.after])
        if name not in HIDDEN_FACTS and name != "reason"
    ]
    changes = [
        f"{name.replace('_', ' ')} {_from_to(line.before.get(name), line.after.get(name))}"
        for name in names
        if line.before.get(name) != line.after.get(name)
    ]
    return f" · {'; '.join(changes)}" if changes else None


def _from_to(before: Any, after: Any) -> str:
    if before is None:
        return _text(after)
    return f"{_text(before)} → {_text(after)}"


def _text(value: Any) -> str:
    return "none" if value is None else str(value).replace("_", " ")
