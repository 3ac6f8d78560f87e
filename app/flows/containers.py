"""Containers: a node whose body runs in a scope of its own, once per iteration.

The scope of iteration 2 of the container `n4` at the top is `/n4:2`; inside it another
container `n7` makes `/n4:2/n7:1`. An iteration ends when no token is left in its scope.
"""

from typing import Any
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.errors import Refusal
from app.flows import journal
from app.flows.document import Document
from app.flows.expressions import evaluate, is_expression, references
from app.flows.journal import TokenView
from app.flows.node import Done, StepFailed


class Stuck(msgspec.Struct, frozen=True):
    """A container that cannot tell whether to go on; what its body did stays done."""

    token: TokenView
    error: str


def inner(scope: str, node: str, count: int) -> str:
    return f"{scope.rstrip('/')}/{node}:{count}"


def parse_scope(scope: str) -> tuple[str, str, int] | None:
    """Return (outer scope, container node, count) of a body scope; None at the top."""
    if scope == "/":
        return None
    outer, _, last = scope.rpartition("/")
    node, _, count = last.partition(":")
    return outer or "/", node, int(count)


def count_of(scope: str) -> int:
    """Return the iteration that a scope is in; 0 at the top."""
    parsed = parse_scope(scope)
    return parsed[2] if parsed else 0


def _chain(scope: str) -> list[str]:
    """Return the scope and those around it, innermost first."""
    chain = [scope]
    while (parsed := parse_scope(chain[-1])) is not None:
        chain.append(parsed[0])
    return chain


async def outputs(tx: Tx, run: UUID, scope: str, nodes: frozenset[str]) -> dict[str, Any]:
    """Return the outputs of finished `nodes` as seen from `scope`: the innermost one wins.

    Loads only what is referred to; the cost does not grow with the run's length.
    """
    if not nodes:
        return {}
    chain = _chain(scope)
    rows = await tx.fetch(
        "SELECT DISTINCT ON (node) node, output FROM step_attempt "
        "WHERE run = $1 AND node = ANY($2) AND scope = ANY($3) AND status = 'succeeded' "
        "ORDER BY node, array_position($3, scope), attempt DESC",
        run,
        sorted(nodes),
        chain,
    )
    return {row["node"]: msgspec.json.decode(row["output"]) for row in rows}


async def enter(tx: Tx, run: UUID, document: Document, token: TokenView, *, count: int) -> None:
    """Begin an iteration of the container at `token`."""
    await tx.execute(
        "UPDATE token SET state = 'inside', wake_at = NULL, memo = $2 WHERE id = $1",
        token.id,
        journal.to_json({"iteration": count}),
    )
    scope = inner(token.scope, token.node, count)
    await journal.place(tx, run, document.targets(token.node, "each"), scope)
    await journal.add_event(tx, run, "iteration", token, count=count)


async def leave_if_drained(
    tx: Tx, run: UUID, document: Document, given: dict[str, Any], scope: str
) -> Stuck | None:
    """When nothing is left in `scope`, end its iteration: again, done or exhausted.

    Returns the container whose condition is wrong; the caller decides what becomes of it.
    """
    parsed = parse_scope(scope)
    if parsed is None:
        return None
    left = await tx.fetchval(
        "SELECT 1 FROM token WHERE run = $1 AND (scope = $2 OR starts_with(scope, $2 || '/')) "
        "LIMIT 1",
        run,
        scope,
    )
    if left is not None:
        return None
    outer, node, count = parsed
    token = next(
        token
        for token in await journal.tokens_of(tx, run)
        if token.scope == outer and token.node == node
    )
    params = document.nodes[node].params
    try:
        is_done = await _is_done(tx, run, given, scope, params["until"])
    except (StepFailed, Refusal) as error:
        return Stuck(token, error.message)
    if is_done:
        port = "done"
    elif count >= int(params["max"]):
        port = "exhausted"
    else:
        await enter(tx, run, document, token, count=count + 1)
        return None
    last = await outputs(tx, run, scope, frozenset(_body(document, node)))
    await journal.keep_done(tx, run, token, Done({"count": count, "last": last}, port))
    await journal.move(tx, run, token, document.targets(node, port), outer)
    return await leave_if_drained(tx, run, document, given, outer)


async def _is_done(tx: Tx, run: UUID, given: dict[str, Any], scope: str, until: Any) -> bool:
    if not is_expression(until):
        raise StepFailed("`until` must be an expression, such as =has(steps.install)")
    seen = await outputs(tx, run, scope, references(until))
    result = evaluate(
        until[1:].strip(), {"input": given, "steps": seen, "iteration": {"count": count_of(scope)}}
    )
    if not isinstance(result, bool):
        raise StepFailed(f"`until` must be true or false, it is {result!r}")
    return result


def _body(document: Document, container: str) -> list[str]:
    return [name for name, spec in document.nodes.items() if spec.within == container]
