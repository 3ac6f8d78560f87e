"""Expressions: what they refer to is there, has the field, and is of the type."""

from typing import Any

import pytest
from msgspec.structs import replace

from app.flows.document import Document
from app.flows.validate import problems_of
from tests.flows.validate.kinds import flow, line, only


def asks(expression: Any, parameter: str = "text") -> Any:
    return ("t.note", {parameter: expression})


def inside(expression: Any, parameter: str = "text") -> Any:
    return (*asks(expression, parameter), {"within": "l"})


EACH = ("logic.each", {"items": [1]})
SPLIT = ("go > i", "i.true > a", "i.false > b")
AGAIN = ("go > l", "l.each > x", "l.done > z", "l.exhausted > y")


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (line(a=asks("=steps.gone.x")), "gone, which is no node"),
        (line(alpha="t.any", b=asks("=steps.alfa.x")), "did you mean steps.alpha?"),
        (line(a=asks("=steps.a.name")), "its own output"),
        (line(a=asks("=steps.b.name"), b="t.note"), "b runs only after this"),
        (flow(*SPLIT, i="t.if", a="t.note", b=asks("=steps.a.name")), "on another branch only"),
        (flow("go > a", "go > b", a="t.note", b=asks("=steps.a.name")),
         "a runs at the same time; lead both into a logic.join"),
        (flow("go > a", "a.error > b", a="t.note", b=asks("=steps.a.name")), "a has failed when this"),
        (flow(*AGAIN, l=("logic.repeat", {"until": "=true", "max": 1}), y="t.note", z=asks("=steps.x.name"),
              x=("t.note", {}, {"within": "l"})), "x is inside of l, out of sight; refer to steps.l"),
        (flow(*AGAIN, l=("logic.repeat", {"until": "=true", "max": 1}), x=inside("=string(steps.l.count)"), y="t.note",
              z="t.note"), "l has no output while its body runs"),
        (flow("go > a", "a > b", a=("t.call", {}, {"compensate": "u"}), u="t.note", b=asks("=steps.u.name")),
         "u is done only when a is undone"),
        (line(a=asks("=item.name")), "inside of a logic.each only"),
        (line(a=asks("=string(index)")), "inside of a logic.each only"),
        (flow(*AGAIN, l=("logic.repeat", {"until": "=true", "max": 1}), x=inside("=item.x"), y="t.note", z="t.note"),
         "inside of a logic.each only"),
        (line(a=asks("=error.message")), "on an error branch only"),
        (flow("go > a", "a.error > l", "l.each > x", a="t.note", l=EACH, x=inside("=error.message")),
         "not inside a body"),
        (line(a=asks("=result.x")), "result is not seen here"),
        (line(a="t.note", b=asks("=steps.a.nam")), "steps.a has no field nam; it has at, box, boxes, colour"),
        (line(a="t.note", b=asks("=steps.a.box.weight")), "steps.a.box has no field weight; it has label, width"),
        (line(a="t.note", b=asks("=steps.a.name.first")), "steps.a.name has no fields"),
        (line(a="t.note", b=asks("=string(steps.a.boxes[0].x)")), "has no field x"),
        (line(a="t.note", b=asks("=steps.a.count")), "it gives a number, and text is needed"),
        (line(a="t.note", b=asks("=steps.a.name", "count")), "it gives text, and a number is needed"),
        (line(a="t.note", b=asks("=steps.a.box", "boxes")), "it gives an object, and a list is needed"),
        (line(a="t.note", b=asks("=steps.a.name == 'x'")), "it gives true or false, and text is needed"),
        (line(a="t.note", b=asks("${steps.a.count} of 5", "count")), "with ${…} in it stays text, and a number"),
        (line(a="t.note", b=("t.note", {"boxes": [{"width": "=steps.a.name"}]})), "it gives text, and a number is needed"),
        (line(a=asks("='slow' + 1")), "does not take string and int"),
    ],
)  # fmt: skip
def test_what_cannot_be_there_is_an_error(document: Document, words: str) -> None:
    told = problems_of(document)
    assert [problem.severity for problem in told] == ["error"], told
    assert words in told[0].message


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (flow("go > i", "i.true > a", "a > m", "i.false > m", i="t.if", a="t.note", m=asks("=steps.a.name")),
         "write has(steps.a) ? … : …"),
        (flow("go > a", "a > b", "a.error > b", a="t.note", b=asks("=steps.a.name")), "may not have run"),
        (flow("go > i", "go > b", "i.true > a", "a > j", "b > j", "j > m", i="t.if", a="t.note", b="t.note",
              j="logic.join", m=asks("=steps.a.name")), "may not have run"),
        (flow("go > a", "go > b", "a > j", "b > j", "j > m", a="t.note", b="t.note",
              j=("logic.join", {"mode": "any"}), m=asks("=steps.a.name")), "may not have run"),
        (flow(*AGAIN, "x.error > w", l=("logic.repeat", {"until": "=steps.x.name == 'a'", "max": 1}), y="t.note",
              z="t.note", x=("t.note", {}, {"within": "l"}), w=("t.note", {}, {"within": "l"})), "may not have run"),
        (flow(*SPLIT, i="t.if", a="t.note", b=asks("=has(steps.a) ? 'x' : 'y'")), "it is never there"),
        (line(a=asks("=vars.x")), "nothing in this flow sets the variable x; set are: none"),
        (line(a="t.note", b=asks("=steps.a.nick")), "it may be null, and text is needed"),
        (line(a="t.shaped", b=asks("=steps.a.bdy")), "steps.a has no field bdy; it has body"),
        (line(a="t.note", b=asks("=default(steps.a.nam, 'x')")), "has no field nam"),
    ],
)  # fmt: skip
def test_what_may_not_be_there_is_a_warning(document: Document, words: str) -> None:
    told = problems_of(document)
    assert [problem.severity for problem in told] == ["warning"], told
    assert words in told[0].message


@pytest.mark.parametrize(
    "document",
    [
        line(a="t.note", b=asks("=steps.a.name + steps['a'].box.label + string(steps.a.boxes[0].width)")),
        flow("go > a", "go > b", "a > j", "b > j", "j > m", a="t.note", b="t.note", j="logic.join",
             m=asks("=steps.a.name + steps.b.name")),
        flow("go > p", "p.a > a", "p.b > b", "p.c > j", "a > j", "b > j", "j > m", p="t.all", a="t.note", b="t.note",
             j="logic.join", m=asks("=steps.a.name + steps.b.name")),
        flow("go > i", "i.true > a", "a > m", "i.false > m", i="t.if", a="t.note",
             m=asks("=has(steps.a) ? steps.a.name : 'none'")),
        flow("go > i", "i.true > a", "a > m", "i.false > m", i="t.if", a="t.note", m=asks("=default(steps.a.name, '')")),
        flow("go > a", "a.error > b", "b > c", a="t.note", b="t.note", c=asks("=error.message + error.kind")),
        flow("go > a", "a > b", "a.error > b", a="t.note", b=asks("=has(error.message) ? error.message : ''")),
        flow("go > l", "l.each > x", "x > w", l=EACH, x=inside("${item.name} ${index}"), w=inside("=steps.x.name")),
        flow("go > l", "l.each > r", "r.each > x", "r.done > w", "r.exhausted > w", l=EACH,
             r=("logic.repeat", {"until": "=steps.x.count > 1", "max": 2}, {"within": "l"}),
             x=("t.note", {"text": "=item.name"}, {"within": "r"}), w=inside("=steps.r.last.x.name")),
        flow("go > l", "l.each > x", "l.done > z", l=("logic.each", {"items": [1], "collect": "=steps.x.name + item"}),
             x=("t.note", {}, {"within": "l"}), z="t.note"),
        flow("go > s", "s > a", s=("t.set", {"variables": {"x": 1}}), a=asks("=string(vars.x)")),
        line(a=asks("=has(vars.x) ? vars.x : ''")),
        line(a=asks("=input.list.map(item, item.name)[0]")),
        line(a=("t.poll", {"until": "=result.status == 'x'"})),
        line(a="t.note", b=asks("=steps.a.ratio", "count"), c=asks("=steps.a.count", "ratio")),
        line(a="t.note", b=asks("=steps.a.name", "id"), c=asks("=steps.a.free.x.y", "count"), d=asks("=steps.a", "anything")),
        line(a="t.any", b=asks("=steps.a.x.y.z", "count")),
    ],
)  # fmt: skip
def test_what_is_there_is_taken(document: Document) -> None:
    assert problems_of(document) == []


def test_what_a_body_gave_is_known_outside() -> None:
    loop = ("logic.repeat", {"until": "=true", "max": 1})
    nodes = {"l": loop, "x": ("t.note", {}, {"within": "l"}), "y": "t.note"}
    good = flow(*AGAIN, **nodes, z=asks("=steps.l.last.x.name"))
    assert problems_of(good) == []
    typo = only(flow(*AGAIN, **nodes, z=asks("=steps.l.last.x.nam")))
    assert "steps.l.last.x has no field nam" in typo.message
    gone = only(flow(*AGAIN, **nodes, z=asks("=steps.l.last.w.name")))
    assert "steps.l.last has no field w; it has x" in gone.message


def test_two_fixed_choices_must_have_one_in_common() -> None:
    assert problems_of(line(a="t.note", b=asks("=steps.a.mode", "mode"))) == []
    colour = only(line(a="t.note", b=asks("=steps.a.colour", "mode")))
    assert colour.message == 'it gives one of "blue", "red", and one of "fast", "slow" is needed'
    moment = only(line(a="t.note", b=asks("=steps.a.at", "id")))
    assert moment.message == "it gives a date-time, and a uuid is needed"


def test_a_wrong_expression_keeps_its_place() -> None:
    problem = only(line(a=asks("=  input.name + ")))
    assert (problem.field, problem.at) == ("with.text", len("=  input.name + ") - 1)
    later = only(line(a=("t.note", {"names": {"k": "Hi ${input.x}, ${steps.gone.y}"}})))
    assert (later.field, later.at) == ("with.names.k", len("Hi ${input.x}, ${steps.gone"))
    odd = only(line(a=asks("x ${input.y")))
    assert "never closed" in odd.message


def test_inputs_say_what_there_is() -> None:
    inputs = {"type": "object", "properties": {"host": {"type": "string"}}, "required": ["host"]}
    told = only(with_inputs(line(a=asks("=input.hst")), inputs))
    assert (told.severity, told.message) == ("warning", "input has no field hst; it has host")
    closed = only(
        with_inputs(line(a=asks("=input.hst")), {**inputs, "additionalProperties": False})
    )
    assert closed.is_error
    typed = only(with_inputs(line(a=asks("=input.host", "count")), inputs))
    assert "it gives text, and a number is needed" in typed.message
    assert problems_of(with_inputs(line(a=asks("=input.host")), inputs)) == []


def with_inputs(document: Document, inputs: dict[str, Any]) -> Document:
    return replace(document, inputs=inputs)
