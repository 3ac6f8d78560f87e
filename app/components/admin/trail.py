"""The audit trail of a thing."""

import re
from collections.abc import Sequence
from typing import Any

import htpy as h

from app.components.card import card
from app.components.time import moment
from app.core.money import Money
from app.domain.audit.views import AuditLine

HIDDEN_FACTS = frozenset({"holder", "currency", "reason", "service"})


SHOWN = 8
"""Members of a list that are named."""
ACTIONS = {
    "inventory.could_not_switch": "Could not switch it",
    "inventory.order_power": "Switch it as it should be",
    "inventory.take_power": "Take its power for right",
    "inventory.judge_power": "Go by its service's power again",
    "inventory.screen_opened": "Open its screen",
    "inventory.switched": "Switched",
    "servers.start": "Start it",
    "servers.stop": "Shut it down",
    "servers.restart": "Restart it",
    "servers.reset": "Reset it",
    "servers.done": "Its power is switched",
    "servers.could_not": "Could not switch its power",
    "servers.gave_way": "Its power was left alone",
    "nodes.start": "Switch it on at its cloud",
    "nodes.stop": "Switch it off at its cloud",
    "nodes.forget": "Forget its node, which its cloud has no more",
    "nodes.end_maintenance": "Have its cloud end its maintenance",
    "nodes.offer": "Have its cloud clean and offer it",
    "nodes.release": "Have its cloud take the system off",
    "nodes.done": "Done at its cloud",
    "nodes.could_not": "Could not do it at its cloud",
    "addresses.add": "Add the prefix",
    "addresses.change": "Change settings",
    "addresses.claim": "Claim by hand",
    "addresses.change_claim": "Change a claim by hand",
    "addresses.release": "Release what was claimed by hand",
    "addresses.keep": "Reserve",
    "addresses.let_go": "End a reservation",
    "addresses.name": "Set a host name",
    "addresses.add_vlan_group": "Add the VLAN group",
}
"""Deeds whose name alone does not say what was done."""
FACTS = {
    "auto_allocatable": "orders may take from it",
    "check_first": "looked at before it is given",
    "cooldown_s": "cool-down in s",
    "expires_at": "until",
    "first_vid": "first id",
    "forward_zone": "DNS zone",
    "hostname": "host name",
    "last_vid": "last id",
    "reserved": "kept back",
    "reverse_zone": "reverse zone",
    "vid": "VLAN",
    "vlan_group": "VLAN group",
    "vrf": "VRF",
}
SUBJECTS = ("address", "addresses", "network", "kept", "name", "client", "for")
"""Facts that say what a line is about."""
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(:[\d.]+)?(Z|\+00:00)")


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
    return ACTIONS.get(action) or action.rpartition(".")[2].replace("_", " ").capitalize()


def _change(line: AuditLine) -> h.Node:
    """Show the facts that changed: `state quarantined → available; paid €0.00 → €61.50`.

    What is only known of the time before is shown as it was.
    """
    currency = line.after.get("currency") or line.before.get("currency") or ""
    changes = [
        change
        for name in sorted({*line.after, *line.before}, key=_rank)
        if name not in HIDDEN_FACTS and (change := _fact(name, line, currency))
    ]
    return f" · {'; '.join(changes)}" if changes else None


def _rank(name: str) -> tuple[int, str]:
    """Put what a line is about before what became of it; the database keeps no order."""
    return (SUBJECTS.index(name) if name in SUBJECTS else len(SUBJECTS)), name


def _fact(name: str, line: AuditLine, currency: str) -> str | None:
    """Return a fact as it was and is; None for one that stayed, or that counts nothing."""
    before, after = line.before.get(name), line.after.get(name)
    if before == after or (before is None and not after):
        return None
    words = FACTS.get(name) or name.removesuffix("_minor").replace("_", " ")
    is_money = name.endswith("_minor") and currency
    said = _money(after, currency) if is_money and after is not None else _text(after)
    if before is None:
        return f"{words} {said}"
    was = _money(before, currency) if is_money else _text(before)
    if name not in line.after:
        return f"{words} {was}" if before else None
    return f"{words} {was} → {said}"


def _money(amount_minor: Any, currency: str) -> str:
    return Money(int(amount_minor), currency).text()


def _text(value: Any) -> str:
    if isinstance(value, list):
        more = f" and {len(value) - SHOWN} more" if len(value) > SHOWN else ""
        return (", ".join(map(_text, value[:SHOWN])) + more) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str) and (at := _TIME.fullmatch(value)):
        return f"{at[1]} {at[2]} UTC"
    return "none" if value is None or value == "" else str(value).replace("_", " ")
