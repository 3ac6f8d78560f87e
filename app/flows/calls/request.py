"""The parameters of a call, and the call that they make."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import Meta

from app.drivers.http.body import CONTENT_TYPES, BadBody, BodyKind, ReadAs, encode
from app.drivers.http.contract import Call, HttpPeer
from app.drivers.http.target import words
from app.flows.node import Idempotency, Step, StepFailed

Method: TypeAlias = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
Scalar: TypeAlias = str | int | float | bool | None
Status: TypeAlias = (
    Annotated[int, Meta(ge=100, le=599)] | Annotated[str, Meta(pattern=r"^[1-5](xx|[0-9]{2})$")]
)

REPEATABLE = frozenset({"GET", "HEAD", "PUT", "DELETE"})
"""Methods whose second time changes nothing more (RFC 9110, 9.2.2)."""
ACCEPT = "application/json, */*;q=0.5"
OURS = frozenset(
    {"host", "content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer",
     "expect", "proxy-authorization"}
)  # fmt: skip
"""Headers that say how the message itself is sent, which is not the flow's to say."""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of an API; the base of the parameters of nodes that call one."""

    url: Annotated[
        str,
        Meta(
            title="URL",
            description="Where the call goes: below the connection's base URL, or, without a "
            "connection, a whole address. It must not go up by `..`.",
            examples=["servers", "servers/${input.id}", "https://api.example.net/v1/servers"],
        ),
    ]
    connection: Annotated[
        str,
        Meta(
            title="Connection",
            description="The connection of kind http that says where the API is and holds the "
            "credentials. Without one the call carries none.",
            examples=["billing-api"],
            extra_json_schema={"x-connection": "http"},
        ),
    ] = ""
    method: Annotated[
        Method,
        Meta(
            title="Method",
            description="GET, HEAD, PUT and DELETE may be sent again after a crash; POST and "
            "PATCH are not, unless the API knows a key.",
            examples=["GET", "POST"],
        ),
    ] = "GET"
    query: Annotated[
        dict[str, Scalar | list[Scalar]],
        Meta(
            title="Query",
            description="Parameters added to the URL, encoded. A list repeats its parameter, null "
            "leaves it out.",
            examples=[{"state": "active", "tag": ["a", "b"]}],
        ),
    ] = {}
    headers: Annotated[
        dict[str, Scalar],
        Meta(
            title="Headers",
            description="Headers of this call; null leaves one out. Credentials belong into a "
            "connection: what is written here is kept and shown.",
            examples=[{"Accept-Language": "en"}],
        ),
    ] = {}
    body: Annotated[
        Any,
        Meta(
            title="Body",
            description="What is sent. Null sends no body.",
            examples=[{"name": "web-1", "plan": "small"}],
        ),
    ] = None
    body_as: Annotated[
        BodyKind,
        Meta(
            title="Body as",
            description="How the body is written: json takes any value; form a map, whose maps "
            "become `a[b]`; xml a map of one root element, with `@attribute` and `#text`; text as "
            "it is. Form and xml take text that is written already, too.",
            examples=["json", "form"],
        ),
    ] = "json"
    read_as: Annotated[
        ReadAs,
        Meta(
            title="Read answer as",
            description="How the answer's body is read; auto goes by its content type. Some APIs "
            "send JSON and call it HTML.",
            examples=["auto", "json"],
        ),
    ] = "auto"
    success: Annotated[
        tuple[Status, ...],
        Meta(
            title="Success",
            description="Statuses that are no failure; `2xx` stands for all that begin with 2.",
            examples=[["2xx", 404]],
            min_length=1,
        ),
    ] = ("2xx",)
    timeout_s: Annotated[
        float,
        Meta(
            title="Time-out",
            description="How many seconds one call may take. A call that was sent and not "
            "answered by then may have been done.",
            examples=[30],
            gt=0,
            le=600,
        ),
    ] = 60.0

    def accepts(self, status: int) -> bool:
        """Say whether an answer of this status is a success."""
        wanted = self.success
        return f"{status // 100}xx" in wanted or status in wanted or str(status) in wanted


async def peer_of(step: Step, connection: str) -> HttpPeer | None:
    """Return the peer that a connection names; None without one."""
    if not connection:
        return None
    peer: HttpPeer = await step.tools.connections.get(step, connection, HttpPeer)
    return peer


def call_of(request: Request, *, key_header: str = "", key: str = "") -> Call:
    """Return the call; with `key_header`, the step's key goes along. Raises StepFailed."""
    headers = {"Accept": ACCEPT}
    body: bytes | None = None
    if request.body is not None:
        try:
            body = encode(request.body_as, request.body)
        except BadBody as error:
            raise StepFailed(f"the body cannot be written: {error}") from error
        headers["Content-Type"] = CONTENT_TYPES[request.body_as]
    if request.headers:
        headers = _merged(headers, request.headers)
    if key_header:
        headers[key_header] = key
    return Call(
        method=request.method,
        url=request.url,
        query=request.query,
        headers=headers,
        body=body,
        timeout_s=request.timeout_s,
    )


def _merged(headers: dict[str, str], given: Mapping[str, Scalar]) -> dict[str, str]:
    """Return the headers with those of the flow in place of ours, whatever their case."""
    names = {name.lower() for name in given}
    if refused := names & OURS:
        raise StepFailed(f"the header {min(refused)} is not a flow's to set; leave it out")
    kept = {name: value for name, value in headers.items() if name.lower() not in names}
    return kept | {name: words(value) for name, value in given.items() if value is not None}


def policy(method: str, *, key_header: str = "") -> Idempotency:
    """Return what may be done about a call that nobody knows to have happened."""
    return Idempotency.KEY if key_header or method in REPEATABLE else Idempotency.NONE


def said(request: Request) -> str:
    """Return `POST servers of billing-api` for a dry run, on one line."""
    where = f"{request.method} {request.url or '/'}"
    if request.connection:
        where += f" of {request.connection}"
    return " ".join(where.split())[:200]
