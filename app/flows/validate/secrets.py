"""Secrets have no place in a document: it is shown, exported and kept for ever."""

import re
from collections.abc import Iterator
from typing import Any

from app.flows.validate.names import is_computed
from app.flows.validate.problem import Problem
from app.flows.validate.reading import Reading

CONNECTION = "connection"
"""The parameter that names a connection, which holds the secret."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}")
_SECRET_KEY = re.compile(
    r"(?:^|[._ -])(?:password|passwd|passphrase|secret|token|api[._ -]?key|access[._ -]?key|"
    r"private[._ -]?key|credentials?|authorization|cookie)$",
    re.IGNORECASE,
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SECRET_TEXT = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----"
    r"|\bAKIA[0-9A-Z]{16}\b"
    r"|\b(?:sk|rk|pk)_(?:live|test)_[0-9A-Za-z]{16,}"
    r"|\bwhsec_[0-9A-Za-z+/=]{16,}"
    r"|\bgh[pousr]_[0-9A-Za-z]{30,}|\bgithub_pat_[0-9A-Za-z_]{30,}|\bglpat-[0-9A-Za-z_-]{20}"
    r"|\bxox[abprs]-[0-9A-Za-z-]{10,}"
    r"|\beyJ[0-9A-Za-z_-]{8,}\.eyJ[0-9A-Za-z_-]{8,}\.[0-9A-Za-z_-]{8,}"
    r"|\b[Bb]earer [0-9A-Za-z._~+/-]{16,}"
    r"|\b[a-z][a-z0-9+.-]*://[^/\s:@${}]+:[^/\s:@${}]+@"
)
_ADVICE = (
    "keep it in a connection and name that in the parameter connection; a flow is shown, exported "
    "and kept with all its versions"
)


def secret_problems(reading: Reading) -> Iterator[Problem]:
    """Find literal secrets, by the name of their field or by their look; never shows them."""
    for name, spec in reading.document.nodes.items():
        for path, key, text in _texts(spec.params, "with", ""):
            if key == CONNECTION:
                if text and (_NAME.fullmatch(text) is None or _looks_secret(text)):
                    message = "write the name of a connection, as the connections page shows it"
                    yield Problem(name, path, message)
            elif _is_secret_key(key) and text.strip() and not is_computed(text):
                yield Problem(name, path, f"{key} looks like a secret; {_ADVICE}")
            elif _looks_secret(text):
                yield Problem(name, path, f"this looks like a secret; {_ADVICE}")
    for field in ("name", "description", "inputs", "ui"):
        value = getattr(reading.document, field)
        for path, _, text in _texts(value, field, ""):
            if _looks_secret(text):
                yield Problem("", path, f"this looks like a secret; {_ADVICE}")


def connections_of(params: Any) -> Iterator[str]:
    """Yield the names of the connections that parameters name."""
    for _, key, text in _texts(params, "", ""):
        if key == CONNECTION and text:
            yield text


def _looks_secret(text: str) -> bool:
    return _SECRET_TEXT.search(text) is not None


def _is_secret_key(key: str) -> bool:
    return _SECRET_KEY.search(_CAMEL.sub("_", key)) is not None


def _texts(value: Any, path: str, key: str) -> Iterator[tuple[str, str, str]]:
    """Yield (path, innermost key, text) of every text inside `value`."""
    if isinstance(value, str):
        yield path, key, value
    elif isinstance(value, dict):
        for name, part in value.items():
            yield from _texts(part, f"{path}.{name}", str(name))
    elif isinstance(value, list):
        for place, part in enumerate(value):
            yield from _texts(part, f"{path}[{place}]", key)
