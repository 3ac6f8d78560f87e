"""Unsafe requests: one transaction, and with an `Idempotency-Key` done once at most.

A handler asks for `ask: Asked` to make something, for `change: Asked` to change something, which
then may also be asked for as it is known (`If-Match`).
"""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from litestar import Response
from litestar.di import NamedDependency, Provide
from litestar.enums import MediaType

from app.core.database import Database, Tx
from app.domain.accounts.api_answers import Answer, claim_answer, keep_answer
from app.domain.accounts.api_tokens import Caller
from app.domain.addresses.desk import ClaimDesk
from app.routes.api.answer import body_of, etag_of
from app.routes.api.needs import IdempotencyKey, IfMatch
from app.routes.security.bearer import caller_of
from app.routes.security.dependencies import Claiming, HttpRequest
from app.routes.security.visit import edge_of


@dataclass(frozen=True, slots=True)
class Ask:
    """One unsafe request: whose it is, and on what terms it is to be granted."""

    request: HttpRequest
    database: Database
    desk: ClaimDesk
    caller: Caller
    key: str | None
    if_match: str | None = None

    async def once(
        self, deed: Callable[[Tx], Awaitable[object]], *, status: int = 200
    ) -> Response[Any]:
        """Do `deed` in a transaction and answer with what it returns, with its `ETag`.

        With a key, the answer is kept in the same transaction: asked again, it is given again
        and nothing is done. What is refused is not kept, so that it can be tried anew.
        """
        if self.key is None:
            async with self.database.transaction() as tx:
                content = await deed(tx)
            return self.done(content, status=status)
        request_hash = await _hash_of(self.request)
        account = self.caller.account.id
        async with self.database.transaction() as tx:
            kept = await claim_answer(tx, account, self.key, request_hash)
            if kept is None:
                made = _made(await deed(tx), status)
                await keep_answer(tx, account, self.key, made)
        return _response(made) if kept is None else _response(kept, replayed=True)

    def done(self, content: object, *, status: int = 200) -> Response[Any]:
        """Answer with what was done already, for a request without a key, with its `ETag`."""
        return _response(_made(content, status))


async def provide_ask(
    request: HttpRequest, desk: Claiming, idempotency_key: IdempotencyKey = None
) -> Ask:
    # Dependencies that do not wait for each other would each be a task.
    caller = await caller_of(request)
    return Ask(request, edge_of(request.scope).database, desk, caller, idempotency_key)


async def provide_change(
    request: HttpRequest,
    desk: Claiming,
    idempotency_key: IdempotencyKey = None,
    if_match: IfMatch = None,
) -> Ask:
    caller = await caller_of(request)
    return Ask(request, edge_of(request.scope).database, desk, caller, idempotency_key, if_match)


Asked: TypeAlias = NamedDependency[Ask]
DEPENDENCIES = {"ask": Provide(provide_ask), "change": Provide(provide_change)}


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
