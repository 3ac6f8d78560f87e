"""The kept score, a replay of a real run, and where one on other code would differ."""

import msgspec
import pytest

from app.core.database import Tx
from app.core.errors import NotFound
from app.flows.document import NodeSpec
from app.flows.dryrun.of_flow import dry_run_of
from app.flows.dryrun.recording import read_recording
from app.flows.dryrun.rehearse import rehearse
from app.flows.dryrun.replay import replay, replay_run
from app.flows.dryrun.score import find_rehearsal, keep_rehearsal, scores
from app.flows.publish import publish
from tests.flows.conftest import Workshop, document
from tests.flows.dryrun.stage import line


async def test_the_score_is_kept_by_content_and_found_by_flow(tx: Tx) -> None:
    draft = line(("a", {"type": "x.here"}))
    report = await rehearse(draft)
    await keep_rehearsal(tx, report, by_label="test")
    assert await find_rehearsal(tx, flow="test") is None
    found = await find_rehearsal(tx, content_hash=report.content_hash)
    assert found is not None
    assert (found.report, found.is_latest) == (report, False)
    await publish(tx, draft, note="test")
    await keep_rehearsal(tx, report, by_label="test")
    latest = await find_rehearsal(tx, flow="test")
    assert latest is not None
    assert (latest.score, latest.is_latest) == (report.score, True)
    assert await scores(tx) == {"test": report.score}


async def test_a_replay_says_where_a_parameter_a_path_or_an_output_differs(
    workshop: Workshop,
) -> None:
    flow = document(
        {
            "a": ("t.call", {"params": {"text": "x"}}),
            "b": ("t.note", {"params": {"text": "=steps.a.text"}}),
        },
        [("begin.out", "a.in"), ("a.out", "b.in")],
    )
    run = await workshop.start(flow)
    await workshop.drive()
    async with workshop.database.snapshot() as tx:
        recording = await read_recording(tx, run)
        same = await replay_run(tx, run)
        again = await dry_run_of(tx, recording.document, run=run)
    assert same.is_same
    assert [step.origin for step in again.path] == ["recorded"] * 3
    other = dict(recording.document.nodes)
    other["b"] = NodeSpec(type="t.note", params={"text": "other"})
    changed = msgspec.structs.replace(
        recording, document=msgspec.structs.replace(recording.document, nodes=other)
    )
    found = await replay(changed)
    assert [
        (one.node, one.what, one.field, one.recorded, one.now) for one in found.differences
    ] == [("b", "parameter", "text", "x", "other")]
    cut = msgspec.structs.replace(recording.document, edges=recording.document.edges[:1])
    found = await replay(msgspec.structs.replace(recording, document=cut))
    assert [(one.node, one.what, one.now) for one in found.differences] == [
        ("b", "path", "not come to")
    ]


async def test_there_is_nothing_to_replay_of_a_run_that_is_not(tx: Tx, workshop: Workshop) -> None:
    with pytest.raises(NotFound):
        await replay_run(tx, workshop.category)
