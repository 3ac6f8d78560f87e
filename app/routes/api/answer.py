"""Answers of the API: JSON with an `ETag`, 304 to who has it already, 412 to who is late."""

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec
from litestar import Response
from litestar.enums import MediaType

from app.routes.api.refusals import ChangedSince


def body_of(content: object) -> bytes:
    """Return what is sent for a view; the same facts are the same bytes."""
    return msgspec.json.encode(content, order="deterministic")


def etag_of(body: bytes) -> str:
    """Return the strong entity tag of a body (RFC 9110, 8.8.3)."""
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def answer(
    content: object, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response[Any]:
    """Return `content` as JSON; the handler's annotation says what it is."""
    return Response(
        body_of(content), status_code=status, headers=dict(headers or {}), media_type=MediaType.JSON
    )


def tagged(content: object, if_none_match: str | None = None) -> Response[Any]:
    """Return `content` with its `ETag`; 304 when `if_none_match` has it."""
    body = body_of(content)
    etag = etag_of(body)
    if if_none_match is not None and _names(if_none_match, etag, weakly=True):
        return Response(b"", status_code=304, headers={"ETag": etag}, media_type=MediaType.JSON)
    return Response(body, headers={"ETag": etag}, media_type=MediaType.JSON)


def require_match(if_match: str | None, content: object) -> None:
    """Raise `ChangedSince` when `if_match` is given and does not name `content` as it is now."""
    if if_match is None:
        return
    etag = etag_of(body_of(content))
    if not _names(if_match, etag, weakly=False):
        raise ChangedSince(etag)


def _names(header: str, etag: str, *, weakly: bool) -> bool:
    tags = [tag.strip() for tag in header.split(",")]
    if weakly:  # a proxy that compresses makes strong tags weak
        tags = [tag.removeprefix("W/") for tag in tags]
    return "*" in tags or etag in tags
