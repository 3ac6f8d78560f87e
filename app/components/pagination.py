"""Ways through a long list."""

from collections.abc import Callable

import htpy as h

from app.components.icon import IconName, icon


def pagination(
    *, page: int, page_count: int, href: Callable[[int], str], label: str = "Pages"
) -> h.Element | None:
    """Return links to the pages around `page` (from 1), the first and the last; None if one."""
    if page_count <= 1:
        return None
    near = {1, page_count, *range(max(1, page - 1), min(page_count, page + 1) + 1)}
    numbers = sorted(near)
    items: list[h.Node] = []
    for before, number in zip([0, *numbers], numbers, strict=False):
        if number - before > 1:
            items.append(h.li(".sw-page-gap", aria_hidden="true")["…"])
        here = "page" if number == page else None
        items.append(h.li[h.a(".sw-page", href=href(number), aria_current=here)[str(number)]])
    return h.nav(".sw-pages", aria_label=label)[
        _step("chevron-left", "Previous page", href(page - 1) if page > 1 else None),
        h.ul[items],
        _step("chevron-right", "Next page", href(page + 1) if page < page_count else None),
    ]


def pager(
    *, newer: str | None, older: str | None, summary: str = "", label: str = "Pages"
) -> h.Element | None:
    """Return newer and older links for a list that is read by key, not by number."""
    if newer is None and older is None:
        return None
    return h.nav(".sw-pages", aria_label=label)[
        _step("chevron-left", "Newer", newer),
        h.span(".sw-page-summary")[summary],
        _step("chevron-right", "Older", older),
    ]


def _step(symbol: IconName, label: str, href: str | None) -> h.Element:
    if href is None:
        return h.span(".sw-page.is-off", aria_hidden="true")[icon(symbol)]
    return h.a(".sw-page", href=href, aria_label=label)[icon(symbol)]
