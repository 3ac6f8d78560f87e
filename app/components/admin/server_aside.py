"""A server in quarantine: what failed, in plain words, and who looks at it when."""

from datetime import datetime

import htpy as h

from app.components.time import moment
from app.domain.inventory.quarantine import BY_ITSELF, for_a_person
from app.domain.inventory.states import ServerState
from app.domain.inventory.views import ServerRow

S = ServerState
_FAILED = {
    S.available: "It stopped answering while it was free",
    S.provisioning: "It failed while it was set up for an order",
    S.active: "It was put aside while a service ran on it",
    S.releasing: "It failed while it was taken back from its order",
    S.cleaning: "It failed while it was cleaned",
    S.inspecting: "It failed its burn-in",
}


def failed_words(server: ServerRow) -> str:
    """Say in a sentence what it was at when it was put aside; "" where that is not known."""
    return _FAILED.get(server.aside_from, "") if server.aside_from else ""


def next_look(server: ServerRow) -> h.Element | None:
    """Return when it is looked at by itself, in short; None for what is not in quarantine."""
    if server.state is not S.quarantined:
        return None
    if server.recheck_at is None:
        return h.span(".sw-under")["waits for a person"]
    return h.span(".sw-under")["next look ", moment(server.recheck_at)]


def what_next(server: ServerRow, at: datetime) -> h.Element | None:
    """Say who looks at it and when, and how often that was done in vain."""
    if server.state is not S.quarantined:
        return None
    due, looks = server.recheck_at, server.rechecks
    if due is None:
        came_from = server.aside_from
        words = for_a_person(came_from, looks) if came_from else "It waits for a person."
        return h.p[words]
    return h.p[
        BY_ITSELF,
        " It is due now." if due <= at else [" Looked at again ", moment(due), "."],
        f" It was looked at {_times(looks)} so far, in vain." if looks else None,
    ]


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")
