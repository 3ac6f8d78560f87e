"""Unsafe requests: one transaction, and with an `Idempotency-Key` done once at most."""

import hashlib
from collections.abc import Awaitable, Callable
from typing import Any

from litestar import Response
from litestar.enums import MediaType

from app.core.database import Database, Tx
from app.domain.accounts.api_answers import Answer, claim_answer, keep_answer
from app.domain.accounts.api_tokens import Caller
from app.routes.api.answer import body_of, etag_of
from app.routes.security.dependencies import HttpRequest

Deed = Callable[[Tx], Awaitable[object]]


async def once(
    request: HttpRequest,
    db: Database,
    caller: Caller,
    deed: Deed,
    *,
    key: str | None,
    status: int = 200,
) -> Response[Any]:
    """Do `deed` in a transaction and answer with what it returns, with its `ETag`.

    With `key`, the answer is kept in the same transaction: asked again, it is given again and
    nothing is done. What is refused is not kept, so that it can be tried anew.
    """
    if key is None:
        async with db.transaction() as tx:
            return _response(_made(await deed(tx), status))
    request_hash = await _hash_of(request)
    async with db.transaction() as tx:
        kept = await claim_answer(tx, caller.account.id, key, request_hash)
        if kept is not None:
            return _response(kept, replayed=True)
        made = _made(await deed(tx), status)
        await keep_answer(tx, caller.account.id, key, made)
    return _response(made)


def _made(content: object, status: int) -> Answer:
    body = body_of(content)
    return Answer(status, {"ETag": etag_of(body)}, body)


def _response(made: Answer, *, replayed: bool = False) -> Response[Any]:
    headers = {**made.headers, "Idempotency-Replayed": "true"} if replayed else made.headers
    return Response(made.body, status_code=made.status, headers=headers, media_type=MediaType.JSON)


async def _hash_of(request: HttpRequest) -> bytes:
    """Return the SHA-256 of what is asked; a key stands for this and nothing else."""
    asked = f"{request.method} {request.url.path}?{request.url.query}\n".encode()
    return hashlib.sha256(asked + await request.body()).digest()
