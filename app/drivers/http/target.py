"""Where a call goes: a URL put together so that it cannot leave the peer it was made for. Pure."""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from yarl import URL

from app.drivers.errors import Refused

LONGEST_CHARS = 8_000
_UP = re.compile(r"(?:^|/)(?:\.|%2e){1,2}(?:[/#]|$)", re.IGNORECASE)


def target(url: str, query: Mapping[str, Any], *, base: str, peer: str) -> URL:
    """Return the URL of a call: `url` below `base` when there is one, with `query` added.

    With a base, an absolute `url` must lie below it too: what a flow puts together out of
    someone's input must not carry credentials elsewhere. Raises Refused on `url`.
    """
    text = _joined(url, base)
    _require_plain(text, peer)
    if query:
        text += ("&" if "?" in text else "?") + urlencode(list(_pairs(query)))
    found = parsed(text, peer)
    if base:
        _require_below(found, parsed(base, peer), peer)
    return found.with_fragment(None) if found.raw_fragment else found


@lru_cache(maxsize=512)
def parsed(text: str, peer: str) -> URL:
    """Return an absolute HTTP URL. Raises Refused on `url`."""
    try:
        found = URL(text)
        port = found.port
    except ValueError as error:
        raise Refused(peer, field="url", reason=f"it is not readable: {error}") from error
    if found.scheme not in {"http", "https"} or not found.raw_host or not port:
        raise Refused(peer, field="url", reason="it does not begin with http:// or https://")
    if found.raw_user is not None or found.raw_password is not None:
        raise Refused(peer, field="url", reason="keep user name and password in a connection")
    return found


def same_origin(one: URL, other: URL) -> bool:
    return _origin(one) == _origin(other)


def _origin(url: URL) -> tuple[str, str, int | None]:
    return url.scheme, (url.raw_host or "").lower(), url.port


def _joined(url: str, base: str) -> str:
    if not base or "://" in url.partition("?")[0]:
        return url
    if not url or url.startswith("?"):
        return base + url
    return f"{base.rstrip('/')}/{url.lstrip('/')}"


def _require_plain(text: str, peer: str) -> None:
    """Refuse what servers read in different ways: control characters, backslashes, `..`."""
    if len(text) > LONGEST_CHARS:
        reason = f"it is longer than {LONGEST_CHARS} characters"
        raise Refused(peer, field="url", reason=reason)
    path = text.partition("?")[0]
    if not text.isprintable() or "\\" in path:
        raise Refused(peer, field="url", reason="it holds a control character or a backslash")
    if _UP.search(path):
        raise Refused(peer, field="url", reason="it must not go up by ..")


def _require_below(found: URL, base: URL, peer: str) -> None:
    root = base.raw_path.rstrip("/")
    path = found.raw_path
    if same_origin(found, base) and (path == root or path.startswith(f"{root}/")):
        return
    raise Refused(peer, field="url", reason=f"it is not below the connection's {base}")


def _pairs(query: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in query.items():
        for one in value if isinstance(value, list | tuple) else (value,):
            if one is not None:
                yield name, words(one)


def words(value: Any) -> str:
    """Return a scalar as queries, forms and headers say it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
