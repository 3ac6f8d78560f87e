"""action.http: call an API, and give its answer to the nodes that follow."""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from app.drivers.http.contract import ANSWER_LIMIT_BYTES, Call, HttpPeer
from app.drivers.http.target import same_origin
from app.flows.calls.answer import Output, output_of
from app.flows.calls.paging import Next, Page, Paging, first_page, next_link, next_page
from app.flows.calls.request import Request, call_of, peer_of, policy, said
from app.flows.doubt import Doubts
from app.flows.node import Done, Effect, Idempotency, NodeType, Step, StepFailed


class Params(Request, frozen=True, kw_only=True):
    """A call, what is kept of its answer, and how its pages are gone through."""

    idempotency_key: Annotated[
        str,
        Meta(
            title="Idempotency key in",
            description="The header in which the step's key is sent, where the API knows one: "
            "the same in every attempt, so that a POST may be repeated.",
            examples=["Idempotency-Key"],
            pattern=r"^[A-Za-z0-9-]*$",
        ),
    ] = ""
    keep: Annotated[
        str,
        Meta(
            title="Keep",
            description="An expression over `result` (status, headers, body) whose value is the "
            "output in place of the whole answer.",
            examples=["=result.body.id"],
            pattern=r"^=[^=]|^$",
        ),
    ] = ""
    paging: Annotated[
        Paging | None,
        Meta(
            title="Pages",
            description="How the API divides a list; its pages are fetched and their items put "
            "together.",
            examples=[{"by": "page", "size": 100, "size_parameter": "per_page"}],
        ),
    ] = None
    items: Annotated[
        str,
        Meta(
            title="Items",
            description="With pages: an expression over the `result` of one page that gives its "
            "list. The body itself when left out.",
            examples=["=result.body.data"],
            pattern=r"^=[^=]|^$",
        ),
    ] = ""
    cursor: Annotated[
        str,
        Meta(
            title="Cursor",
            description="With pages by cursor: an expression over the `result` of one page that "
            "gives the next page's cursor or address; null or empty text after the last.",
            examples=["=has(result.body.next) ? result.body.next : null"],
            pattern=r"^=[^=]|^$",
        ),
    ] = ""


class Listed(msgspec.Struct, frozen=True):
    """The output where pages were gone through; status and headers are the last page's."""

    status: Annotated[int, Meta(description="Of the last page.")]
    headers: Annotated[dict[str, str], Meta(description="Of the last page, by name in lower case.")]
    items: Annotated[list[Any], Meta(description="Those of all pages, in their order.")]
    pages: Annotated[int, Meta(description="How many were fetched.")]
    is_complete: Annotated[
        bool, Meta(description="False when there may be more pages than were wanted.")
    ]


async def do(step: Step, params: Params) -> Done:
    """Idempotent as its method is, or by the key that is sent along."""
    peer = await peer_of(step, params.connection)
    call = call_of(params, key_header=params.idempotency_key, key=step.key)
    result: Output | Listed
    if params.paging is None:
        result = await _ask(step, params, call, peer)
    else:
        result = await _all_pages(step, params, params.paging, call, peer)
    if params.keep:
        return Done(step.evaluate(params.keep, result=msgspec.structs.asdict(result)))
    return Done(result)


async def _ask(step: Step, params: Params, call: Call, peer: HttpPeer | None) -> Output:
    with Doubts():
        answer = await step.tools.peers.http.call(call, peer)
    return output_of(step, params, answer)


async def _all_pages(
    step: Step, params: Params, paging: Paging, call: Call, peer: HttpPeer | None
) -> Listed:
    """Fetch page after page. A retry begins with the first again: lists change meanwhile."""
    items: list[Any] = []
    seen: set[str] = set()
    bytes_left = ANSWER_LIMIT_BYTES
    wanted: Next | None = first_page(paging)
    number = 0
    while wanted is not None and number < paging.max:
        number += 1
        paged = _paged(call, wanted)
        with Doubts():
            answer = await step.tools.peers.http.call(paged, peer)
        output = output_of(step, params, answer)
        bytes_left -= len(answer.body)
        if bytes_left < 0:
            raise StepFailed(f"{number} pages have more than 5 MB; ask for less, or fewer pages")
        got = _items(step, params, output)
        items += got
        link = next_link(answer.headers.get("link", ""))
        page = Page(
            number=number,
            got=len(got),
            total=len(items),
            cursor=_cursor(step, params, output) if paging.by == "cursor" else None,
            link=str(answer.url.join(type(answer.url)(link))) if link else "",
        )
        wanted = _following(paging, page, seen)
        if wanted is not None and wanted.url:
            _require_same_origin(wanted.url, answer.url)
    return Listed(output.status, output.headers, items, number, wanted is None)


def _paged(call: Call, wanted: Next) -> Call:
    if wanted.url:
        return msgspec.structs.replace(call, url=wanted.url, query={})
    return msgspec.structs.replace(call, query={**call.query, **wanted.query})


def _items(step: Step, params: Params, output: Output) -> list[Any]:
    found = output.body
    if params.items:
        found = step.evaluate(params.items, result=msgspec.structs.asdict(output))
    if not isinstance(found, list):
        what = params.items or "the body"
        raise StepFailed(f"{what} is no list but {type(found).__name__}; set `items` to the list")
    return found


def _cursor(step: Step, params: Params, output: Output) -> Any:
    if not params.cursor:
        raise StepFailed("pages by cursor need `cursor`, which says what the next one is")
    return step.evaluate(params.cursor, result=msgspec.structs.asdict(output))


def _following(paging: Paging, page: Page, seen: set[str]) -> Next | None:
    try:
        wanted = next_page(paging, page)
    except ValueError as error:
        raise StepFailed(str(error)) from error
    place = repr(wanted)
    if wanted is not None and place in seen:
        raise StepFailed(f"page {page.number} leads back to one that was fetched already")
    seen.add(place)
    return wanted


def _require_same_origin(url: str, here: Any) -> None:
    """Keep headers that the flow's author wrote from another host's ears."""
    if not same_origin(type(here)(url), here):
        raise StepFailed(f"the next page is at another host, {url[:200]}; it is not followed")


def idempotency_of(params: Params) -> Idempotency:
    return policy(params.method, key_header=params.idempotency_key)


def says(params: Params) -> str:
    pages = f", up to {params.paging.max} pages" if params.paging else ""
    return f"Calls {said(params)}{pages}"


def schema_of(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the output's schema; what `keep` makes of it may be anything."""
    if params.get("keep"):
        return {}
    return msgspec.json.schema(Listed if params.get("paging") else Output)


node = NodeType(
    name="action.http",
    title="HTTP call",
    summary="Calls an API over HTTP and gives its answer to the nodes that follow.",
    params=Params,
    effect=Effect.OUTSIDE,
    do=do,
    output_of=schema_of,
    lazy=frozenset({"keep", "items", "cursor"}),
    idempotency_of=idempotency_of,
    says=says,
    docs="""
Calls an API. Where it is and how it knows us belong into a **connection**, which the call names;
its credentials are in no flow, no run and no log. The `url` is then a path below the connection's
base URL. Without a connection it is a whole address, and no credentials are sent.

```json
{
  "connection": "vps-api",
  "method": "POST",
  "url": "servers",
  "body": {"name": "${input.hostname}", "plan": "=input.plan"},
  "idempotency_key": "Idempotency-Key",
  "keep": "=result.body.id"
}
```

The output is the answer's `status`, `headers` (names in lower case) and `body`: a value for JSON,
XML and forms, text for text, base64 for anything else, up to 5 MB. `keep` picks what is needed.

**Lists** that come in pages are fetched whole with `paging`; the output then has all `items`:

```json
{
  "connection": "vps-api",
  "url": "servers",
  "paging": {"by": "page", "size": 100, "size_parameter": "per_page"},
  "items": "=result.body.data"
}
```

**Failures.** Statuses that `success` does not name fail the step with the API's own words. 408,
425, 429, 5xx and broken connections are transient: the node's retry policy tries them again. Where
a call was sent and nobody knows whether it was done, GET, HEAD, PUT and DELETE are sent again, a
POST or PATCH is not, unless `idempotency_key` names the header by which the API recognises it: the
run halts for a person. Addresses inside the provider's own networks are called only if the setting
`SLIPWAY_EGRESS_ALLOW` names them.
""",
)
