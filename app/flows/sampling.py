"""What the expressions of a node would see in a run, for previews: pinned, recorded or made up."""

import contextlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from app.flows.document import Document
from app.flows.expressions import BadExpression, resolve
from app.flows.infer import type_in
from app.flows.order import in_order
from app.flows.registry import UnknownNodeType, node_type
from app.flows.shapes import inlined_schema
from app.flows.sight import LOOP, SETS_VARIABLES, Sight, containers_of, sight_of
from app.flows.standins import Origin, StandIn, brought_by, made_for, stand_in


class Sample(msgspec.Struct, frozen=True):
    """A scope to preview expressions in. `made` are the names and steps that were made up."""

    scope: Mapping[str, Any]
    made: frozenset[str]


def sample_scope(
    document: Document,
    node: str,
    *,
    now: datetime,
    parameter: str = "",
    pinned: Mapping[str, Any] | None = None,
    recorded: Mapping[str, Any] | None = None,
    seed: str = "",
) -> Sample:
    """Return a scope as a run may have it at `node`: pure, the same for the same arguments.

    `pinned` and `recorded` are outputs by node, and the run's input under `input`. Variables and
    the item of a loop follow from the parameters that set them, where these can be evaluated.
    """
    given = {**(recorded or {}), **(pinned or {})}
    sight = sight_of(document, node, parameter=parameter, samples=given, type_of=type_in)
    scope: dict[str, Any] = {"input": given.get("input"), "steps": {}, "vars": {}, "now": now}
    made: set[str] = set()
    if "input" not in given:
        scope["input"] = _input(document, pinned, seed)
        made.add("input")
    scope["run"] = {"id": made_for(_UUID, seed=f"{seed}/run"), "flow": document.flow, "version": 1}
    for name in in_order(document):
        if name not in sight.steps:
            continue
        found = _stand_in(document, name, pinned, recorded, seed)
        scope["steps"][name] = found.output
        if found.origin not in (Origin.PINNED, Origin.RECORDED):
            made.add(name)
        if document.nodes[name].type == SETS_VARIABLES:
            scope["vars"] |= _variables(document.nodes[name].params, scope)
    if "item" in sight.names:
        scope |= {"item": _item(document, node, sight, scope, seed), "index": 0}
    if "iteration" in sight.names:
        scope["iteration"] = {"count": 1}
    if "error" in sight.names:
        scope["error"] = {"node": _failed(document, node), "message": "no answer within 5m",
                          "kind": "timeout"}  # fmt: skip
        made.add("error")
    if "result" in sight.names:
        found = _stand_in(document, node, pinned, recorded, seed)
        scope |= {"result": found.output, "items": []}
        made.add("result")
    return Sample(scope, frozenset(made))


_UUID = {"type": "string", "format": "uuid"}


def _input(document: Document, pinned: Mapping[str, Any] | None, seed: str) -> Any:
    """Return an input as the flow's trigger brings it, and as its schema asks for it."""
    brought: dict[str, Any] = {}
    for name, spec in document.nodes.items():
        with contextlib.suppress(UnknownNodeType):
            brought |= brought_by(
                name, spec, node_type(spec.type, spec.v), seed=seed, pinned=pinned
            )
    made = made_for(document.inputs, seed=f"{seed}/input")
    return brought | made if isinstance(made, dict) else brought


def _stand_in(
    document: Document,
    name: str,
    pinned: Mapping[str, Any] | None,
    recorded: Mapping[str, Any] | None,
    seed: str,
) -> StandIn:
    spec = document.nodes[name]
    try:
        kind = node_type(spec.type, spec.v)
    except UnknownNodeType:
        kind = None
    return stand_in(name, spec, kind, seed=seed, pinned=pinned, recorded=recorded)


def _variables(params: Mapping[str, Any], scope: Mapping[str, Any]) -> dict[str, Any]:
    written = params.get("variables")
    found: dict[str, Any] = {}
    for name, value in written.items() if isinstance(written, dict) else ():
        try:
            found[name] = resolve(value, scope)
        except BadExpression:
            found[name] = None
    return found


def _item(document: Document, node: str, sight: Sight, scope: Mapping[str, Any], seed: str) -> Any:
    """Return the first item of the loop around a node; one of its type where there is none."""
    around = [node, *containers_of(document, node)]
    loop = next(name for name in around if document.nodes[name].type == LOOP)
    try:
        items = resolve(document.nodes[loop].params.get("items"), scope)
    except BadExpression:
        items = None
    if isinstance(items, list) and items:
        return items[0]
    return made_for(inlined_schema(sight.names["item"]), seed=f"{seed}/item")


def _failed(document: Document, node: str) -> str:
    """Return a node whose error port leads to `node`, right away or further back."""
    ends = {end.partition(".")[0]: start for start, end in document.edges if ".error" in start}
    return ends.get(node, next(iter(ends.values()), "")).partition(".")[0]
