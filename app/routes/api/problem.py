"""How the API says no: RFC 9457, with a `code` that is stable across releases."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from litestar.openapi import ResponseSpec
from msgspec import Meta, Struct

MEDIA_TYPE = "application/problem+json"


class FlowProblem(Struct, frozen=True):
    """One thing that is wrong with a flow document."""

    node: Annotated[str, Meta(description='Id of the node; "" for the flow itself.')]
    field: Annotated[str, Meta(description="Path of the field.", examples=["with.size"])]
    message: Annotated[str, Meta(description="What is wrong, and what to do.")]


class RowProblem(Struct, frozen=True, kw_only=True):
    """One thing that is wrong with a row of a file."""

    row: Annotated[int, Meta(description="Its line, of several its last; of JSON its place.")]
    text: Annotated[str, Meta(description="The prefix or address of the row.")]
    field: Annotated[str, Meta(description="The column as the file names it; empty: the row.")]
    message: Annotated[str, Meta(description="What is wrong, and what to do.")]


class Problem(Struct, frozen=True, omit_defaults=True):
    """Why a request was not granted. `code` is for programs, `detail` for people."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "type": "about:blank",
        "title": "Conflict",
        "status": 409,
        "code": "conflict",
        "detail": "No step of this run is halted; it may have gone on already.",
        "request_id": "0193f1d2a4c87a6f9b3e5d7c8e1f2a34",
    }

    type: Annotated[str, Meta(description="Always `about:blank`: `code` tells more.")]
    title: Annotated[str, Meta(description="The status in words.", examples=["Conflict"])]
    status: Annotated[int, Meta(description="The HTTP status.", examples=[409])]
    code: Annotated[str, Meta(description="Stable name of the refusal.", examples=["flow.invalid"])]
    detail: Annotated[str, Meta(description="What is wrong, and what to do about it.")]
    request_id: Annotated[str, Meta(description="Quote it to support; it is in our logs.")]
    fields: Annotated[
        dict[str, str] | None, Meta(description="Messages by bad field, of `invalid`.")
    ] = None
    problems: Annotated[
        tuple[FlowProblem, ...] | None, Meta(description="Of `flow.invalid`: each one.")
    ] = None
    rows: Annotated[
        tuple[RowProblem, ...] | None,
        Meta(description="Of `ipam.file_refused`: the first 1,000 things that are wrong."),
    ] = None


_WORDS = {
    304: "You have it already, by its `ETag`.",
    400: "The request cannot be read.",
    401: "There is no token, or it is not good any more.",
    403: "The token lacks the scope, or its owner's role the permission.",
    404: "There is no such thing, or it is not the owner's.",
    409: "It cannot be done as things stand.",
    412: "It changed since the `ETag` in `If-Match`.",
    422: "The content is wrong; `fields`, `problems` or `rows` say where.",
    429: "Too many requests; `Retry-After` says when to come back.",
}
ALWAYS = (400, 401, 403, 404, 422, 429)


def refusals(*statuses: int) -> dict[int, ResponseSpec]:
    """Return how an operation says no, for its documentation: `statuses` and the usual ones."""
    return {
        status: ResponseSpec(
            None if status < 400 else Problem,
            generate_examples=False,
            description=_WORDS[status],
            media_type=MEDIA_TYPE,
        )
        for status in sorted({*ALWAYS, *statuses})
    }
