"""The audit trail of a thing."""

from collections.abc import Sequence
from typing import Any

import htpy as h

from app.components.card import card
from app.components.time import moment
from app.core.money import Money
from app.domain.audit.views import AuditLine

HIDDEN_FACTS = frozenset({"holder", "currency", "reason"})


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
    """Show the facts that changed: `state quarantined → available; paid €0.00 → €61.50`."""
    currency = line.after.get("currency") or line.before.get("currency") or ""
    changes = [
        change
        for name in line.after
        if name not in HIDDEN_FACTS and (change := _fact(name, line, currency))
    ]
    return f" · {'; '.join(changes)}" if changes else None


def _fact(name: str, line: AuditLine, currency: str) -> str | None:
    """Return a fact as it was and is; None for one that stayed, or that counts nothing."""
    before, after = line.before.get(name), line.after[name]
    if before == after or (before is None and not after):
        return None
    words = name.removesuffix("_minor").replace("_", " ")
    is_money = name.endswith("_minor") and currency
    said = _money(after, currency) if is_money else _text(after)
    if before is None:
        return f"{words} {said}"
    was = _money(before, currency) if is_money else _text(before)
    return f"{words} {was} → {said}"


def _money(amount_minor: Any, currency: str) -> str:
    return Money(int(amount_minor), currency).text()


def _text(value: Any) -> str:
    return "none" if value is None else str(value).replace("_", " ")
