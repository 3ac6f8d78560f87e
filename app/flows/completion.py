"""Help while an expression is written: what may stand at the cursor, and what a word means.

Everything is made from the node types' schemas, from the table of functions and from samples;
nothing is evaluated.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import msgspec

from app.flows.cursor import Place, place_at, region_at
from app.flows.document import Document
from app.flows.expressions import BadExpression
from app.flows.expressions.errors import dotted
from app.flows.expressions.functions import FUNCTIONS, Function
from app.flows.expressions.language import parse
from app.flows.expressions.names import NAMES
from app.flows.expressions.tokens import Kind, words
from app.flows.infer import shape_in, type_in
from app.flows.shapes import Shape
from app.flows.sight import Sight, sight_of

MOST = 50
MACROS: dict[str, tuple[str, str, str]] = {
    "all": ("list.all(x, condition) -> bool", "all(x, ", "Whether it holds for every item."),
    "exists": ("list.exists(x, condition) -> bool", "exists(x, ", "Whether it holds for any item."),
    "exists_one": (
        "list.exists_one(x, condition) -> bool",
        "exists_one(x, ",
        "Whether it holds for one item exactly.",
    ),
    "map": ("list.map(x, value) -> list", "map(x, ", "What each item becomes."),
    "filter": ("list.filter(x, condition) -> list", "filter(x, ", "The items for which it holds."),
}
"""Macros of lists and maps: signature, what is inserted, documentation."""
GLOBAL_MACROS: dict[str, tuple[str, str, str]] = {
    "has": ("has(map.key) -> bool", "has(", "Whether a key is there, and all on the way to it."),
    "cel.bind": ("cel.bind(x, value, result)", "cel.bind(x, ", "Names a value for a result."),
}
_CONSTANTS = {"true": "bool", "false": "bool", "null": "null"}
_PARTS = re.compile(r"[._-]")
_RANKS = ("step", "field", "key", "variable", "name", "method", "function", "macro", "word")


class Suggestion(msgspec.Struct, frozen=True):
    """What may be written in place of `start` to `end` of the text."""

    label: str
    insert: str
    start: int
    end: int
    kind: str
    """`step`, `field`, `key`, `name`, `variable`, `method`, `function`, `macro` or `word`."""
    type: str
    """The type of a value, the signature of a function."""
    doc: str = ""
    source: str = ""
    """Where a value comes from: the step as the flow calls it."""


class Hover(msgspec.Struct, frozen=True):
    """What the word from `start` to `end` of the text means."""

    start: int
    end: int
    title: str
    type: str
    doc: str = ""
    source: str = ""


def complete(
    document: Document,
    node: str,
    parameter: str,
    text: str,
    cursor: int,
    *,
    samples: Mapping[str, Any] | None = None,
) -> tuple[Suggestion, ...]:
    """Return what may stand at the cursor in a parameter's text, the best first; 50 at most.

    The text is the whole value, `=…` or with `${…}` in it; outside of an expression there is
    nothing to suggest. `samples` are outputs by node, and the run's input under `input`. Takes
    one to ten milliseconds for flows of 10 to 500 nodes.
    """
    region = region_at(text, cursor)
    if region is None:
        return ()
    source = text[region.start : region.end]
    place = place_at(source, cursor - region.start)
    if place is None:
        return ()
    sight = sight_of(document, node, parameter=parameter, samples=samples, type_of=type_in)
    found = [one for one in _offers(sight, place) if _rank(place.partial, one.label) is not None]
    found.sort(key=lambda one: (_rank(place.partial, one.label), _RANKS.index(one.kind)))
    return tuple(
        msgspec.structs.replace(one, start=one.start + region.start, end=one.end + region.start)
        for one in found[:MOST]
    )


def explain(
    document: Document,
    node: str,
    parameter: str,
    text: str,
    at: int,
    *,
    samples: Mapping[str, Any] | None = None,
) -> Hover | None:
    """Return what the word at `at` means; None where there is nothing to say."""
    region = region_at(text, max(at, 1))
    if region is None:
        return None
    source = text[region.start : region.end]
    inside = at - region.start
    word = next(
        (one for one in words(source) if one.start <= inside < one.end and one.kind is Kind.NAME),
        None,
    )
    if word is None:
        return None
    place = place_at(source, word.end)
    if place is None:
        return None
    sight = sight_of(document, node, parameter=parameter, samples=samples, type_of=type_in)
    is_call = source[word.end :].lstrip().startswith("(")
    for one in _offers(sight, place):
        called = one.kind in ("method", "function", "macro")
        if one.label.rpartition(".")[2] == word.text and called == is_call:
            return Hover(
                word.start + region.start,
                word.end + region.start,
                one.label,
                one.type,
                one.doc,
                one.source,
            )
    return None


def _offers(sight: Sight, place: Place) -> Iterator[Suggestion]:
    """Yield everything that may stand at a place, whatever is written of it already."""
    seen = _with_variables(sight, place)
    if place.operand is None:
        yield from _globals(seen, place)
        return
    spaces = {name.partition(".")[0] for name in FUNCTIONS if "." in name}
    if place.operand in spaces and place.operand not in seen.names and place.quote is None:
        for function in FUNCTIONS.values():
            before, _, name = function.name.partition(".")
            if before == place.operand and name:
                yield _function(function, place, name, "function")
        return
    shape = _shape(place.operand, seen)
    yield from _fields(seen, place, shape)
    if place.quote is None and place.operand not in ("steps", "vars"):
        yield from _methods(place, shape.kind)


def _fields(sight: Sight, place: Place, shape: Shape) -> Iterator[Suggestion]:
    kind = {"steps": "step", "vars": "variable"}.get(place.operand or "", "field")
    for name, field in shape.fields().items():
        start, insert = place.start, name
        if place.quote is not None:
            quote = place.quote or "'"
            kind, insert = "key", f"{quote}{name}{quote}]"
        elif not dotted(name).startswith("."):
            start, insert = place.dot, dotted(name)
        origin = sight.origins.get(name, "") if place.operand == "steps" else _origin(sight, place)
        yield Suggestion(
            name, insert, start, place.end, kind, field.text, field.description, origin
        )


def _origin(sight: Sight, place: Place) -> str:
    """Return the step that a path such as `steps.server.disks` begins with."""
    found = words(place.operand or "")
    if len(found) > 2 and found[0].text == "steps":
        return sight.origins.get(found[2].text.strip("'\"`"), "")
    return ""


def _methods(place: Place, kind: str) -> Iterator[Suggestion]:
    for function in FUNCTIONS.values():
        if any(one.is_method and kind in (one.params[0], "dyn") for one in function.signatures):
            yield _function(function, place, function.name, "method")
    if kind in ("list", "map", "dyn"):
        for name, (signature, insert, doc) in MACROS.items():
            yield Suggestion(name, insert, place.start, place.end, "macro", signature, doc)


def _globals(sight: Sight, place: Place) -> Iterator[Suggestion]:
    for name, shape in sight.names.items():
        doc = shape.description or (NAMES[name].doc if name in NAMES else "")
        kind = shape.text if name not in NAMES or NAMES[name].type == "dyn" else NAMES[name].type
        yield Suggestion(name, name, place.start, place.end, "name", kind, doc)
    for function in FUNCTIONS.values():
        if not function.signatures[0].is_method:
            yield _function(function, place, function.name, "function")
    for name, (signature, insert, doc) in GLOBAL_MACROS.items():
        yield Suggestion(name, insert, place.start, place.end, "macro", signature, doc)
    for name, kind in _CONSTANTS.items():
        yield Suggestion(name, name, place.start, place.end, "word", kind)


def _function(function: Function, place: Place, name: str, kind: str) -> Suggestion:
    has_arguments = any(len(one.params) > one.is_method for one in function.signatures)
    return Suggestion(
        function.name,
        f"{name}(" if has_arguments else f"{name}()",
        place.start,
        place.end,
        kind,
        "\n".join(one.text for one in function.signatures),
        function.doc,
    )


def _with_variables(sight: Sight, place: Place) -> Sight:
    """Return the sight with the variables of the macros around the place."""
    for name, over in place.bound.items():
        whole = _shape(over, sight)
        item = Shape({"type": "string"}) if whole.kind == "map" else whole.item()
        sight = _seeing(sight, name, item, "The item of this round.")
    for name, value in place.named.items():
        sight = _seeing(sight, name, _shape(value, sight), "Named by cel.bind.")
    return sight


def _seeing(sight: Sight, name: str, shape: Shape, doc: str) -> Sight:
    return Sight({**sight.names, name: replace(shape, doc=doc)}, sight.origins)


def _shape(source: str, sight: Sight) -> Shape:
    """Return what is known of a value, from its source."""
    source = source.strip()
    if source in sight.names:  # `steps` alone is no expression, but it has fields
        return sight.names[source]
    try:
        return shape_in(parse(source, sight.names), sight)
    except BadExpression:
        return Shape()


def _rank(partial: str, label: str) -> int | None:
    """Return how well a label fits what is written: 0 the best, None not at all."""
    written, name = partial.lower(), label.lower()
    if name.startswith(written):
        return int(name != written)
    if any(
        part.startswith(written) for part in name.replace("-", "_").replace(".", "_").split("_")
    ):
        return 2
    if written in name:
        return 3
    letters = iter(name)
    return 4 if len(written) > 1 and all(letter in letters for letter in written) else None
