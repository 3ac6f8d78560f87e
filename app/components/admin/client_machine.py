"""The virtual machine of a service, as the staff see it."""

from datetime import datetime
from uuid import UUID

import htpy as h

from app.components.admin.client_services import SERVICES
from app.components.admin.machines import MACHINES
from app.components.badge import state_badge
from app.components.button import submit_button
from app.components.card import card, stack
from app.components.empty import empty
from app.components.facts import code, copyable, facts
from app.components.form import csrf_field
from app.components.notice import notice
from app.components.time import moment
from app.domain.machines.rules import size_in_words
from app.domain.services.list import GameLine, MachineLine, ServiceDetails
from app.domain.services.states import ServiceState
from app.drivers.hypervisor.iso import is_iso


def machine_card(service: ServiceDetails, *, may_change: bool, csrf: str) -> h.Element:
    """Return where the virtual machine is and what it is, as its provider last said."""
    found = service.machine
    title = "Virtual machine"
    if found is None:
        nothing = empty("cpu", "Not planned yet", "Its flow chooses a provider with room for it.")
        return card(nothing, title=title, symbol="cpu")
    size = size_in_words(found.cores, found.memory_mb, found.disk_gb)
    pairs: list[tuple[str, h.Node]] = [
        ("Provider", code(found.connection)),
        ("Node", code(found.node)),
        ("Machine", copyable(found.number) if found.number else "not made yet"),
        ("Power", [state_badge(found.power), " ", seen(found.power_seen_at)]),
        ("Size", size),
        _made_from(found),
    ]
    pairs += [("Storage", code(found.storage))] if found.storage else []
    pairs += [("Bridge", code(found.bridge))] if found.bridge else []
    pairs += [("Plan", code(found.plan))] if found.plan else []
    pairs.append(("Planned", moment(found.planned_at)))
    if found.made_at:
        pairs.append(("Made", moment(found.made_at)))
    if found.removed_at:
        pairs.append(("Removed", moment(found.removed_at)))
    lede = "It was removed; this is how it was." if found.removed_at else None
    here = f"{SERVICES}/{service.line.id}"
    more: list[h.Node] = [h.a(href=f"{here}/usage")["Usage"]]
    is_at_hand = (
        service.line.state is ServiceState.active and found.made_at and not found.removed_at
    )
    if is_at_hand:
        more += [" · ", h.a(href=f"{here}/console")["Console"]]
    takes_out = is_at_hand and found.is_iso_in and may_change
    body = stack(
        differs(found), facts(pairs), _ejection(service.line.id, csrf=csrf) if takes_out else None
    )
    return card(body, title=title, lede=lede, symbol="cpu", footer=more)


def _made_from(found: MachineLine) -> tuple[str, h.Node]:
    """Return the template, or the ISO and whether it is in the drive."""
    if not is_iso(found.template):
        return "Template", code(found.template)
    drive = "in its drive" if found.is_iso_in else "taken out"
    return "ISO", [code(found.template), " ", h.span(".sw-help")[drive]]


def _ejection(service: UUID, *, csrf: str) -> h.Element:
    return h.form(method="post", action=f"{SERVICES}/{service}/eject")[
        csrf_field(csrf), submit_button("Take the ISO out", weight="plain", symbol="arrow-up")
    ]


def differs(found: MachineLine | GameLine) -> h.Element | None:
    """Say that its provider is silent, or that it is not what the service says."""
    if found.removed_at is not None:
        return None
    where = h.a(href=MACHINES)["Machines"]
    if found.silent_since is not None:
        since = h.p["Since ", moment(found.silent_since), f": {found.silence}"]
        return notice("info", f"{found.connection} does not answer", since)
    if found.drift is not None:
        return notice("warning", found.drift.words, h.p["It is put right under ", where, "."])
    return None


def seen(at: datetime | None) -> h.Node:
    return h.span(".sw-help")["not read yet" if at is None else ["seen ", moment(at)]]
