"""How far something is, as a native `<progress>`: no inline width is needed."""

import htpy as h

from app.components.tone import Tone


def progress(
    value: int, maximum: int, *, label: str, tone: Tone = "accent", show: bool = True
) -> h.Element:
    """Return a bar of `value` out of `maximum`; with `show`, its label and percentage above it."""
    percent = round(100 * value / maximum) if maximum > 0 else 0
    return h.div(".sw-progress")[
        h.div(".sw-progress-head")[h.span[label], h.span(".sw-figure")[f"{percent} %"]]
        if show
        else None,
        h.progress(class_=f"tone-{tone}", value=value, max=max(maximum, 1), aria_label=label),
    ]


def working(label: str) -> h.Element:
    """Return a bar that moves without telling how far."""
    return h.div(".sw-progress")[
        h.div(".sw-progress-head")[h.span[label]],
        h.progress(".is-working", aria_label=label),
    ]


def quota(used: int, total: int, *, label: str, unit: str = "") -> h.Element:
    """Return a bar of use, amber from 80 % and red from 95 %."""
    share = used / total if total > 0 else 1.0
    tone: Tone = "danger" if share >= 0.95 else "warning" if share >= 0.8 else "accent"
    return h.div(".sw-progress")[
        h.div(".sw-progress-head")[
            h.span[label], h.span(".sw-figure")[f"{used:,} / {total:,} {unit}".rstrip()]
        ],
        h.progress(class_=f"tone-{tone}", value=used, max=max(total, 1), aria_label=label),
    ]
