"""What a person can do about a node of a run: each leads to the form of the run's page."""

from collections.abc import Sequence
from dataclasses import dataclass

import htpy as h

from app.components.admin.run_bits import RUNS, place_address, retry_form
from app.components.button import link_button
from app.components.designer.names import overlay_url
from app.domain.accounts.roles import Role, may_decide
from app.flows.sheet import Stand
from app.flows.views import RunRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Hands:
    """A run that goes on, and what its viewer may do to it."""

    row: RunRow
    stands: Sequence[Stand]
    role: Role
    may_change: bool
    csrf: str


def deeds(hands: Hands, node: str, scope: str) -> h.Element | None:
    """Return what can be done about `node` in the round `scope`; None where there is nothing."""
    row = hands.row
    here = f"{RUNS}/{row.id}"
    found: list[h.Node] = [
        _of_stand(hands, stand)
        for stand in hands.stands
        if (stand.node, stand.scope) == (node, scope)
    ]
    if hands.may_change and row.is_live and not row.cancel_requested:
        found.append(
            link_button("Cancel run", f"{here}/cancel", symbol="ban", size="small", weight="quiet")
        )
    return h.div(".sw-actions")[found] if found else None


def _of_stand(hands: Hands, stand: Stand) -> h.Node:
    here = f"{RUNS}/{hands.row.id}"
    if stand.asks is not None:
        role = str(stand.asks.get("role", ""))
        if not may_decide(hands.role, role):
            return h.p(".sw-quiet")[f"The role {role} decides."]
        address = place_address(f"{here}/decide", stand.scope, stand.node)
        return link_button("Decide", address, symbol="check", size="small")
    if not hands.may_change:
        return None
    if stand.in_doubt:
        address = place_address(f"{here}/settle", stand.scope, stand.node)
        return link_button("Say what became of it", address, symbol="circle-help", size="small")
    # What is in doubt is settled first: a retry goes through all that is halted.
    if any(one.in_doubt for one in hands.stands):
        return h.p(".sw-quiet")["Another step is in doubt; say first what became of it."]
    return [
        retry_form(hands.row, hands.csrf, back=overlay_url(hands.row.id), size="small"),
        link_button("Resume with other input", f"{here}/resume", symbol="pencil", size="small"),
    ]
