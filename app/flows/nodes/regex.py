"""data.regex: find a pattern in a text, take it apart, or replace it."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Any, Literal

import msgspec
import re2

from app.flows.bounds import MAX_ITEMS, MAX_TEXT_CHARS, Text
from app.flows.node import Done, Effect, NodeType, Step, StepFailed

WORK = 1_000_000_000
"""Characters looked at, at most: each match may look at the whole rest of the text. About 1 s."""
_ESCAPE = re.compile(r"\\(?:([\\0-9])|g<([A-Za-z0-9_]{1,64})>)?")


class Pattern(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A regular expression of RE2 and how it is read."""

    re: Annotated[
        Annotated[str, msgspec.Meta(min_length=1, max_length=2_000)],
        msgspec.Meta(
            title="Regular expression",
            description="In RE2's syntax. Groups with names become fields: `(?P<host>[^.]+)`.",
            examples=[r"^(?P<host>[^.]+)\.(?P<domain>.+)$"],
        ),
    ]
    ignore_case: Annotated[
        bool,
        msgspec.Meta(title="Ignore case", description="Large and small letters are the same."),
    ] = False
    multiline: Annotated[
        bool,
        msgspec.Meta(title="Lines", description="`^` and `$` are the ends of each line."),
    ] = False
    dot_all: Annotated[
        bool,
        msgspec.Meta(title="Dot is all", description="`.` is a line's end too."),
    ] = False

    def __post_init__(self) -> None:
        compiled(self)


class Params(msgspec.Struct, frozen=True):
    text: Annotated[
        Text,
        msgspec.Meta(
            title="Text",
            description="The text looked at, 1,000,000 characters at most.",
            examples=["web-1.example.com", "=input.hostname"],
        ),
    ]
    pattern: Annotated[
        Pattern,
        msgspec.Meta(
            title="Pattern",
            description="What is looked for.",
            examples=[{"re": r"^(?P<host>[^.]+)\.(?P<domain>.+)$"}],
        ),
    ]
    mode: Annotated[
        Literal["match", "all", "replace"],
        msgspec.Meta(
            title="Mode",
            description="`match`: the first match; `all`: each; `replace`: put `by` in its place.",
            examples=["match"],
        ),
    ] = "match"
    by: Annotated[
        Annotated[str, msgspec.Meta(max_length=10_000)],
        msgspec.Meta(
            title="By",
            description=r"What is put in its place: \1 and \g<name> are groups, \0 is the match.",
            examples=[r"\g<host>"],
        ),
    ] = ""


DOCS = r"""
Looks for a pattern in a text. It leaves by `out` when there is a match and by `none` when there is
not, so that no condition is needed behind it. The output:

- `match`: `text` of the first match, its `groups` in order and its `named` groups; a group that
  took no part is null.
- `all`: `matches`, a list of the same, and their `count`.
- `replace`: the whole `text` with each match replaced, and the `count` of them.

```json
{
  "text": "=input.hostname",
  "pattern": {"re": "^(?P<host>[^.]+)\\.(?P<domain>.+)$", "ignore_case": true}
}
```

Patterns are RE2's: no look-around and no back-references, and in return no pattern takes for ever.
In a long text fewer matches are allowed: 100,000 in 10,000 characters, 1,000 in 1,000,000. A wrong
pattern is found when the flow is saved, unless it is an expression.
"""


@lru_cache(maxsize=512)
def compiled(pattern: Pattern) -> Any:
    """Return the compiled pattern. Raises ValueError, which msgspec tells as a bad parameter."""
    options = re2.Options()
    options.log_errors = False
    options.case_sensitive = not pattern.ignore_case
    flags = ("m" if pattern.multiline else "") + ("s" if pattern.dot_all else "")
    try:
        return re2.compile(f"(?{flags}){pattern.re}" if flags else pattern.re, options)
    except re2.error as error:
        said = error.args[0]
        reason = said.decode() if isinstance(said, bytes) else str(said)
        raise ValueError(f"the pattern {pattern.re!r} is wrong: {reason}") from error


def do(step: Step, params: Params) -> Done:  # noqa: ARG001 - a node's signature
    found = _found(compiled(params.pattern), params.text, only_first=params.mode == "match")
    output: dict[str, Any] | None
    if params.mode == "replace":
        output = {"text": _replaced(params, found), "count": len(found)}
    elif params.mode == "all":
        output = {"matches": _told(found), "count": len(found)}
    else:
        output = _told(found)[0] if found else None
    return Done(output, "out" if found else "none")


def _found(pattern: Any, text: str, *, only_first: bool) -> list[Any]:
    most = min(MAX_ITEMS, WORK // max(len(text), 1))
    found: list[Any] = []
    for match in pattern.finditer(text):
        if len(found) == most:
            raise StepFailed(
                f"the pattern matches more than {most:,} times in {len(text):,} characters; "
                "take a part of the text, or a pattern that matches more at once"
            )
        found.append(match)
        if only_first:
            break
    return found


def _told(found: list[Any]) -> list[dict[str, Any]]:
    chars = 0
    told = []
    for match in found:
        spans = (match.span(group) for group in range(match.re.groups + 1))
        chars += sum(end - start for start, end in spans)
        if chars > MAX_TEXT_CHARS:
            raise StepFailed(f"what the pattern found has more than {MAX_TEXT_CHARS:,} characters")
        groups = list(match.groups())
        told.append({"text": match.group(), "groups": groups, "named": match.groupdict()})
    return told


def _replaced(params: Params, found: list[Any]) -> str:
    template = _template(params)
    parts: list[str] = []
    chars = end = 0
    for match in found:
        put = [part if isinstance(part, str) else match.group(part) or "" for part in template]
        parts += (params.text[end : match.start()], *put)
        chars += match.start() - end + sum(map(len, put))
        end = match.end()
        if chars > MAX_TEXT_CHARS:
            break
    parts.append(params.text[end:])
    if chars + len(parts[-1]) > MAX_TEXT_CHARS:
        raise StepFailed(f"the text would have more than {MAX_TEXT_CHARS:,} characters")
    return "".join(parts)


def _template(params: Params) -> list[str | int]:
    """Take the replacement apart into plain text and numbers of groups."""
    pattern = compiled(params.pattern)
    parts: list[str | int] = []
    at = 0
    for escape in _ESCAPE.finditer(params.by):
        parts.append(params.by[at : escape.start()])
        at = escape.end()
        word = escape[1] or escape[2] or ""
        group = int(word) if word.isdecimal() else pattern.groupindex.get(word)
        if word == "\\":
            parts.append(word)
        elif not word:
            raise StepFailed(r"`by` has a lone backslash; a backslash itself is written \\")
        elif group is None or group > pattern.groups:
            raise StepFailed(f"`by` names the group {word}, which the pattern does not have")
        else:
            parts.append(group)
    return [*parts, params.by[at:]]


_TEXT = {"type": "string"}
_TEXT_OR_NULL = {"type": ["string", "null"]}
_COUNT = {"type": "integer"}


def output_of(params: Mapping[str, Any]) -> Mapping[str, Any]:
    mode = params.get("mode", "match")
    if mode == "replace":
        return _object({"text": _TEXT, "count": _COUNT})
    named = _object(dict.fromkeys(_group_names(params.get("pattern")), _TEXT_OR_NULL))
    groups = {"type": "array", "items": _TEXT_OR_NULL}
    match = _object({"text": _TEXT, "groups": groups, "named": named})
    if mode == "all":
        return _object({"matches": {"type": "array", "items": match}, "count": _COUNT})
    return match if mode == "match" else {}


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _group_names(pattern: Any) -> list[str]:
    try:
        return list(compiled(msgspec.convert(pattern, Pattern)).groupindex)
    except msgspec.ValidationError:
        return []


def says(params: Params) -> str:
    verb = {"match": "Looks for", "all": "Looks for all", "replace": "Replaces"}[params.mode]
    return f"{verb} {params.pattern.re} in {len(params.text):,} characters"


node = NodeType(
    name="data.regex",
    title="Regular expression",
    summary="Finds a pattern in a text, takes it apart, or replaces it.",
    params=Params,
    effect=Effect.PURE,
    do=do,
    ports=("out", "none"),
    output_of=output_of,
    says=says,
    docs=DOCS,
)
