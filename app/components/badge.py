"""Badges, and the tone and words of every state that can be shown."""

import htpy as h

from app.components.tone import Tone

STATE_TONES: dict[str, Tone] = {
    # servers
    "enrolled": "neutral",
    "inspecting": "info",
    "available": "success",
    "held": "info",
    "provisioning": "accent",
    "active": "success",
    "releasing": "info",
    "cleaning": "info",
    "failed": "danger",
    "quarantined": "warning",
    "maintenance": "warning",
    # addresses and prefixes; held and quarantined as above
    "assigned": "accent",
    "reserved": "neutral",
    "container": "neutral",
    "deprecated": "warning",
    "kept": "info",
    "free": "success",
    # orders
    "cart": "neutral",
    "awaiting_payment": "warning",
    "paid": "info",
    "waiting_for_stock": "warning",
    "delivered": "success",
    "cancelled": "neutral",
    # services
    "pending": "neutral",
    "suspended": "warning",
    "terminated": "neutral",
    # invoices and payments
    "draft": "neutral",
    "open": "warning",
    "unpaid": "warning",
    "overdue": "danger",
    "void": "neutral",
    "refunded": "neutral",
    "settled": "success",
    # runs and steps
    "running": "accent",
    "waiting": "info",
    "done": "success",
    "succeeded": "success",
    "parked": "warning",
    "stuck": "danger",
    # power
    "on": "success",
    "off": "neutral",
}
MOVING = frozenset({"inspecting", "provisioning", "releasing", "cleaning", "running"})


def badge(
    label: str, tone: Tone = "neutral", *, moving: bool = False, dot: bool = True
) -> h.Element:
    """Return a badge; a `moving` one has a pulsing dot."""
    return h.span(class_=["sw-badge", f"tone-{tone}", {"is-moving": moving, "has-dot": dot}])[label]


def state_badge(state: str, label: str | None = None) -> h.Element:
    """Return the badge of a state of any kind (a `StrEnum` member will do).

    Its tone comes from `STATE_TONES`, neutral when the state is not in there; its words
    are the state's own unless a `label` is given: `awaiting_payment` → "Awaiting payment".
    """
    key = str(state)
    words = label or key.replace("_", " ").replace("-", " ").capitalize()
    return badge(words, STATE_TONES.get(key.replace("-", "_"), "neutral"), moving=key in MOVING)


def count_badge(count: int) -> h.Element:
    return h.span(".sw-count")[f"{count:,}"]
