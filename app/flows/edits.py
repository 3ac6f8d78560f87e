"""Other parameters for a halted step: read from what was typed, and checked before they are taken.

They are checked as the flow is before it is published: against the node type's parameters and,
for expressions, against what can be known where the step stands.
"""

import hashlib
import json
from typing import Any
from uuid import UUID

import msgspec
from msgspec.structs import replace

from app.core.database import Tx
from app.core.errors import NotFound
from app.core.redact import HIDDEN
from app.flows.document import Document, parse
from app.flows.redact import redacted
from app.flows.validate import problems_of

MOST_VERSIONS = 50
LONGEST_CHARS = 100_000


class BadEdit(Exception):
    """What was typed cannot be taken; the message says why."""


class HaltedStep(msgspec.Struct, frozen=True, kw_only=True):
    """A step that stands still, with the parameters that it would be tried again with."""

    scope: str
    node: str
    step: str
    type: str
    error: str
    in_doubt: bool
    params: dict[str, Any]
    """As they are written, expressions as such."""

    @property
    def field(self) -> str:
        """The name of its field in a form, good for an id too."""
        place = f"{self.scope} {self.node}".encode()
        return f"with-{hashlib.blake2s(place, digest_size=6).hexdigest()}"

    @property
    def text(self) -> str:
        """What is shown of the parameters: JSON, what is named like a secret hidden."""
        return json.dumps(redacted(self.params), indent=2, ensure_ascii=False)


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """A version of the flow that the run can go on with."""

    id: UUID
    number: int
    note: str
    is_own: bool


async def find_halted(tx: Tx, run: UUID) -> tuple[HaltedStep, ...]:
    """Return the halted steps of a run; two statements. Raises NotFound without the run."""
    raw = await tx.fetchval(
        "SELECT v.document FROM run r JOIN flow_version v ON v.id = r.flow_version WHERE r.id = $1",
        run,
    )
    if raw is None:
        raise NotFound("run", run)
    document = parse(raw)
    rows = await tx.fetch(
        "SELECT t.scope, t.node, t.doubt, t.override, a.error FROM token t LEFT JOIN LATERAL ("
        "SELECT error FROM step_attempt WHERE run = t.run AND scope = t.scope AND node = t.node "
        "ORDER BY attempt DESC LIMIT 1) a ON true "
        "WHERE t.run = $1 AND t.state = 'halted' ORDER BY t.scope, t.node",
        run,
    )
    return tuple(
        HaltedStep(
            scope=row["scope"],
            node=row["node"],
            step=document.nodes[row["node"]].name or row["node"],
            type=document.nodes[row["node"]].type,
            error=row["error"] or "",
            in_doubt=row["doubt"],
            params=document.nodes[row["node"]].params
            if row["override"] is None
            else msgspec.json.decode(row["override"]),
        )
        for row in rows
        if row["node"] in document.nodes
    )


async def find_ways(tx: Tx, run: UUID) -> tuple[Way, ...]:
    """Return the versions of the run's flow, the latest first; one statement."""
    rows = await tx.fetch(
        "SELECT v.id, v.number, v.note, v.id = r.flow_version AS is_own FROM run r "
        "JOIN flow_version mine ON mine.id = r.flow_version "
        "JOIN flow_version v ON v.flow = mine.flow WHERE r.id = $1 ORDER BY v.number DESC LIMIT $2",
        run,
        MOST_VERSIONS,
    )
    return tuple(Way(**row) for row in rows)


async def document_of(tx: Tx, version: UUID) -> Document:
    """Return what a version says. Raises NotFound."""
    raw = await tx.fetchval("SELECT document FROM flow_version WHERE id = $1", version)
    if raw is None:
        raise NotFound("version of this flow", version)
    return parse(raw)


def read_edit(step: HaltedStep, text: str, document: Document) -> dict[str, Any] | None:
    """Return the parameters that were typed, None when they are those that were shown.

    A secret that was shown hidden is what it was. Raises BadEdit when it is no JSON object, or
    not what the step takes in `document`, the version to go on with.
    """
    if len(text) > LONGEST_CHARS:
        raise BadEdit(f"At most {LONGEST_CHARS:,} characters; this has {len(text):,}.")
    typed = read_json(text)
    if not isinstance(typed, dict):
        raise BadEdit('Write a JSON object, such as {"size": "=input.plan"}.')
    if typed == redacted(step.params):
        return None
    params: dict[str, Any] = _restored(typed, step.params)
    spec = document.nodes.get(step.node)
    if spec is None:
        raise BadEdit("The version chosen does not have this step.")
    tried = replace(document, nodes={**document.nodes, step.node: replace(spec, params=params)})
    faults = [
        f"{problem.field.removeprefix('with.')}: {problem.message}"
        for problem in problems_of(tried)
        if problem.is_error and problem.node == step.node and problem.field.startswith("with")
    ]
    if faults:
        raise BadEdit("; ".join(faults))
    return params


def read_json(text: str) -> Any:
    """Return what JSON says. Raises BadEdit with the line and column where it goes wrong."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise BadEdit(f"This is no JSON: {error.msg} at {where}.") from error
    except RecursionError as error:
        raise BadEdit("This is nested too deep.") from error


def _restored(typed: Any, kept: Any) -> Any:
    """Put back what was hidden when it was shown."""
    if typed == HIDDEN:
        return kept
    if isinstance(typed, dict):
        known = kept if isinstance(kept, dict) else {}
        return {name: _restored(value, known.get(name)) for name, value in typed.items()}
    if isinstance(typed, list):
        known_items = kept if isinstance(kept, list) else []
        known_items = [*known_items, *[None] * (len(typed) - len(known_items))]
        return [_restored(*pair) for pair in zip(typed, known_items, strict=False)]
    return typed
