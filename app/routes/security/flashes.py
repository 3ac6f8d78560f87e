"""Go on to another page, and take a message there.

The message travels in a cookie that is signed with the browser's own random cookie, is
read once, and is only ever shown as text.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from typing import Any

import msgspec
from litestar import Response
from litestar.datastructures import Cookie
from litestar.response import Redirect
from litestar.utils import url_quote

from app.components.notice import Flash
from app.routes.security.csrf import nonce_of
from app.routes.security.visit import Connection, edge_cookie, is_htmx, visit_of

FLASH_COOKIE = "slipway_flash"
FLASH_S = 60


def go(
    connection: Connection, to: str, *flashes: Flash, cookies: Sequence[Cookie] = ()
) -> Response[Any]:
    """Return the answer that leads the browser to `to`, a path of ours, by GET.

    A form is answered with 303; htmx with `HX-Redirect`, since it follows a 303 by
    itself and would put the page into the fragment's place.
    """
    nonce = nonce_of(connection)
    carried = list(cookies)
    if flashes and nonce is not None:
        value = _sealed(flashes, nonce)
        carried.append(edge_cookie(connection.scope, FLASH_COOKIE, value, max_age_s=FLASH_S))
    if is_htmx(connection):
        return Response(
            "", headers={"HX-Redirect": url_quote(to)}, cookies=carried, media_type="text/html"
        )
    return Redirect(to, status_code=303, cookies=carried)


def take_flashes(connection: Connection) -> tuple[Flash, ...]:
    """Return the messages brought along, once: the answer deletes their cookie."""
    value = connection.cookies.get(FLASH_COOKIE)
    if value is None:
        return ()
    visit_of(connection.scope).cookies.append(
        edge_cookie(connection.scope, FLASH_COOKIE, "", max_age_s=0)
    )
    nonce = nonce_of(connection)
    return _opened(value, nonce) if nonce else ()


def _sealed(flashes: Sequence[Flash], nonce: str) -> str:
    body = base64.urlsafe_b64encode(msgspec.json.encode(list(flashes))).decode()
    return f"{body}.{_signature(body, nonce)}"


def _opened(value: str, nonce: str) -> tuple[Flash, ...]:
    body, _, signature = value.partition(".")
    if not hmac.compare_digest(signature.encode(), _signature(body, nonce).encode()):
        return ()
    try:
        return tuple(msgspec.json.decode(base64.urlsafe_b64decode(body), type=list[Flash]))
    except (binascii.Error, msgspec.DecodeError):
        return ()  # written by another version


def _signature(body: str, nonce: str) -> str:
    return hmac.new(nonce.encode(), f"flash:{body}".encode(), hashlib.sha256).hexdigest()
