"""What a page says when there is nothing to list."""

import htpy as h

from app.components.icon import IconName, icon


def empty(symbol: IconName, title: str, text: str, *actions: h.Node) -> h.Element:
    """Return an empty state: what would be here, and the way to get it."""
    return h.div(".sw-empty")[
        h.div(".sw-empty-symbol")[icon(symbol)],
        h.p(".sw-empty-title")[title],
        h.p(".sw-empty-text")[text],
        h.div(".sw-actions")[actions] if actions else None,
    ]
