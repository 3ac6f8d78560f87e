"""Parameters, policies and secrets: what is written in a node."""

from typing import Any

import pytest

from app.flows.document import Document
from app.flows.validate import problems_of
from tests.flows.validate.kinds import flow, line, only


@pytest.mark.parametrize(
    ("params", "field", "words"),
    [
        ({"txet": "x"}, "txet", "has no such parameter; did you mean text?"),
        ({"zzz": 1}, "zzz", "its parameters are text, count"),
        ({"text": 5}, "text", "must be text, not a whole number"),
        ({"count": "5"}, "count", "must be a whole number, not text"),
        ({"count": 0}, "count", "must be a whole number >= 1"),
        ({"is_on": 1}, "is_on", "must be true or false, not a whole number"),
        ({"id": "abc"}, "id", "invalid UUID"),
        ({"mode": "medium"}, "mode", "'medium' is none of these: fast, slow"),
        ({"boxes": [{"width": 1}, {"width": "w"}]}, "boxes[1].width", "must be a whole number"),
        ({"boxes": [{"width": "=input.w"}, {"wid": 1, "width": 1, "label": "=input.l"}]},
         "boxes[1].wid", "did you mean width?"),
        ({"boxes": [{"label": "=input.l"}]}, "boxes[0].width", "is missing"),
        ({"boxes": {"a": "=input.l"}}, "boxes", "must be list, not an object"),
        ({"boxes": ["=input.box", 5]}, "boxes[1]", "must be an object, not a whole number"),
        ({"names": {"a": 1, "b": "=input.b"}}, "names.a", "must be text"),
        ({"names": ["=input.b"]}, "names", "must be dict, not a list"),
        ({"count": "==5"}, "count", "must be a whole number, not text"),
        ({"connection": "=input.peer"}, "connection", "the name of a connection"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_parameter_is_told(params: Any, field: str, words: str) -> None:
    problem = only(line(a=("t.note", params)))
    assert (problem.node, problem.field) == ("a", f"with.{field}")
    assert words in problem.message


@pytest.mark.parametrize(
    "params",
    [
        {"text": "==x", "count": 2, "ratio": 3, "is_on": True, "connection": "acme dns"},
        {"id": "018f2c6e-7d0a-7cc1-8000-000000000001", "mode": "slow", "boxes": [{"width": 1}]},
        {"boxes": "=input.boxes", "names": {"a": "=input.a", "b": "x"}, "anything": ["=input.x"]},
        {"boxes": [{"width": "=input.w", "label": "a ${input.b}"}], "count": "=input.count"},
    ],
)
def test_right_parameters_are_taken(params: Any) -> None:
    assert problems_of(line(a=("t.note", params))) == []


def test_what_is_needed_is_asked_for() -> None:
    problem = only(line(a="t.need"))
    assert (problem.field, problem.message) == ("with.text", "is missing: give it a value")


def test_parameters_that_do_not_go_together_are_told() -> None:
    problem = only(line(a=("t.full", {"first": "x", "last": "x"}, {"v": 2})))
    assert (problem.field, problem.message) == ("with", "first and last are the same")
    assert problems_of(line(a=("t.full", {"first": "x", "last": "=input.x"}, {"v": 2}))) == []


@pytest.mark.parametrize(
    ("document", "field", "words"),
    [
        (flow("go > a", a="t.note", trigger="t.hand"), None, ""),
        (flow("go > r", "r.each > x", "r.exhausted > y", y="t.note",
              r=("logic.repeat", {"until": "=true", "max": "=input.n"}), x=("t.note", {}, {"within": "r"})),
         "with.max", "read before the body is run"),
        (flow("go > r", "r.each > x", "r.exhausted > y", y="t.note",
              r=("logic.repeat", {"until": "true", "max": 1}), x=("t.note", {}, {"within": "r"})),
         "with.until", "matching regex"),
        (flow("go > e", "e.each > x", e=("logic.each", {"items": "=input.list", "concurrency": "=2"}),
              x=("t.note", {}, {"within": "e"})),
         "with.concurrency", "read before the body is run"),
        (flow("go > a", "go > b", "a > j", "b > j", a="t.note", b="t.note",
              j=("logic.join", {"mode": "=input.mode"})), "with.mode", "before anything has come"),
    ],
)  # fmt: skip
def test_what_is_read_before_the_run_is_written_out(
    document: Document, field: str | None, words: str
) -> None:
    told = [(problem.field, problem.message) for problem in problems_of(document)]
    assert [one for one, _ in told] == ([field] if field else [])
    assert all(words in message for _, message in told)


def test_a_triggers_parameters_are_fixed() -> None:
    document = flow("go > a", a="t.note", trigger="t.hand")
    document.nodes["go"].params["text"] = "=input.x"
    assert "no run yet" in only(document).message


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"retry": {"max": 0}}, "retry.max", "1 to 100,000"),
        ({"retry": {"max": 100_001}}, "retry.max", "1 to 100,000"),
        ({"retry": {"factor": 0.9}}, "retry.factor", "1 to 100"),
        ({"retry": {"delay": "soon"}}, "retry.delay", "not a duration"),
        ({"retry": {"longest": "99999d"}}, "retry.longest", "longer than ten years"),
        ({"retry": {"on": ["cosmic"]}}, "retry.on", "kinds are transient, timeout"),
        ({"timeout": {"attempt": "0s"}}, "timeout.attempt", "more than nothing"),
        ({"timeout": {"total": "1 hour"}}, "timeout.total", "not a duration"),
        ({"idempotency": "maybe"}, "idempotency", "key, probe, none"),
        ({"idempotency": "probe"}, "idempotency", "cannot ask its target"),
        ({"on_failure": "pray"}, "on_failure", "halt or compensate"),
        ({"compensate": "gone"}, "compensate", "there is no node gone"),
        ({"compensate": "a"}, "compensate", "cannot undo itself"),
        ({"compensate": "go"}, "compensate", "which undoes nothing"),
    ],
)
def test_policies_are_possible(fields: Any, field: str, words: str) -> None:
    told = [one for one in problems_of(line(a=("t.call", {}, fields))) if one.node == "a"]
    assert [problem.field for problem in told] == [field]
    assert words in told[0].message


def test_policies_that_do_nothing_are_warnings() -> None:
    nothing = only(line(a=("t.call", {}, {"retry": {"max": 2, "on": []}})))
    assert (nothing.field, nothing.severity) == ("retry.on", "warning")
    ours = only(line(a=("t.note", {}, {"idempotency": "key"})))
    assert (ours.field, ours.severity) == ("idempotency", "warning")
    assert problems_of(line(a=("t.probed", {}, {"idempotency": "probe"}))) == []


def test_a_compensation_stands_alone_beside_what_it_undoes() -> None:
    undone = {"compensate": "u"}
    good = flow("go > a", a=("t.call", {}, undone), u=("t.note", {"text": "=steps.a.name"}))
    assert problems_of(good) == []
    led_to = flow("go > a", "a > u", a=("t.call", {}, undone), u="t.note")
    assert "stands alone; delete the edge a.out → u.in" in only(led_to).message
    followed = flow("go > a", "u > b", a=("t.call", {}, undone), u="t.note", b="t.note")
    assert ("u", "edges") in {(one.node, one.field) for one in problems_of(followed)}
    apart = flow(
        "go > l", "l.each > a", l=("logic.each", {"items": [1]}),
        a=("t.call", {}, {"within": "l", "compensate": "u"}), u="t.note",
    )  # fmt: skip
    assert "in the same container" in only(apart).message
    assert problems_of(line(a=("t.call", {}, {"compensate": "none"}))) == []


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"anything": {"password": "hunter2"}}, "anything.password"),
        ({"names": {"X-Api-Key": "abcdef"}}, "names.X-Api-Key"),
        ({"names": {"Authorization": "Basic abc"}}, "names.Authorization"),
        ({"anything": [{"clientSecret": "abc"}]}, "anything[0].clientSecret"),
        ({"text": "-----BEGIN OPENSSH PRIVATE KEY-----\nabc"}, "text"),
        ({"text": "curl -H 'Authorization: Bearer abcdefghijklmnop1234'"}, "text"),
        ({"text": "postgres://app:hunter2@db.example.com/x"}, "text"),
        ({"text": "key AKIAIOSFODNN7EXAMPLE"}, "text"),
    ],
)
def test_secrets_have_no_place_in_a_flow(params: Any, field: str) -> None:
    problem = only(line(a=("t.note", params)))
    assert problem.field == f"with.{field}"
    assert "keep it in a connection" in problem.message
    assert "hunter2" not in problem.message


@pytest.mark.parametrize(
    "params",
    [
        {"anything": {"password": "=steps.go.order"}, "text": "password reset"},
        {"names": {"Authorization": "Bearer ${vars.token}"}},
        {"anything": {"token_field": "next", "tokens": 5, "password": "", "secret": True}},
        {"text": "https://example.com:8080/a@b", "connection": "stripe"},
        {"text": "https://${input.user}:${input.word}@example.com"},
    ],
)
def test_what_only_speaks_of_secrets_is_taken(params: Any) -> None:
    document = flow(
        "go > s", "s > a", s=("t.set", {"variables": {"token": "=input.t"}}), a=("t.note", params)
    )
    assert [problem for problem in problems_of(document) if problem.is_error] == []


def test_secrets_in_notes_are_found_too() -> None:
    noted = flow("go > a", a="t.note", ui={"notes": ["ask for sk_live_abcdefghijklmnop1234"]})
    assert only(noted).field == "ui.notes[0]"
