"""An answer as a step's output, or as the words of its failure."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from app.drivers.http.body import BadBody, decode
from app.drivers.http.contract import Answer
from app.drivers.http.hide import shown
from app.flows.calls.request import Request
from app.flows.node import Step, StepFailed
from app.flows.redact import redacted

LONGEST_WORDS_CHARS = 500
LONGEST_PAUSE = timedelta(days=1)
NOT_NOW = frozenset({408, 425, 429})
NEVER = frozenset({501, 505})
UNDONE = frozenset({501, 503, 505})
"""Errors of a server that say that nothing was done; after any other 5xx nobody knows."""
_TAGS = re.compile(r"<(script|style)\b.*?</\1\s*>|<[^>]*>", re.IGNORECASE | re.DOTALL)


class Output(msgspec.Struct, frozen=True):
    """An answer as other nodes see it."""

    status: Annotated[int, Meta(description="The HTTP status.")]
    headers: Annotated[dict[str, str], Meta(description="By name in lower case.")]
    body: Annotated[
        Any,
        Meta(description="A value for JSON, XML and forms, text for text, base64 for the rest."),
    ]


def output_of(step: Step, request: Request, answer: Answer) -> Output:
    """Return the answer if it is a success. Raises StepFailed, with the peer's own words."""
    if not request.accepts(answer.status):
        if answer.status == 401:
            step.tools.connections.forget(request.connection)
        raise failure(request, answer, step.now)
    content_type = answer.headers.get("content-type", "")
    try:
        body = decode(answer.body, content_type, request.read_as)
    except BadBody as error:
        # It was done; asked again, the answer would be no better.
        message = f"{_asked(request, answer)} was done, but its answer cannot be read: {error}"
        raise StepFailed(message) from error
    return Output(answer.status, answer.headers, body)


def failure(request: Request, answer: Answer, now: datetime) -> StepFailed:
    """Return what an answer that is no success means for the step."""
    status = answer.status
    message = f"{_asked(request, answer)} answers {status} {answer.reason}".rstrip()
    if what := words_of(answer):
        message += f": {what}"
    if again := retry_after(answer, now):
        message += f" (it asks to wait {again.total_seconds():.0f} s)"
    is_server = status >= 500
    return StepFailed(
        message,
        transient=status in NOT_NOW or (is_server and status not in NEVER),
        unknown=is_server and status not in UNDONE,
    )


def retry_after(answer: Answer, now: datetime) -> timedelta | None:
    """Return how long the peer asks to be left alone (RFC 9110, 10.2.3), a day at most."""
    text = answer.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdecimal() and len(text) < 9:
        return min(timedelta(seconds=int(text)), LONGEST_PAUSE)
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return min(max(until - now, timedelta()), LONGEST_PAUSE)


def words_of(answer: Answer) -> str:
    """Return what the peer says about its refusal: at most 500 characters, on one line.

    Of JSON, values that are named like secrets are hidden; of HTML, only the text is kept.
    """
    content_type = answer.headers.get("content-type", "")
    try:
        # Of a type that is not said, or only in general, it is words as a rule.
        plain = content_type.partition(";")[0].strip() == "application/octet-stream"
        value = decode(answer.body, "" if plain else content_type)
    except BadBody:
        value = answer.body.decode("utf-8", "replace")
    if isinstance(value, dict | list):
        value = msgspec.json.encode(redacted(value)).decode()
    text = str(value or "")
    if "<" in text:
        text = _TAGS.sub(" ", text)
    text = " ".join(text.split())
    if len(text) > LONGEST_WORDS_CHARS:
        return text[: LONGEST_WORDS_CHARS - 1] + "…"
    return text


def _asked(request: Request, answer: Answer) -> str:
    return f"{request.method} {shown(answer.url)[:300]}"
