"""The document as a whole: its size, its names, its trigger, its inputs and what it is about."""

import re
from collections.abc import Iterator
from typing import Any

from app.flows.document import MOST_BYTES, MOST_NODES, SCHEMA, Document, encode
from app.flows.inputs import schema_problems
from app.flows.node import Subject
from app.flows.registry import versions_of
from app.flows.validate.problem import Problem, warning
from app.flows.validate.reading import LEAVE, Reading

MOST_LEVELS = 40
"""How deeply values may be nested: far more than any form, far less than Python's stack."""
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")
_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
# An even number of backslashes before it are the text's own.
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
POLICIES = ("halt", "compensate")


def depth_problems(document: Document) -> Iterator[Problem]:
    """Find values nested so deeply that nothing else should look into them."""
    whole = [("", "inputs", document.inputs), ("", "ui", document.ui)]
    whole += [(name, "with", spec.params) for name, spec in document.nodes.items()]
    for node, field, value in whole:
        if _is_deep(value):
            message = f"values are nested more than {MOST_LEVELS} deep; make them flatter"
            yield Problem(node, field, message)


def size_problems(document: Document) -> Iterator[Problem]:
    """Find what cannot be stored."""
    if len(document.nodes) > MOST_NODES:
        message = f"a flow has at most {MOST_NODES:,} nodes; move parts into flows of their own"
        yield Problem("", "nodes", message)
    try:
        text = encode(document)
    except (TypeError, ValueError, UnicodeError) as error:
        yield Problem("", "nodes", f"it cannot be written as JSON: {error}")
        return
    if len(text) > MOST_BYTES:
        message = (
            f"the document has {len(text):,} bytes, at most {MOST_BYTES:,} are kept; "
            "put large texts into templates or variables"
        )
        yield Problem("", "nodes", message)
    if _NUL.search(text):
        yield Problem("", "nodes", "there is a NUL character in a text; take it out")


def shape_problems(reading: Reading) -> Iterator[Problem]:
    document = reading.document
    if document.schema != SCHEMA:
        yield Problem("", "schema", f"must be {SCHEMA}: this release reads no other")
    if _SLUG.fullmatch(document.flow) is None:
        message = "use small letters, digits and -, beginning with a letter or digit, 64 at most"
        yield Problem("", "flow", message)
    if document.on_failure not in POLICIES:
        yield Problem("", "on_failure", "must be halt or compensate")
    for text in schema_problems(document.inputs) if document.inputs else ():
        yield Problem("", "inputs", f"its inputs {text}")
    count = len(reading.triggers)
    if count != 1:
        message = f"a flow has exactly one trigger; this one has {count}"
        yield Problem("", "nodes", message + ("" if count else ": add the one that starts it"))
    for name in document.nodes:
        if _NAME.fullmatch(name) is None:
            yield Problem(name, "id", "use letters, digits, - and _, 64 at most")
        elif name == LEAVE:
            yield Problem(name, "id", "`none` says that nothing is to be undone; choose another")
        if name not in reading.kinds:
            yield _unknown_type(reading, name)


def subject_problems(reading: Reading) -> Iterator[Problem]:
    """Find nodes that need the run to be about something else than it is."""
    if len(reading.triggers) != 1:
        return
    (start,) = reading.triggers
    trigger = reading.kinds[start]
    try:
        given = trigger.subject(reading.document.nodes[start].params)
    except Exception:  # noqa: BLE001 - a package's own code, and parameters may be anything
        return
    for name, kind in reading.kinds.items():
        if kind.needs in (None, Subject.NOTHING, given):
            continue
        wanted = f"{kind.title} needs the run to be about one {kind.needs}, and {trigger.title}"
        if given is None:
            message = f"{wanted} gives none: the step fails unless the flow is started about one"
            yield warning(name, "type", message)
        else:
            about = given if given is Subject.NOTHING else f"one {given}"
            message = f"{wanted} starts it about {about}; use another trigger or another node"
            yield Problem(name, "type", message)


def _unknown_type(reading: Reading, name: str) -> Problem:
    spec = reading.document.nodes[name]
    versions = sorted(kind.version for kind in versions_of(spec.type))
    if versions:
        there = ", ".join(map(str, versions))
        message = f"version {spec.v} of {spec.type} is not installed; there is {there}"
        return Problem(name, "v", message)
    message = (
        f"no node type {spec.type} is installed; install the package that ships it, or choose "
        "another node"
    )
    return Problem(name, "type", message)


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(MOST_LEVELS):
        level = [
            part
            for outer in level
            if isinstance(outer, dict | list | tuple)
            for part in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return False
    return True
