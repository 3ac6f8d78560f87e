"""Static assets: `/assets/<name>.<hash>.<ext>`, cached for ever by the browser."""

import re
from typing import Any

from litestar import Request, Response, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from app.components.assets import find_asset

_HASHED = re.compile(r"(?P<stem>[a-z0-9-]+)\.[0-9a-f]{10}(?P<suffix>\.[a-z0-9]+)")
FOR_EVER = "public, max-age=31536000, immutable"


@get(
    "/assets/{hashed:str}",
    sync_to_thread=False,
    include_in_schema=False,
    opt={"exclude_from_auth": True, "exclude_from_csrf": True},
)
def serve_asset(request: Request[Any, Any, Any], hashed: FromPath[str]) -> Response[bytes]:
    """Send one asset, gzipped where the browser takes it.

    A name with another hash is answered with the file as it is here, uncached: during
    a rolling upgrade a page made by the new version may ask a process of the old one.
    """
    match = _HASHED.fullmatch(hashed)
    asset = find_asset(match["stem"] + match["suffix"]) if match else None
    if asset is None:
        raise NotFoundException(f"There is no asset {hashed}.")
    headers = {
        "Cache-Control": FOR_EVER if hashed == asset.hashed else "no-store",
        "Vary": "Accept-Encoding",
        "X-Content-Type-Options": "nosniff",
    }
    body = asset.body
    if asset.packed is not None and "gzip" in request.headers.get("accept-encoding", ""):
        body = asset.packed
        headers["Content-Encoding"] = "gzip"
    return Response(body, media_type=asset.media_type, headers=headers)
