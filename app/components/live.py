"""Fragments that keep themselves current.

The connection and the pace are our own js (`static/js/10-live.js`), the fetch and the
morph are htmx's: its `hx-sse` opens a stream per element, and its `throttle` forgets a
waiting event when a morph sets the element up anew.

A page holds one SSE connection, `/live?topics=a,b`, opened by our js for the topics of
all its live regions. A message `event: TOPIC` makes every region of that topic fetch its
`url` and morph itself; the message's data is not read. The regions are also
fetched whenever the connection (re)opens, since messages may have been missed, every
20 s while it is down, and every 60 s while it is open: a message that Redis did not take
within a second is lost, and the stream knows nothing of it. The route at `url` returns
the same `live_region(...)` element.
"""

import re

import htpy as h


def live_region(
    topic: str, url: str, *, id_: str | None = None, at_most_every_ms: int = 250
) -> h.Element:
    """Return the element that wraps the fragment: `live_region("order:7", "/orders/7/steps")[…]`.

    `topic` may be several, with spaces between; a topic has no comma. A burst of messages
    costs one request every `at_most_every_ms`, and the last one is never lost. An answer
    of 204 or an error leaves the region as it is.
    """
    return h.div(
        id=id_ or "live-" + re.sub(r"[^a-z0-9]+", "-", url.lower()).strip("-"),
        class_="sw-live-region",
        data_live=topic,
        data_live_url=url,
        data_live_every_ms=at_most_every_ms,
    )


def live_indicator() -> h.Element:
    """Return the sign of the connection's state; hidden as long as a page has no live region."""
    return h.span("#live-state.sw-live-state", role="status", data_state="off", hidden=True)[
        h.span(".sw-live-dot", aria_hidden="true"), h.span(".sw-live-word")
    ]
