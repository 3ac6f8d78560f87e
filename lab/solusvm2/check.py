"""Look whether a call is one that SolusVM 2 takes, by the table of its endpoints."""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

_TABLE: dict[str, dict[str, str]] = json.loads(
    (Path(__file__).parent / "endpoints.json").read_bytes()
)["endpoints"]
_NAMED = {
    "BootMode": ("disk", "rescue"),
    "IPVersion": ("IPv4", "IPv6"),
    "Firmware": ("bios", "efi"),
    "DiskCacheMode": ("none", "default", "directsync", "writeback", "writethrough", "unsafe"),
    "DiskDriver": ("sata", "scsi", "ide", "virtio"),
}


def _pattern(endpoint: str) -> re.Pattern[str]:
    path = re.sub(r"\\\{uuid\\\}", r"([0-9a-f-]{36})", re.escape(endpoint))
    return re.compile(re.sub(r"\\\{id\\\}", r"(\\d+)", path))


_PATTERNS = {endpoint: _pattern(endpoint) for endpoint in _TABLE}


def endpoint_of(call: str) -> tuple[str, tuple[str, ...]] | None:
    """Return the endpoint of `POST /servers/7/start` and what stands in its braces."""
    for endpoint, pattern in _PATTERNS.items():
        if found := pattern.fullmatch(call):
            return endpoint, found.groups()
    return None


def faults_in(endpoint: str, body: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return what is wrong with a body, by field, in the words of its framework."""
    known = _TABLE[endpoint]
    faults = {name: [f"The {name} field is prohibited."] for name in body if name not in known}
    for name, told in known.items():
        kind, _, optional = told.partition(" ")
        if body.get(name) is None:
            if not optional and not kind.startswith("*"):
                faults[name] = [f"The {name} field is required."]
        elif wrong := _wrong(kind.removeprefix("*"), body[name]):
            faults[name] = [f"The {name} must be {wrong}."]
    return faults


def _wrong(kind: str, value: Any) -> str:
    """Return what the value should be; "" when it is."""
    if kind.startswith("[]"):
        if not isinstance(value, list):
            return "an array"
        return next(
            (f"an array: each {wrong}" for one in value if (wrong := _wrong(kind[2:], one))), ""
        )
    if kind in _NAMED:
        return "" if value in _NAMED[kind] else f"one of {', '.join(_NAMED[kind])}"
    checks: dict[str, tuple[Callable[[Any], bool], str]] = {
        "string": (lambda one: isinstance(one, str) and one != "", "a string"),
        "int": (lambda one: type(one) is int and one >= 0, "an integer"),
        "bool": (lambda one: isinstance(one, bool), "true or false"),
    }
    is_right, words = checks.get(kind, (lambda one: isinstance(one, dict), "an object"))
    return "" if is_right(value) else words
