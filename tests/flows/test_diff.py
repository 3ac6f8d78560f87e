"""What differs between two versions, as data and in words."""

import random

from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET
from msgspec.structs import replace

from app.flows.diff import FieldChange, apply, diff, lines
from app.flows.document import Document, Timeout, content_hash, encode, parse
from app.flows.transfer import export, read
from tests.flows.validate.kinds import flow, line
from tests.flows.validate.test_random import documents


@given(before=documents(), after=documents())
def test_what_differs_makes_one_document_the_other(before: Document, after: Document) -> None:
    after = replace(after, edges=tuple(dict.fromkeys(after.edges)))
    before = replace(before, edges=tuple(dict.fromkeys(before.edges)), ui={"a": 1})
    changes = diff(before, after)
    made = apply(changes, before)
    assert content_hash(made) == content_hash(after)
    assert made.ui == before.ui
    assert changes.is_empty == (content_hash(before) == content_hash(after))
    assert bool(lines(changes)) != changes.is_empty


@given(document=documents(), seed=st.integers())
def test_what_runs_is_the_same_however_it_is_written(document: Document, seed: int) -> None:
    shuffle = random.Random(seed)
    names, edges = list(document.nodes), list(document.edges)
    shuffle.shuffle(names)
    shuffle.shuffle(edges)
    other = replace(
        document,
        nodes={name: document.nodes[name] for name in names},
        edges=tuple(edges),
        ui={"moved": seed},
    )
    for written in (other, parse(encode(document)), read(export(other))):
        assert content_hash(written) == content_hash(document)
        assert diff(document, written).is_empty


def test_a_change_is_told_field_by_field() -> None:
    before = flow(
        "go > a", "a > b",
        a=("t.note", {"text": "old", "names": {"x": "1", "y": "2"}}, {"name": "First"}),
        b=("t.call", {}, {"retry": {"max": 2}}),
    )  # fmt: skip
    after = flow(
        "go > a", "a > c",
        a=("t.note", {"text": "=input.x", "names": {"x": "1", "z": "3"}}, {"name": "First"}),
        c=("t.call", {}, {"name": "Call", "timeout": {"attempt": "1m"}}),
    )  # fmt: skip
    after = replace(after, on_failure="compensate", inputs={"type": "object"})
    changes = diff(before, after)
    (changed,) = changes.changed
    assert (changed.node, changed.title) == ("a", "First")
    assert changed.fields == (
        FieldChange(("with", "names", "y"), "2", UNSET),
        FieldChange(("with", "names", "z"), UNSET, "3"),
        FieldChange(("with", "text"), "old", "=input.x"),
    )
    assert [entry.title for entry in (*changes.added, *changes.removed)] == ["Call", "b"]
    assert lines(changes) == [
        '~ flow: inputs.type: not set → "object"',
        '~ flow: on_failure: not set → "compensate"',
        "+ node c “Call” (t.call v1)",
        "- node b (t.call v1)",
        '~ node a: with.names.y: "2" → not set',
        '~ node a: with.names.z: not set → "3"',
        '~ node a: with.text: "old" → "=input.x"',
        "+ edge a.out → c.in",
        "- edge a.out → b.in",
    ]


def test_policies_differ_by_their_parts() -> None:
    before, after = line(a="t.call"), line(a=("t.call", {}, {"retry": {"max": 5}, "v": 1}))
    after.nodes["a"] = replace(after.nodes["a"], timeout=Timeout(attempt="1m"))
    assert lines(diff(before, after)) == [
        "~ node a: retry.max: not set → 5",
        '~ node a: timeout.attempt: not set → "1m"',
    ]


def test_long_values_are_cut_and_kinds_are_told_apart() -> None:
    one, other = line(a=("t.note", {"anything": 1})), line(a=("t.note", {"anything": True}))
    assert lines(diff(one, other)) == ["~ node a: with.anything: 1 → true"]
    (text,) = lines(diff(one, line(a=("t.note", {"anything": "x" * 900}))))
    assert len(text) < 300
    assert text.endswith("x…")
