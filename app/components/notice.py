"""Messages: a notice within a page, and flashes carried over from the page before."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import htpy as h

from app.components.button import submit_button
from app.components.form import csrf_field, hidden_field
from app.components.icon import icon
from app.components.tone import TONE_ICONS, Tone


@dataclass(frozen=True, slots=True)
class Back:
    """A click that takes back what was just done: a form of ours, with what it sends."""

    label: str
    action: str
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Flash:
    """A message to show once, at the head of the next page."""

    tone: Tone
    text: str
    back: Back | None = None


def notice(tone: Tone, title: str, *body: h.Node) -> h.Element:
    """Return a message box; warnings and dangers are announced to screen readers at once."""
    role = "alert" if tone in {"warning", "danger"} else "note"
    return h.div(class_=["sw-notice", f"tone-{tone}"], role=role)[
        icon(TONE_ICONS[tone]),
        h.div[
            h.p(".sw-notice-title")[title],
            h.div(".sw-notice-body")[body] if body else None,
        ],
    ]


def flash_messages(flashes: tuple[Flash, ...], csrf: str = "") -> h.Element:
    """Return the place of flashes; it is there even when empty, so that news is announced."""
    return h.div("#flashes.sw-flashes", role="status", aria_live="polite")[
        [
            h.div(class_=["sw-notice", "sw-flash", f"tone-{flash.tone}"])[
                icon(TONE_ICONS[flash.tone]),
                h.p(".sw-notice-title")[flash.text],
                _way_back(flash.back, csrf) if flash.back else None,
                h.button(".sw-flash-close", type="button", aria_label="Dismiss", data_dismiss=True)[
                    icon("x")
                ],
            ]
            for flash in flashes
        ]
    ]


def _way_back(back: Back, csrf: str) -> h.Element:
    return h.form(".sw-inline-form", method="post", action=back.action)[
        csrf_field(csrf),
        [hidden_field(name, value) for name, value in back.values.items()],
        submit_button(back.label, weight="plain", size="small"),
    ]
