"""Cards: the surface that everything else lies on."""

import htpy as h

from app.components.icon import IconName, icon


def card(
    *children: h.Node,
    title: str | None = None,
    lede: h.Node = None,
    symbol: IconName | None = None,
    actions: h.Node = None,
    footer: h.Node = None,
    flush: bool = False,
    id_: str | None = None,
) -> h.Element:
    """Return a card; `flush` lets a table or list touch its edges."""
    head = title is not None or actions is not None
    return h.section(id=id_, class_="card")[
        h.div(".card-header")[
            h.div(".sw-card-heading")[
                h.h2(".card-title")[icon(symbol) if symbol else None, title] if title else None,
                h.p(".sw-card-lede")[lede] if lede is not None else None,
            ],
            h.div(".card-actions")[actions] if actions is not None else None,
        ]
        if head
        else None,
        h.div(class_={"card-body": True, "sw-flush": flush})[children],
        h.div(".card-footer")[footer] if footer is not None else None,
    ]


def card_grid(*cards: h.Node, least_width: str = "regular") -> h.Element:
    """Return cards side by side as the width allows; `least_width`: small, regular or large."""
    return h.div(class_=["sw-grid", f"sw-grid-{least_width}"])[cards]


def split(main: h.Node, aside: h.Node) -> h.Element:
    """Return a wide column and a narrow one that stays in view; stacked on a phone."""
    return h.div(".sw-split")[h.div(".sw-stack")[main], h.aside(".sw-aside.sw-stack")[aside]]


def stack(*children: h.Node) -> h.Element:
    """Return children one below the other, evenly spaced."""
    return h.div(".sw-stack")[children]
