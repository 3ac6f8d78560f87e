"""What CEL's checker complains about, in words that help; its own words are kept after them."""

import re
from collections.abc import Callable

from app.flows.expressions.errors import closest, listed
from app.flows.expressions.functions import FUNCTIONS
from app.flows.expressions.names import NAMES
from app.flows.expressions.operators import SIGNS
from app.flows.expressions.tokens import WORDS, Kind, Token, words
from app.flows.expressions.values import a

_UNKNOWN = re.compile(r"undeclared reference to '([^']*)'")
_OVERLOAD = re.compile(r"found no matching overload for '([^']*)' applied to '\((.*)\)'")
_EXPECTING = re.compile(r"Syntax error: (?:mismatched|extraneous) input '(.*?)' expecting")
_MISSING = re.compile(r"Syntax error: missing '(.*)' at '")
_NO_TOKEN = re.compile(r"Syntax error: token recognition error at: '(.*)'", re.DOTALL)
_NOT_VIABLE = re.compile(r"Syntax error: no viable alternative at input '(.*)'")
_SELECT = re.compile(r"expression of type '(.*)' cannot be the operand of a select operation")
_MACRO_NAMES = ("has", "all", "exists", "exists_one", "map", "filter", "cel.bind")
_TOO_DEEP = (
    "it is nested too deeply, or has more than 30 parts in a row; write [a, b, …].join() or a "
    "text with ${…}, or name parts with cel.bind"
)


def unplaced(said: str) -> str:
    """Return the reason of a complaint that names no place."""
    return _TOO_DEEP if "recursion" in said else said


def is_function(source: str, at: int | None, said: str) -> bool:
    """Return whether the complaint is about a function that does not exist."""
    if at is None or _UNKNOWN.search(said) is None:
        return False
    return _next(source, at).startswith("(")


def placed(source: str, at: int | None, said: str, extra: frozenset[str]) -> tuple[str, int | None]:
    """Return the reason and the place of a complaint."""
    if (found := _UNKNOWN.search(said)) is not None:
        if is_function(source, at, said):
            return _no_function(source, at or 0)
        return _no_name(found[1].partition(".")[0], extra), _start_of(source, at, found[1])
    for pattern, say in _COMPLAINTS:
        if (found := pattern.search(said)) is not None:
            return say(found), at
    return "CEL does not take it", at


def _no_function(source: str, at: int) -> tuple[str, int]:
    """Name the function before the `(` at `at`, and the one that was meant."""
    parts = _name_before(source, at)
    name = "".join(part.text for part in parts)
    start = parts[0].start if parts else at
    is_method = bool(parts) and source[:start].rstrip().endswith(".")
    known = [*FUNCTIONS, *_MACRO_NAMES]
    if name in FUNCTIONS and not is_method and FUNCTIONS[name].signatures[0].is_method:
        return f"{name} is called on a value, as in {FUNCTIONS[name].signatures[0].text}", start
    short = name.rpartition(".")[2]
    if short in FUNCTIONS and FUNCTIONS[short].signatures[0].is_method:
        return f"{short} is called on a value, as in {FUNCTIONS[short].signatures[0].text}", start
    if name in FUNCTIONS:
        return f"{name} is called as {_ways(name)}", start
    near = closest(name, known) or closest(short, known)
    hint = f"; did you mean {near}?" if near else "; see the list of functions"
    return f"there is no function {name}{hint}", start


def _name_before(source: str, at: int) -> list[Token]:
    """Return the tokens of the qualified name that ends before `at`."""
    before = [one for one in words(source) if one.end <= at]
    parts: list[Token] = []
    while before and before[-1].kind is Kind.NAME:
        parts.insert(0, before.pop())
        # `ip.host(` is one name, `input.name.trim(` is a method of a value.
        if not before or before[-1].text != ".":
            return parts
        if len(before) > 1 and before[-2].kind is Kind.NAME and before[-2].text in _SPACES:
            parts.insert(0, before.pop())
            continue
        break
    return parts


_SPACES = frozenset(name.partition(".")[0] for name in FUNCTIONS if "." in name) | {"cel"}


def _no_name(name: str, extra: frozenset[str]) -> str:
    known = [*NAMES, *sorted(extra)]
    near = closest(name, known)
    hint = f"did you mean {near}?" if near else f"outputs are under steps, as in steps.{name}."
    return f"there is no name {name}; {hint} Names are {listed(known)}."


def _start_of(source: str, at: int | None, path: str) -> int | None:
    """Return where a dotted name begins: CEL points at its last dot."""
    if at is None:
        return None
    start = source.rfind(path.partition(".")[0], 0, at + 1)
    return start if start >= 0 else at


def _no_overload(name: str, kinds: str) -> str:
    given = [_kind(one) for one in _split(kinds)]
    if name == "_?_:_" and len(given) == 3:
        if given[0] not in ("bool", "dyn"):
            return f"the condition before `?` is true or false, not {given[0]}"
        return (
            f"both results of `? :` are of one type, these are {given[1]} and {given[2]}; "
            "put dyn(…) around one"
        )
    if name in SIGNS:
        text = f"`{SIGNS[name]}` does not take {' and '.join(given)}"
        if name == "_+_" and "string" in given:
            text += "; make both strings with string(…), or write text with ${…} in it"
        elif {"int", "double"} == set(given):
            text += "; write 1.0 for 1, or double(…)"
        elif name == "@in" and given[-1] == "string":
            text += "; for a string write text.contains(part)"
        return text
    text = f"{name}() does not take {' and '.join(given) or 'nothing'}"
    if name in FUNCTIONS:
        text += f"; it is called as {_ways(name)}"
    return text


def _ways(name: str) -> str:
    return "; ".join(one.text for one in FUNCTIONS[name].signatures)


def _split(kinds: str) -> list[str]:
    """Split a list of types at the commas that are not inside of brackets."""
    found: list[str] = []
    depth = 0
    for part in re.findall(r"[^,()]+|[,()]", kinds):
        depth += (part == "(") - (part == ")")
        if part == "," and depth == 0:
            found.append("")
        elif found:
            found[-1] += part
        else:
            found.append(part)
    return [one.strip() for one in found]


def _kind(name: str) -> str:
    """Return our name of one of CEL's types: `list(int)` is a list."""
    name = name.partition("(")[0].strip()
    return {
        "google.protobuf.Timestamp": "timestamp",
        "google.protobuf.Duration": "duration",
        "null_type": "null",
        "wrapper": "dyn",
    }.get(name, name)


def _no_token(text: str) -> str:
    if text[:1] in "\"'":
        return "the quote that opens here is never closed"
    if text.strip() == "=":
        return "write `==` to compare"
    return f"`{text.strip()}` means nothing in an expression"


def _next(source: str, at: int) -> str:
    return source[at:].lstrip()


def _unexpected(found: re.Match[str]) -> str:
    if found[1] == "<EOF>":
        return "it ends too early: something is missing here"
    return f"`{found[1]}` is not expected here"


def _not_viable(found: re.Match[str]) -> str:
    word = found[1].lstrip(".")
    if word in WORDS:
        return f"`{word}` is a word of the language; write ['{word}'] for the key"
    return f"`{found[1]}` is not expected here"


_COMPLAINTS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (re.compile("recursion"), lambda _: _TOO_DEEP),
    (_OVERLOAD, lambda found: _no_overload(found[1], found[2])),
    (_SELECT, lambda found: f"{a(_kind(found[1]))} has no fields"),
    (_EXPECTING, _unexpected),
    (_MISSING, lambda found: f"`{found[1]}` is missing here"),
    (_NO_TOKEN, lambda found: _no_token(found[1])),
    (_NOT_VIABLE, _not_viable),
    (
        re.compile("macro|argument must|variable name"),
        lambda _: "the macro is written otherwise, see its documentation",
    ),
)
