"""logic.poll_until: ask an API again and again until its answer says what is waited for."""

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from app.drivers.errors import Retriable
from app.flows.calls.answer import Output, output_of, retry_after
from app.flows.calls.request import Request, call_of, peer_of, said
from app.flows.document import duration
from app.flows.node import Done, Effect, NodeType, Step, StepFailed, Wait

LEAST = timedelta(seconds=1)
LONGEST_SAYS_CHARS = 300


class Params(Request, frozen=True, kw_only=True):
    """A call, how often it is made, and what ends it."""

    method: Annotated[
        Literal["GET", "HEAD", "POST"],
        Meta(
            title="Method",
            description="GET as a rule. A POST must only ask: it is sent again and again.",
            examples=["GET"],
        ),
    ] = "GET"
    until: Annotated[
        str,
        Meta(
            title="Until",
            description="An expression over `result` (status, headers, body) of the latest "
            "answer; the node is left by `out` once it is true.",
            examples=['=result.body.status == "running"'],
            pattern=r"^=[^=]",
        ),
    ]
    every: Annotated[
        str,
        Meta(
            title="Every",
            description="How long it waits between two calls: a second or more.",
            examples=["10s", "5m"],
        ),
    ] = "10s"
    max: Annotated[
        str,
        Meta(
            title="At most",
            description="How long it goes on; then the node is left by `timeout`.",
            examples=["20m", "1d"],
        ),
    ] = "20m"


class Polled(msgspec.Struct, frozen=True):
    """The last answer."""

    status: Annotated[int, Meta(description="Its HTTP status; 0 when the last call had none.")]
    headers: Annotated[dict[str, str], Meta(description="By name in lower case.")]
    body: Annotated[Any, Meta(description="Its value, as an HTTP call gives it.")]
    polls: Annotated[int, Meta(description="How many calls were made.")]
    error: Annotated[str, Meta(description="Why the last call failed; empty when it did not.")]


async def do(step: Step, params: Params) -> Done | Wait:
    """Make one call, and wait for the next as a row in the database. Asking changes nothing.

    A call that fails for the moment (no connection, 429, 5xx) is one that did not say yes: the
    next is made all the same, and its error is told when time is up.
    """
    every, longest = duration(params.every), duration(params.max)
    if every < LEAST:
        raise StepFailed(f"every {params.every} is too often; wait a second or more")
    since = datetime.fromisoformat(step.memo.get("since", step.now.isoformat()))
    polls = step.memo.get("polls", 0) + 1
    output, error, pause = await _ask(step, params)
    if output is not None and _is_reached(step, params, output):
        return Done(_polled(output, polls, ""))
    ends = since + longest
    if step.now >= ends:
        return Done(_polled(output, polls, error), "timeout")
    return Wait(
        until=min(step.now + max(every, pause), ends),
        memo={"since": since.isoformat(), "polls": polls},
        says=error[:LONGEST_SAYS_CHARS] or f"asked {polls} times, not yet",
    )


async def _ask(step: Step, params: Params) -> tuple[Output | None, str, timedelta]:
    """Return the answer, or why there is none just now and how long to leave the API alone."""
    peer = await peer_of(step, params.connection)
    try:
        answer = await step.tools.peers.http.call(call_of(params), peer)
    except Retriable as error:
        return None, str(error), timedelta()
    try:
        return output_of(step, params, answer), "", timedelta()
    except StepFailed as error:
        if not error.transient:
            raise
        return None, error.message, retry_after(answer, step.now) or timedelta()


def _is_reached(step: Step, params: Params, output: Output) -> bool:
    found = step.evaluate(params.until, result=msgspec.structs.asdict(output))
    if not isinstance(found, bool):
        raise StepFailed(f"until gives {found!r:.80}, which is neither true nor false")
    return found


def _polled(output: Output | None, polls: int, error: str) -> Polled:
    if output is None:
        return Polled(0, {}, None, polls, error)
    return Polled(output.status, output.headers, output.body, polls, error)


def says(params: Params) -> str:
    return f"Asks {said(params)} every {params.every}, for {params.max} at most"


node = NodeType(
    name="logic.poll_until",
    title="Poll until",
    summary="Asks an API again and again until its answer says what is waited for.",
    params=Params,
    effect=Effect.OUTSIDE,
    do=do,
    ports=("out", "timeout"),
    output=Polled,
    lazy=frozenset({"until"}),
    says=says,
    docs="""
Makes the same call again and again until the expression `until` is true of its answer: for APIs
that begin a task and tell of its end only when they are asked. Between two calls the run is a row
in the database; it holds no connection and no worker.

```json
{
  "connection": "vps-api",
  "url": "tasks/${steps.create.task}",
  "until": "=result.body.state == \\"finished\\"",
  "every": "5s",
  "max": "15m"
}
```

It is left by `out` with the answer that said yes, and by `timeout` with the last one when `max` is
over. A call that fails for the moment is made again at the next turn; one that is refused (404, a
wrong password) fails the step, unless `success` names its status. A task that can fail has two
ends: let `until` be true of both, and ask which it was in a `logic.if` behind this node.
""",
)
