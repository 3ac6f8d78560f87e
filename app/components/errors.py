"""Pages for requests that cannot be answered as asked."""

from dataclasses import dataclass

import htpy as h

from app.components.button import link_button
from app.components.facts import code
from app.components.frame import PageFrame
from app.components.page import plain_page


@dataclass(frozen=True, slots=True)
class _Words:
    title: str
    text: str


_WORDS = {
    403: _Words(
        "That is not open to you",
        "Your account may not see or do this. If it should, ask the account's owner for it.",
    ),
    404: _Words(
        "Nothing at this address", "The page may have moved, or it belongs to another account."
    ),
    429: _Words(
        "A little too fast",
        "There were too many attempts in a short time. Wait a minute and try again.",
    ),
    500: _Words(
        "Something broke on our side",
        "It has been recorded. Nothing that you paid for is lost; try again in a moment.",
    ),
}


def error_page(
    status: int, *, frame: PageFrame, message: str | None = None, request_id: str | None = None
) -> h.Element:
    """Return the page of a status: 403, 404, 429 and 500 have words of their own.

    Other 4xx read as 404, other 5xx as 500. `message` (a `Refusal`'s) replaces the text.
    """
    words = _WORDS.get(status) or _WORDS[500 if status >= 500 else 404]
    return plain_page(
        words.title,
        h.div(".sw-trouble")[
            h.p(".sw-trouble-status", aria_hidden="true")[str(status)],
            h.h1[words.title],
            h.p(".sw-lede")[message or words.text],
            h.p(".sw-trouble-id")["Reference for support: ", code(request_id)]
            if request_id
            else None,
            h.div(".sw-actions")[
                link_button("To the start page", "/", weight="primary", symbol="arrow-left")
            ],
        ],
        frame=frame,
    )
