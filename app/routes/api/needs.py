"""What a route of the API asks for, in one place: checked by its guard, written in its document.

@get("/runs", **needs(Scope.RUNS_READ), operation_id="listRuns", summary="List runs")
"""

from typing import Annotated, TypeAlias, TypedDict

from litestar.datastructures import ResponseHeader
from litestar.openapi import ResponseSpec
from litestar.openapi.spec import Components, SecurityScheme
from litestar.params import HeaderParameter

from app.domain.accounts.scopes import Scope
from app.routes.api.problem import refusals
from app.routes.security.guards import scoped
from app.routes.security.visit import Guard

SCHEME = "token"
COMPONENTS = Components(
    security_schemes={
        SCHEME: SecurityScheme(
            type="http",
            scheme="bearer",
            bearer_format="slw_…",
            description="An API token of a member of staff, made under `/admin/tokens` or by "
            "`slipway token make`. Each operation names the scope that it needs.",
        )
    }
)

IdempotencyKey: TypeAlias = Annotated[
    str | None,
    HeaderParameter(
        name="Idempotency-Key",
        description="A text of your choice, at most 200 characters. Within 24 hours a request "
        "with the same key is not done again: its first answer is given once more, with "
        "`Idempotency-Replayed: true`.",
        min_length=1,
        max_length=200,
    ),
]
IfMatch: TypeAlias = Annotated[
    str | None,
    HeaderParameter(
        name="If-Match",
        description="The `ETag` of what you read. When it changed since, nothing is done (412).",
    ),
]
IfNoneMatch: TypeAlias = Annotated[
    str | None,
    HeaderParameter(
        name="If-None-Match",
        description="The `ETag` of what you have. When it is still the same, 304 without a body.",
    ),
]

ETAG = ResponseHeader(
    name="ETag",
    description="Changes whenever the answer does; for `If-Match` and `If-None-Match`.",
    documentation_only=True,
)


class Needed(TypedDict):
    """Arguments of a route's decorator."""

    guards: list[Guard]
    security: list[dict[str, list[str]]]
    responses: dict[int, ResponseSpec]


def needs(scope: Scope, *statuses: int) -> Needed:
    """Return the guard for `scope`, and what the document says of it.

    `statuses` are those by which it refuses beside 400, 401, 403, 404, 422, 429.
    """
    return Needed(
        guards=[scoped(scope)],
        security=[{SCHEME: [scope.value]}],
        responses=refusals(*statuses),
    )
