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


async def debug_run(tx: Tx, run: UUID, *, by: Designer) -> UUID:
    """Return the draft of the run's flow, made when there is none, with the run's data pinned.

    Secrets are hidden, outputs over 64 KB and those of nodes that the draft has no more are left
    out. Each pin is a gesture of its own, which is undone like any other. Raises NotFound, TooLong.
    """
    recording = await read_recording(tx, run)
    draft = await open_flow(tx, recording.document.flow, by=by)
    outputs = Answers(recording.attempts).outputs()
    view = await find_draft(tx, draft)
    rev = view.rev
    for node, output in outputs.items():
        text = msgspec.json.encode(redacted(output)).decode()
        if (
            node in view.sheet.nodes
            and len(text) <= LARGEST
            and _differs(view.sheet.pins, node, text)
        ):
            command = Command(
                id=new_id(), base_rev=rev, kind="set_pin", payload={"node": node, "text": text}
            )
            rev = (await change(tx, draft, command, by=by)).rev
    return draft


def _differs(pins: dict[str, Any], node: str, text: str) -> bool:
    return node not in pins or pins[node] != msgspec.json.decode(text)
