"""What stands under an expression: what may follow, and what it comes to."""

import htpy as h

from app.components.icon import icon
from app.flows.drafts.aid import Aid
from app.flows.preview import Preview


def aid_fragment(field: str, aid: Aid) -> h.Fragment:
    """Return the aid for the expression in the element `field`."""
    key = f"{field}-list"
    offers = {"id": key, "role": "listbox", "aria-label": "What may follow"}
    return h.fragment[
        h.ul(offers, class_="fl-offers", hidden=not aid.offers)[
            [
                h.li(
                    id=f"{key}-{number}",
                    role="option",
                    aria_selected="false",
                    title=offer.doc or None,
                    data_insert=offer.insert,
                    data_from=offer.start,
                    data_to=offer.end,
                )[h.code[offer.label], h.span[offer.source or offer.type]]
                for number, offer in enumerate(aid.offers)
            ]
        ],
        _result(aid.preview),
    ]


def _result(preview: Preview | None) -> h.Node:
    if preview is None:
        return None
    if preview.problem:
        return h.output(".fl-result.is-bad")[icon("circle-alert"), preview.problem]
    return h.output(".fl-result")[
        h.span["gives"], h.code[preview.value, "…" if preview.is_cut else ""], h.span[preview.type]
    ]
