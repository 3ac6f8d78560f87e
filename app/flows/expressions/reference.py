"""The functions and names of the language as Markdown, made from their tables."""

import msgspec

from app.flows.expressions.functions import FUNCTIONS, Function
from app.flows.expressions.names import NAMES


def names_table() -> str:
    """Return the names that an expression sees."""
    rows = [f"| `{name.name}` | {name.type} | {name.doc} |" for name in NAMES.values()]
    return "\n".join(["| Name | Type | What it is |", "|---|---|---|", *rows])


def functions_table() -> str:
    """Return the functions by group, each with its signatures and its first example."""
    groups: dict[str, list[Function]] = {}
    for function in FUNCTIONS.values():
        groups.setdefault(function.group, []).append(function)
    parts: list[str] = []
    for group, functions in groups.items():
        parts += [f"### {group}", "", "| Function | What it gives | Example |", "|---|---|---|"]
        parts += map(_row, functions)
        parts.append("")
    return "\n".join(parts).rstrip()


def _row(function: Function) -> str:
    ways = "<br>".join(f"`{_cell(one.text)}`" for one in function.signatures)
    source, value = function.examples[0]
    gives = msgspec.json.encode(value).decode()
    return f"| {ways} | {_cell(function.doc)} | {_code(source)} → {_code(gives)} |"


def _code(text: str) -> str:
    """Return text as code, whatever quotes and backticks are in it."""
    text = _cell(text)
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
