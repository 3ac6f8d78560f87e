"""Whether what an expression gives can be what the parameter takes, by their schemas."""

from collections.abc import Iterator, Sequence

import msgspec

from app.flows.validate.names import Meaning, Reference, Site
from app.flows.validate.problem import Problem, Severity
from app.flows.validate.reading import Reading
from app.flows.validate.schemas import (
    Misfit,
    NoSuchKey,
    Part,
    Schema,
    misfit,
    schema_of_type,
)

CEL: dict[str, Part] = {
    "bool": {"type": "boolean"},
    "int": {"type": "integer"},
    "uint": {"type": "integer"},
    "double": {"type": "number"},
    "string": {"type": "string"},
    "bytes": {"type": "string"},
    "list": {"type": "array"},
    "map": {"type": "object"},
    "null": {"type": "null"},
    "timestamp": {"type": "string"},
    "duration": {"type": "string"},
}
"""CEL's types as JSON has them; of others nothing is known."""
TEXT: Part = {"type": "string"}


def fit_problems(
    reading: Reading, node: str, site: Site, meaning: Meaning, *, is_lazy: bool
) -> Iterator[Problem]:
    """Find fields that an output does not have, and results that a parameter cannot take."""
    given: list[Part] | None = None if site.is_whole else [TEXT]
    if site.is_whole and meaning.kind in CEL:
        given = [CEL[meaning.kind]]
    for reference in dict.fromkeys(meaning.references):
        found = _found(reading, reference)
        if isinstance(found, NoSuchKey):
            is_asked = reference.is_test or reference.is_forgiven
            severity = Severity.error if found.is_sure and not is_asked else Severity.warning
            text = _no_such_key(reference, found)
            yield Problem(node, site.field, text, severity, site.offset + reference.at)
        elif found is not None and meaning.is_reference and site.is_whole:
            given = found
    kind = reading.kinds.get(node)
    if given is None or kind is None or is_lazy:
        return
    wanted = schema_of_type(kind.params).find(site.path)
    if isinstance(wanted, NoSuchKey):
        return  # said of the parameters themselves
    fault = misfit(given, wanted)
    if fault is not None:
        place = site.offset + (meaning.references[0].at if meaning.is_reference else 0)
        yield _problem(node, site, fault, place)


def _found(reading: Reading, reference: Reference) -> list[Part] | NoSuchKey | None:
    """Return what is under a reference; None when nothing is known of it."""
    match reference.root:
        case "steps" if reference.keys and reference.keys[0] in reading.document.nodes:
            keys = reference.keys[1:]
            found = reading.look_up(str(reference.keys[0]), keys)
            return (
                msgspec.structs.replace(found, at=found.at + 1)
                if isinstance(found, NoSuchKey)
                else found
            )
        case "input" if reading.document.inputs and reference.keys:
            inputs = Schema(reading.document.inputs, is_exact=False)
            return inputs.find(reference.keys)
        case _:
            return None


def _no_such_key(reference: Reference, missing: NoSuchKey) -> str:
    before = reference._replace(keys=reference.keys[: missing.at]).text
    key = reference.keys[missing.at]
    if not missing.is_keyed:
        return f"{before} has no fields, and so no {key}"
    if isinstance(key, int):
        return f"{before} is no list; it has no item {key}"
    there = f"; it has {_listed(missing.known)}" if missing.known else ""
    return f"{before} has no field {key}{there}"


def _problem(node: str, site: Site, fault: Misfit, place: int) -> Problem:
    match fault.why:
        case "null":
            message = f"it may be null, and {fault.wanted} is needed; write default(…, …)"
            return Problem(node, site.field, message, Severity.warning, place)
        case "kind" if not site.is_whole:
            message = f"a text with ${{…}} in it stays text, and {fault.wanted} is needed"
        case "kind":
            message = f"it gives {fault.given}, and {fault.wanted} is needed"
        case "format":
            message = f"it gives a {fault.given}, and a {fault.wanted} is needed"
        case _:
            message = f"it gives one of {fault.given}, and one of {fault.wanted} is needed"
    return Problem(node, site.field, message, at=place)


def _listed(names: Sequence[str], most: int = 12) -> str:
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
