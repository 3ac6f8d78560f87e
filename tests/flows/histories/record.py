"""Record the shipped flows: `pytest tests/flows/histories/record.py`. Done at each release.

A version of a flow that was recorded before keeps its files: they are what later releases are held
to. `earlier/` has documents as they were released and are not shipped any more.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from app.flows import registry
from app.flows.document import Document, content_hash, parse
from app.flows.dryrun.keep import written
from app.flows.dryrun.recording import read_recording
from app.flows.gallery import find_template, list_templates
from app.flows.node import Effect, StepFailed, Subject
from app.flows.publish import publish
from app.flows.registry import node_type, shipped_node_types
from app.flows.start import start_flow
from app.flows.steer import cancel_run
from tests.flows.conftest import Workshop
from tests.flows.histories import half_way
from tests.flows.histories.acting import Faults, acting, input_of
from tests.flows.histories.half_way import take_out

HERE = Path(__file__).parent
RECORDED = HERE / "recorded"
AWAY = StepFailed("the peer is away", transient=True)
NO = StepFailed("the peer refuses")
LONGEST_HOURS = 24 * 40
PATIENCE_HOURS = 24 * 20
"""A person who is asked for has said nothing by then; the run is cancelled."""


def documents() -> Iterator[Document]:
    for row in list_templates():
        yield find_template(row.slug)
    for path in sorted((HERE / "earlier").glob("*.json")):
        yield parse(path.read_bytes())


def acted_nodes(document: Document) -> list[str]:
    """Return those with an effect; one that undoes another is tried until it works, for ever."""
    undoing = {spec.compensate for spec in document.nodes.values()}
    return [
        name
        for name, spec in document.nodes.items()
        if node_type(spec.type, spec.v).effect is not Effect.PURE and name not in undoing
    ]


def stories(document: Document) -> dict[str, Faults]:
    """Name the ways in which a flow is recorded: all well, each peer away for once, each refusing."""
    nodes = acted_nodes(document)
    return {
        "well": {},
        "away-once": dict.fromkeys(nodes, (AWAY,)),
        **{f"{name}-refuses": {name: (NO,)} for name in nodes},
    }


@pytest.mark.parametrize(
    "document", list(documents()), ids=lambda one: f"{one.flow}-{content_hash(one)[:8]}"
)
async def test_record(
    workshop: Workshop, document: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "node_types", shipped_node_types)
    release = content_hash(document)[:8]
    for story, faults in stories(document).items():
        path = RECORDED / f"{document.flow}.{release}.{story}.json"
        if path.exists():
            continue
        acted = acting(faults)  # once: it reads what is installed
        monkeypatch.setattr(registry, "node_types", lambda acted=acted: acted)
        async with workshop.database.transaction() as tx:
            await publish(tx, document, note="recorded")
            run = await start_flow(
                tx, document.flow, data=input_of(document), dedup_key=str(path), **_about(document)
            )
        await _to_its_end(workshop, run)
        async with workshop.database.snapshot() as tx:
            recording = await read_recording(tx, run)
        RECORDED.mkdir(exist_ok=True)
        path.write_text(written(recording))


def _about(document: Document) -> dict[str, object]:
    gives = next(
        node_type(spec.type, spec.v).subject(spec.params)
        for spec in document.nodes.values()
        if spec.type.startswith("trigger.")
    )
    if gives in (None, Subject.NOTHING):
        return {}
    return {"subject": uuid4(), "subject_kind": gives}


async def _to_its_end(workshop: Workshop, run: object) -> None:
    """Drive it hour by hour; one that halts is cancelled, which undoes what it did."""
    for hour in range(LONGEST_HOURS):
        await workshop.drive()
        await workshop.close()
        status = await workshop.status(run)
        if status in ("succeeded", "failed", "cancelled"):
            return
        if status == "halted" or hour == PATIENCE_HOURS:
            async with workshop.database.transaction() as tx:
                await cancel_run(tx, run)
        workshop.clock.advance(seconds=3_600 if status == "waiting" else 1)
    raise AssertionError("it never ends")


def flow(slug: str, nodes: dict[str, Any], edges: list[list[str]], **more: Any) -> Document:
    begun = {"begin": {"type": "trigger.manual"}, **nodes}
    made = {"schema": 1, "flow": slug, "nodes": begun, "edges": edges, **more}
    return parse(msgspec.json.encode(made))


def record(**more: Any) -> dict[str, Any]:
    given = {"connection": "dns", "name": "a.example.org", "type": "A", "values": ["192.0.2.1"]}
    return {"type": "action.dns_record", "with": given, **more}


TELL = {"type": "action.chat_webhook", "with": {"connection": "chat", "text": "done"}}
PLACES: dict[str, tuple[Document, Faults]] = {
    "in a loop": (
        flow(
            "in-a-loop",
            {
                "each": {"type": "logic.each", "with": {"items": ["a", "b", "c"]}},
                "record": record(within="each"),
                "pause": {"type": "logic.wait", "with": {"for": "1h"}, "within": "each"},
                "tell": TELL,
            },
            [["begin.out", "each.in"], ["each.each", "record.in"], ["record.out", "pause.in"],
             ["each.done", "tell.in"]],
        ),
        {},
    ),
    "in a branch": (
        flow(
            "in-a-branch",
            {
                "fork": {"type": "logic.parallel", "with": {"branches": ["left", "right"]}},
                "left": record(),
                "ask": {"type": "logic.approval", "with": {"title": "Go on?", "timeout": "30d"}},
                "join": {"type": "logic.join"},
                "tell": TELL,
            },
            [["begin.out", "fork.in"], ["fork.branch:left", "left.in"],
             ["fork.branch:right", "ask.in"], ["left.out", "join.in"],
             ["ask.approved", "join.in"], ["join.out", "tell.in"]],
        ),
        {},
    ),
    "before another try": (
        flow("before-another-try",
             {"record": record(retry={"max": 5, "delay": "1h"}), "tell": TELL},
             [["begin.out", "record.in"], ["record.out", "tell.in"]]),
        {"record": (AWAY,)},
    ),
    "halted": (
        flow("halted", {"record": record(), "tell": TELL},
             [["begin.out", "record.in"], ["record.out", "tell.in"]]),
        {"tell": (NO,)},
    ),
    "to be undone": (
        flow("to-be-undone", {"record": record(), "tell": TELL},
             [["begin.out", "record.in"], ["record.out", "tell.in"]]),
        {"tell": (NO,)},
    ),
}  # fmt: skip
"""Where runs are stopped, by a name that `test_half_way.py` knows what to do with."""


async def test_record_half_way(
    workshop: Workshop, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: dict[str, str] = {}
    for name, (document, faults) in PLACES.items():
        monkeypatch.setattr(registry, "node_types", lambda faults=faults: acting(faults))
        async with workshop.database.transaction() as tx:
            await publish(tx, document, note="recorded")
            run = await start_flow(tx, document.flow, data={}, dedup_key=name)
        await workshop.drive()
        runs[name] = str(run)
    async with workshop.database.transaction() as tx:
        await cancel_run(tx, UUID(runs["to be undone"]))  # and no worker has looked at it since
    found = await take_out(dsn, runs, workshop.clock.now().isoformat())
    path = half_way.HERE / f"{found.migration.rsplit(':', 1)[1]}.json"
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=1))
