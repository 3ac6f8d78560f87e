"""Completion and preview of an expression in a draft, against the sample data pinned to it."""

import re
from collections.abc import Mapping

import msgspec

from app.flows.drafts.ports import title, type_of
from app.flows.drafts.sheet import Sheet, source_of, target_of
from app.flows.expressions import BadExpression, evaluate
from app.flows.node import NodeType

MOST = 12
LONGEST_PREVIEW = 400
_TAIL = re.compile(r"[A-Za-z_][\w.]*$|[A-Za-z_][\w.]*\.$")
_ROOTS = {
    "input": "what the run was given",
    "steps": "outputs of the nodes before",
    "vars": "variables of the run",
    "item": "the item at hand, inside “each”",
    "index": "its number, from 0",
    "iteration": "the loop: iteration.count",
    "error": "on an error branch: node, message, kind",
    "run": "the run: id, flow, version",
    "now": "the time",
}


class Offer(msgspec.Struct, frozen=True):
    """What may be written between `start` and `end` of the text."""

    insert: str
    start: int
    end: int
    says: str


class Aid(msgspec.Struct, frozen=True):
    """What may follow at the cursor; what the expression comes to, or why it cannot."""

    offers: tuple[Offer, ...]
    value: str = ""
    problem: str = ""
    is_sampled: bool = False
    """All the outputs that it needs are pinned."""


def aid_with(sheet: Sheet, node: str, param: str, text: str, cursor: int) -> Aid:  # noqa: ARG001 - what a parameter takes may come to matter
    """Return aid for the expression `text` of a node's parameter, with the cursor in it."""
    offers = _offers(sheet, node, text, cursor)
    if not text.strip():
        return Aid(offers)
    scope = {"input": sheet.pins.get("input", {}), "steps": dict(sheet.pins)}
    try:
        value = evaluate(text, scope)
    except BadExpression as error:
        reason = error.reason.strip().splitlines()[0][:LONGEST_PREVIEW] if error.reason else ""
        return Aid(offers, problem=reason)
    shown = msgspec.json.encode(value, enc_hook=str).decode()
    return Aid(offers, value=shown[:LONGEST_PREVIEW], is_sampled=True)


def _offers(sheet: Sheet, node: str, text: str, cursor: int) -> tuple[Offer, ...]:
    found = _TAIL.search(text[:cursor])
    path = found[0] if found else ""
    start = cursor - len(path)
    head, _, last = path.rpartition(".")
    names = _names(sheet, node, head)
    fitting = [name for name in names if name.startswith(last) and name != last]
    return tuple(
        Offer(name, start + len(head) + bool(head), cursor, names[name]) for name in fitting[:MOST]
    )


def _names(sheet: Sheet, node: str, head: str) -> Mapping[str, str]:
    """Return what may stand behind `head.`, and what each is."""
    if not head:
        return _ROOTS
    if head == "steps":
        return {other: title(sheet, other) for other in _before(sheet, node)}
    if head == "input":
        return dict.fromkeys(sheet.document.inputs.get("properties", {}), "input of the flow")
    root, _, rest = head.partition(".")
    if root != "steps":
        return {}
    other, _, deeper = rest.partition(".")
    value = sheet.pins.get(other)
    for key in filter(None, deeper.split(".")):
        value = value.get(key) if isinstance(value, Mapping) else None
    if isinstance(value, Mapping):
        return {key: msgspec.json.encode(part).decode()[:40] for key, part in value.items()}
    if deeper or other not in sheet.nodes:
        return {}
    return dict.fromkeys(_outputs(type_of(sheet, other)), "output")


def _outputs(kind: NodeType | None) -> tuple[str, ...]:
    if kind is None or kind.output is None:
        return ()
    return tuple(field.encode_name for field in msgspec.structs.fields(kind.output))


def _before(sheet: Sheet, node: str) -> list[str]:
    """Return the nodes that are done before `node`, the nearest first."""
    lead: dict[str, list[str]] = {}
    for edge in sheet.document.edges:
        lead.setdefault(target_of(edge), []).append(source_of(edge))
    seen: list[str] = []
    open_ = [node]
    while open_:
        for other in lead.get(open_.pop(0), ()):
            if other not in seen and other != node:
                seen.append(other)
                open_.append(other)
    return seen
