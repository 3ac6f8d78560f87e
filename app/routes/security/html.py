"""An htpy element as an answer."""

from collections.abc import Mapping, Sequence

import htpy as h
from litestar import Response
from litestar.datastructures import Cookie


def html(
    element: h.Renderable,
    *,
    status_code: int = 200,
    headers: Mapping[str, str] | None = None,
    cookies: Sequence[Cookie] = (),
) -> Response[str]:
    """Return a page or a fragment as `text/html`; 422 with a form's errors is swapped by htmx."""
    return Response(
        str(element),
        status_code=status_code,
        headers=dict(headers or {}),
        cookies=list(cookies),
        media_type="text/html",
    )
