"""Take a run into the flow's draft: what each node gave is pinned there as its sample data."""

from typing import Any
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.ids import new_id
from app.flows.drafts.change import change
from app.flows.drafts.command import Command
from app.flows.drafts.find import find_draft
from app.flows.drafts.kinds.set_pin import LARGEST
from app.flows.drafts.open import open_flow
from app.flows.drafts.views import Designer
from app.flows.dryrun.recording import Answers, read_recording
from app.flows.redact import redacted


class Debugged(msgspec.Struct, frozen=True, kw_only=True):
    """The draft that a run was taken into, and what became of each node's output, by node."""

    draft: UUID
    pinned: tuple[str, ...]
    gone: tuple[str, ...]
    """The draft has no such node."""
    too_large: tuple[str, ...]


async def debug_run(tx: Tx, run: UUID, *, by: Designer) -> Debugged:
    """Pin the run's data into the draft of its flow, which is made when there is none.

    Secrets are hidden, outputs over 64 KB and those of nodes that the draft has no more are left
    out. Each pin is a gesture of its own, which is undone like any other. Raises NotFound, TooLong.
    """
    recording = await read_recording(tx, run)
    draft = await open_flow(tx, recording.document.flow, by=by)
    outputs = Answers(recording.attempts).outputs()
    view = await find_draft(tx, draft)
    rev = view.rev
    known = {node: output for node, output in outputs.items() if node in view.sheet.nodes}
    texts = {node: msgspec.json.encode(redacted(out)).decode() for node, out in known.items()}
    fitting = {node: text for node, text in texts.items() if len(text) <= LARGEST}
    for node, text in fitting.items():
        if _differs(view.sheet.pins, node, text):
            command = Command(
                id=new_id(), base_rev=rev, kind="set_pin", payload={"node": node, "text": text}
            )
            rev = (await change(tx, draft, command, by=by)).rev
    return Debugged(
        draft=draft,
        pinned=tuple(fitting),
        gone=tuple(node for node in outputs if node not in known),
        too_large=tuple(node for node in texts if node not in fitting),
    )


def _differs(pins: dict[str, Any], node: str, text: str) -> bool:
    return node not in pins or pins[node] != msgspec.json.decode(text)
