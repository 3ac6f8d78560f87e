"""Who else is here, and which node each has selected."""

from collections.abc import Sequence
from urllib.parse import urlencode
from uuid import UUID

import htpy as h

from app.components.designer.names import draft_url, people_topic
from app.components.live import live_region

COLOURS = 6
UNKNOWN = "Who else is here is not known: the server that tells it is away. Saving works."


class Present:
    """One designer's window, as others see it."""

    __slots__ = ("colour", "name", "node", "tab")

    def __init__(self, tab: str, name: str, node: str) -> None:
        self.tab, self.name, self.node = tab, name, node
        self.colour = sum(name.encode()) % COLOURS


def people(draft: UUID, present: Sequence[Present] | None, tab: str) -> h.Element:
    """Return the faces of all but the window `tab`; our js marks the nodes they have selected.

    None: it is not known who is here.
    """
    url = draft_url(draft, f"/people?{urlencode({'tab': tab})}")
    return live_region(people_topic(draft), url, id_="people", at_most_every_ms=500)[
        h.p(".fl-nobody-knows", title=UNKNOWN, aria_label=UNKNOWN, tabindex="0")["?"]
        if present is None
        else h.ul(".fl-people", aria_label="Who is here")[
            [
                h.li(
                    class_=f"fl-face fl-colour-{each.colour}",
                    title=each.name,
                    data_holds=each.node or None,
                    data_who=each.name,
                    data_colour=each.colour,
                )[
                    h.span(aria_hidden="true")[_initials(each.name)],
                    h.span(".visually-hidden")[each.name],
                ]
                for each in present
                if each.tab != tab
            ]
        ]
    ]


def _initials(name: str) -> str:
    words = name.replace("@", " ").split()
    return "".join(word[0] for word in words[:2]).upper() or "?"
