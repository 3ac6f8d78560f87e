"""What is done about failures: retries, time limits, idempotency, compensation."""

from collections.abc import Iterator

from app.flows.document import ERRORS, BadDocument, NodeSpec, duration
from app.flows.node import Effect, Idempotency, NodeType
from app.flows.validate.problem import Problem, warning
from app.flows.validate.reading import LEAVE, Reading
from app.flows.validate.shape import POLICIES

MOST_ATTEMPTS = 100_000
MOST_FACTOR = 100


def policy_problems(reading: Reading) -> Iterator[Problem]:
    for name, spec in reading.document.nodes.items():
        yield from _retry_problems(name, spec)
        yield from _duration_problems(name, spec)
        yield from _effect_problems(name, spec, reading.kinds.get(name))
        if spec.on_failure is not None and spec.on_failure not in POLICIES:
            yield Problem(name, "on_failure", "must be halt or compensate, or be left out")
        if spec.compensate not in (None, LEAVE):
            yield from _compensation_problems(reading, name, str(spec.compensate))


def _retry_problems(name: str, spec: NodeSpec) -> Iterator[Problem]:
    retry = spec.retry
    if not 1 <= retry.max <= MOST_ATTEMPTS:
        message = f"must be 1 to {MOST_ATTEMPTS:,}; it counts all attempts"
        yield Problem(name, "retry.max", message)
    if not 1 <= retry.factor <= MOST_FACTOR:
        yield Problem(name, "retry.factor", f"must be 1 to {MOST_FACTOR}")
    for kind in retry.on:
        if kind not in ERRORS:
            message = f"there are no errors of the kind {kind}; kinds are {', '.join(ERRORS)}"
            yield Problem(name, "retry.on", message)
    if retry.max > 1 and not retry.on:
        yield warning(name, "retry.on", "no kind of error is tried again; name some")


def _duration_problems(name: str, spec: NodeSpec) -> Iterator[Problem]:
    lengths = {}
    for field, text in (
        ("retry.delay", spec.retry.delay),
        ("retry.longest", spec.retry.longest),
        ("timeout.attempt", spec.timeout.attempt),
        ("timeout.total", spec.timeout.total),
    ):
        if text is None:
            continue
        try:
            lengths[field] = duration(text)
        except BadDocument as error:
            yield Problem(name, field, error.message)
    for field in ("timeout.attempt", "timeout.total"):
        if field in lengths and not lengths[field]:
            yield Problem(name, field, "must be more than nothing, or every attempt is too late")


def _effect_problems(name: str, spec: NodeSpec, kind: NodeType | None) -> Iterator[Problem]:
    if spec.idempotency is None:
        return
    known = [policy.value for policy in Idempotency]
    if spec.idempotency not in known:
        yield Problem(name, "idempotency", f"must be one of {', '.join(known)}, or be left out")
    elif kind is None:
        return
    elif kind.effect is not Effect.OUTSIDE:
        message = "its effect is in our own database, once and only once; leave this out"
        yield warning(name, "idempotency", message)
    elif spec.idempotency == Idempotency.PROBE and kind.probe is None:
        message = f"{kind.title} cannot ask its target what happened; use key or none"
        yield Problem(name, "idempotency", message)


def _compensation_problems(reading: Reading, name: str, other: str) -> Iterator[Problem]:
    nodes = reading.document.nodes
    kind = reading.kinds.get(other)
    if other not in nodes:
        message = f"there is no node {other}; name one that no edge leads to, or none"
        yield Problem(name, "compensate", message)
    elif other == name:
        yield Problem(name, "compensate", "a step cannot undo itself by being done again")
    elif kind is not None and (kind.trigger is not None or kind.container or kind.join):
        message = f"{other} is a {kind.title}, which undoes nothing; name an action"
        yield Problem(name, "compensate", message)
    elif nodes[other].within != nodes[name].within:
        message = f"{other} must be in the same container, to see what this step saw"
        yield Problem(name, "compensate", message)
