"""What stands under an expression: what may follow, and what it comes to."""

import htpy as h

from app.components.icon import icon
from app.flows.drafts.aid import Aid


def aid_fragment(param: str, aid: Aid) -> h.Fragment:
    key = f"p-{param}-list"
    return h.fragment[
        h.ul(
            ".fl-offers",
            id=key,
            role="listbox",
            aria_label="What may follow",
            hidden=not aid.offers,
        )[
            [
                h.li(
                    id=f"{key}-{number}",
                    role="option",
                    aria_selected="false",
                    data_insert=offer.insert,
                    data_from=offer.start,
                    data_to=offer.end,
                )[h.code[offer.insert], h.span[offer.says]]
                for number, offer in enumerate(aid.offers)
            ]
        ],
        h.output(".fl-result.is-bad")[icon("circle-alert"), aid.problem]
        if aid.problem
        else h.output(".fl-result")[h.span["gives"], h.code[aid.value]]
        if aid.value
        else None,
    ]
