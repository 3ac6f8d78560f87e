"""Parameters with expressions in them: planned once, then filled in.

A value that starts with `=` is an expression; `==` starts a literal `=`; any other text may have
`${…}` in it. A plan knows the leaves that are expressions: a tree of literals costs nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

from app.flows.expressions.errors import BadExpression, dotted
from app.flows.expressions.language import names_of
from app.flows.expressions.meter import MAX_TEXT_CHARS
from app.flows.expressions.program import check, program, program_for
from app.flows.expressions.template import Part, has_parts, parts
from app.flows.expressions.tokens import Kind, string_value, words
from app.flows.expressions.values import text_of

Fill: TypeAlias = Callable[[Mapping[str, Any]], Any]


@dataclass(frozen=True, slots=True)
class Plan:
    """A tree of parameters made ready.

    What it resolves to shares with `value` all that has no expression in it: change nothing in it.
    """

    value: Any
    fill: Fill | None
    """None where nothing is to be filled in."""
    sources: tuple[str, ...]
    references: frozenset[str]
    """The ids of the nodes whose outputs it needs."""
    names: frozenset[str]
    """The names that it reads, such as `input` and `item`."""

    def resolve(self, scope: Mapping[str, Any]) -> Any:
        """Return the value with every expression evaluated. Raises `BadExpression` with where."""
        return self.value if self.fill is None else self.fill(scope)


def plan(value: Any) -> Plan:
    """Return the plan of a tree of parameters, to be kept as long as the tree is.

    Raises nothing: what is wrong with an expression is said when it is evaluated, and by `check`.
    """
    sources = sources_of(value)
    return Plan(value, _plan(value, ""), tuple(sources), references(value), names_in(value))


def resolve(value: Any, scope: Mapping[str, Any]) -> Any:
    """Return `value` with every expression in it evaluated, through lists and maps.

    Raises `BadExpression`. Where the same tree is resolved again and again, keep its `plan`.
    """
    try:
        return _resolved(value, scope)
    except BadExpression:
        fill = _plan(value, "")
        # The plan knows where in the tree it is, and says so.
        return value if fill is None else fill(scope)


def _resolved(value: Any, scope: Mapping[str, Any]) -> Any:
    if isinstance(value, str):
        fill = _leaf(value)
        return value if fill is None else fill(scope)
    if isinstance(value, dict):
        return {key: _resolved(part, scope) for key, part in value.items()}
    if isinstance(value, list):
        return [_resolved(part, scope) for part in value]
    return value


def _plan(value: Any, where: str) -> Fill | None:
    if isinstance(value, str):
        return _named(_leaf(value), where)
    if isinstance(value, dict):
        fills = {
            key: fill
            for key, part in value.items()
            if (fill := _plan(part, _below(where, key))) is not None
        }
        return _filled_map(value, fills) if fills else None
    if isinstance(value, list):
        items = [_plan(part, f"{where}[{at}]") for at, part in enumerate(value)]
        return _filled_list(value, items) if any(items) else None
    return None


def _below(where: str, key: Any) -> str:
    step = dotted(str(key))
    return where + step if where else step.removeprefix(".")


def _filled_map(value: dict[str, Any], fills: dict[str, Fill]) -> Fill:
    def fill(scope: Mapping[str, Any]) -> dict[str, Any]:
        # A copy keeps the order of the keys.
        made = value.copy()
        for key, part in fills.items():
            made[key] = part(scope)
        return made

    return fill


def _filled_list(value: list[Any], items: list[Fill | None]) -> Fill:
    pairs = tuple(zip(value, items, strict=True))

    def fill(scope: Mapping[str, Any]) -> list[Any]:
        return [part if item is None else item(scope) for part, item in pairs]

    return fill


def _named(fill: Fill | None, where: str) -> Fill | None:
    if fill is None or not where:
        return fill

    def named(scope: Mapping[str, Any]) -> Any:
        try:
            return fill(scope)
        except BadExpression as error:
            raise error.within(where) from error

    return named


@lru_cache(maxsize=8_192)
def _leaf(text: str) -> Fill | None:
    """Return what fills in a text; None when it stands for itself."""
    if text.startswith("=="):
        literal = text[1:]
        return lambda _: literal
    if text.startswith("="):
        return _expression(text[1:].strip())
    return _template(text) if has_parts(text) else None


def _expression(source: str) -> Fill:
    try:
        ready = program(source)
    except BadExpression:
        # It may be right with names that only its scope has.
        return lambda scope: program_for(source, scope).evaluate(scope)
    return ready.evaluate


def _template(text: str) -> Fill:
    try:
        pieces = parts(text)
    except BadExpression as error:
        return _raising(error)
    fills: list[str | Fill] = [
        _expression(one.text) if one.is_source else one.text for one in pieces
    ]

    def fill(scope: Mapping[str, Any]) -> str:
        made = "".join(
            piece if isinstance(piece, str) else text_of(piece(scope)) for piece in fills
        )
        if len(made) > MAX_TEXT_CHARS:
            raise BadExpression(text, f"it makes a text of more than {MAX_TEXT_CHARS:,} characters")
        return made

    return fill


def _raising(error: BadExpression) -> Fill:
    def fill(_: Mapping[str, Any]) -> Any:
        raise BadExpression(error.source, error.reason, at=error.at)

    return fill


def is_expression(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("=") and not value.startswith("==")


def sources_of(value: Any) -> list[str]:
    """Return every expression inside `value`, for checking and for finding references.

    A text whose `${` is never closed gives what follows, which `check` refuses.
    """
    return [source for _, source, _ in found_in(value)]


def found_in(value: Any, where: str = "") -> list[tuple[str, str, int]]:
    """Return (place in the parameters, source, its offset in the text) of each expression."""
    if isinstance(value, dict):
        return [one for key, part in value.items() for one in found_in(part, _below(where, key))]
    if isinstance(value, list):
        return [one for at, part in enumerate(value) for one in found_in(part, f"{where}[{at}]")]
    if not isinstance(value, str) or value.startswith("=="):
        return []
    if value.startswith("="):
        source = value[1:].strip()
        return [(where, source, value.find(source, 1) if source else 1)]
    return [(where, part.text, part.start) for part in _parts(value) if part.is_source]


def _parts(text: str) -> tuple[Part, ...]:
    if not has_parts(text):
        return ()
    try:
        return parts(text)
    except BadExpression as error:
        start = error.at or 0
        opening = text.rfind("${", 0, start + 2)
        return (Part(text[opening:], is_source=True, start=opening),)


def problems_in(value: Any, more: frozenset[str] = frozenset()) -> list[BadExpression]:
    """Return what is wrong with the expressions inside `value`, each with its `where`."""
    found: list[BadExpression] = []
    for where, source, _ in found_in(value):
        try:
            check(source, more)
        except BadExpression as error:
            found.append(error.within(where))
    return found


def references(value: Any) -> frozenset[str]:
    """Return the ids of the nodes whose outputs `value` refers to.

    Of a source that CEL does not take, those that its words name.
    """
    return frozenset(node for source in sources_of(value) for node in _referred(source))


def names_in(value: Any) -> frozenset[str]:
    """Return the names that the expressions inside `value` read, those of their macros left out.

    Of a source that CEL does not take, every name among its words.
    """
    return frozenset(name for source in sources_of(value) for name in _named_in(source))


@lru_cache(maxsize=8_192)
def _named_in(source: str) -> frozenset[str]:
    try:
        return names_of(program(source).tree)
    except BadExpression:
        return frozenset(one.text for one in words(source) if one.kind is Kind.NAME)


@lru_cache(maxsize=8_192)
def _referred(source: str) -> frozenset[str]:
    try:
        return program(source).references
    except BadExpression:
        return frozenset(name for name, _, _ in references_in(source))


def references_in(source: str) -> list[tuple[str, int, int]]:
    """Return (node, start, end) for each `steps.node` and `steps["node"]` among the words.

    The span is that of the name or of the key with its quotes, so that it can be rewritten.
    """
    found: list[tuple[str, int, int]] = []
    seen = words(source)
    for at, word in enumerate(seen):
        if word.text != "steps" or (at and seen[at - 1].text == "."):
            continue
        sign, key = seen[at + 1 : at + 2], seen[at + 2 : at + 3]
        if not sign or not key:
            continue
        if sign[0].text == "." and key[0].kind in (Kind.NAME, Kind.QUOTED):
            found.append((key[0].text.strip("`"), key[0].start, key[0].end))
        elif sign[0].text == "[" and (name := string_value(key[0].text)) is not None:
            found.append((name, key[0].start, key[0].end))
    return found
