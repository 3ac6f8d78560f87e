"""Recordings as files: a flow's history, to be replayed on later releases."""

from typing import Any

import msgspec

from app.core.errors import Refusal
from app.flows.document import BadDocument, encode, parse
from app.flows.dryrun.recording import RecordedAttempt, Recording
from app.flows.redact import redacted

FORMAT = 1
_KEPT_APART = ("document", "attempts", "edited", "input")


class BadRecording(Refusal):
    code = "flow.bad_recording"

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"This is no recording of a run: {reason}. `slipway run export` writes one."
        )


def written(recording: Recording) -> str:
    """Return a recording as JSON, an attempt a line. What is named like a secret is hidden.

    The same recording is the same text, so that a file under version control changes only with
    what was recorded.
    """
    facts = {
        "recording": FORMAT,
        **{
            name: value
            for name, value in msgspec.structs.asdict(recording).items()
            if name not in _KEPT_APART
        },
        "input": redacted(recording.input),
        "edited": sorted(recording.edited),
    }
    head = msgspec.json.format(msgspec.json.encode(facts), indent=2).decode().rstrip("}\n ")
    document = msgspec.json.format(encode(recording.document), indent=2)
    attempts = ",\n".join(f"    {_line(one)}" for one in recording.attempts)
    return f'{head},\n  "document": {_indented(document)},\n  "attempts": [\n{attempts}\n  ]\n}}\n'


def _line(one: RecordedAttempt) -> str:
    hidden = msgspec.structs.replace(one, input=redacted(one.input), output=redacted(one.output))
    return msgspec.json.encode(hidden).decode()


def _indented(text: str) -> str:
    return text.replace("\n", "\n  ")


def read_written(raw: bytes | str) -> Recording:
    """Read what `written` wrote. Raises BadRecording."""
    try:
        facts: Any = msgspec.json.decode(raw)
        if not isinstance(facts, dict) or facts.pop("recording", None) != FORMAT:
            raise BadRecording(f"it is not of format {FORMAT}")
        document = parse(msgspec.json.encode(facts.pop("document", None)))
        return msgspec.convert({**facts, "document": document}, Recording)
    except BadDocument as error:
        raise BadRecording(error.message) from error
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise BadRecording(str(error)) from error
