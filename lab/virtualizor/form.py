"""Forms as PHP reads them, and what is wrong with them by the table of fields."""

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

_TABLE: dict[str, Any] = json.loads((Path(__file__).parent / "fields.json").read_bytes())
POSTS: dict[str, dict[str, dict[str, Any]]] = _TABLE["posts"]
QUERIES: dict[str, list[str]] = _TABLE["queries"]
ALWAYS = frozenset({"act", "api", "adminapikey", "adminapipass"})


def nested(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Return `space[0][size]=5` as {"space": {"0": {"size": "5"}}}."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        keys = re.findall(r"[^\[\]]+", name)
        at = found
        for key in keys[:-1]:
            at = at.setdefault(key, {})
        at[keys[-1]] = value
    return found


def faults_in(act: str, query: Mapping[str, str], form: Mapping[str, Any]) -> dict[str, str]:
    """Return what is wrong with a call, by field."""
    known = QUERIES.get(act)
    if known is None:
        return {"act": f"There is no act {act}"}
    faults = {
        name: f"There is no parameter {name}"
        for name in query
        if name not in known and name not in ALWAYS
    }
    if form:
        fields = POSTS.get(act, {})
        faults |= {name: f"There is no field {name}" for name in form if name not in fields}
        for name, told in fields.items():
            if form.get(name, "") == "":
                if told.get("required"):
                    faults[name] = f"The field {name} was left blank"
            elif wrong := _wrong(told["type"], form[name]):
                faults[name] = f"The field {name} must be {wrong}"
    return faults


def _wrong(kind: str, value: Any) -> str:
    match kind:
        case "int":
            return "" if isinstance(value, str) and value.isdecimal() else "a whole number"
        case "list":
            return "" if isinstance(value, dict) else "a list"
        case "disks":
            sizes = (
                [row.get("size", "") for row in value.values()] if isinstance(value, dict) else [""]
            )
            return "" if all(size.isdecimal() and int(size) > 0 for size in sizes) else "disks"
    return "" if isinstance(value, str) else "a text"
