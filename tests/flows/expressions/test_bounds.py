"""No expression takes long or grows large, whoever wrote it and whatever it works on."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.flows.expressions import BadExpression, evaluate
from app.flows.expressions.errors import TooCostly
from app.flows.expressions.meter import BUDGET, MAX_TEXT_CHARS, Frame
from app.flows.expressions.program import program

BIG: dict[str, Any] = {
    "input": {
        "text": "x" * 900_000,
        "list": list(range(90_000)),
        "map": {f"k{number}": number for number in range(50_000)},
        "deep": [[["x"] * 50] * 50] * 50,
    }
}


def doubled(start: str, step: str, times: int) -> str:
    """Return a source that makes something of itself again and again."""
    source = f"size(x{times})"
    for at in range(times, 0, -1):
        source = f"cel.bind(x{at}, {step.replace('X', f'x{at - 1}')}, {source})"
    return f"cel.bind(x0, {start}, {source})"


@pytest.mark.parametrize(
    "source",
    [
        "input.list.all(x, input.list.all(y, input.list.all(z, z >= 0)))",
        "input.list.all(x, !input.text.contains('y'))",
        "input.list.all(x, input.text == input.text)",
        "input.list.all(x, input.list == input.list)",
        "input.list.all(x, input.map == input.map)",
        "input.list.all(x, !(-1 in input.list))",
        "input.list.all(x, input.text.lower() != 'x')",
        "input.list.all(x, !input.text.matches('(a?){50}y'))",
        "input.text.matches('((a?){50}){18}y')",
        "input.list.map(x, input.text.split(''))",
        "input.list.map(x, hash.sha256(input.text))",
        "input.list.map(x, json.encode(input.map))",
        "input.list.map(x, input.map.keys())",
        "input.list.map(x, '%s'.format([input.list]))",
        "input.list.map(x, string(x)).sort()",
        "input.list.map(x, [x]).unique()",
        "input.list.map(x, input.list.sum())",
        "input.list.exists(x, input.gone)",
        "input.list.exists(x, input.map.gone)",
        "input.list.map(x, default(input.gone, x))",
        "input.list.map(x, has(input.gone.x))",
        "input.list.exists(x, input[input.text])",
        "regex.extractAll(input.text, 'x')",
        "regex.replace(input.text, 'x', 'yy')",
        "input.text.replace('x', 'yyyyyyyyyyyyyy')",
        "input.text + input.text",
        "'a'.padStart(2000000000, 'x')",
        "range(1000000000)",
        "input.text.split('').join('--------')",
        "input.list + input.list",
        doubled("'a'", "X + X + X + X + X + X", 9),
        doubled("[1]", "X + X + X + X + X + X", 9),
        doubled("[1]", "[X, X, X, X, X, X, X, X]", 9).replace("size(", "json.encode("),
        doubled("[1]", "[X, X, X, X, X, X, X, X]", 9).replace("size(x9)", "x9 == x9"),
    ],
)
def test_what_would_take_long_is_ended(source: str) -> None:
    with pytest.raises(BadExpression, match=r"takes too long|more than|larger than|deeper than"):
        evaluate(source, BIG)


def test_nothing_in_the_language_catches_the_end() -> None:
    costly = "input.list.all(x, input.list.all(y, input.list.all(z, z >= 0)))"
    for source in (f"default({costly}, true)", f"{costly} || true", f"false && {costly} || {costly}",
                   f"[1].exists(x, {costly})"):  # fmt: skip
        with pytest.raises(BadExpression, match="takes too long"):
            evaluate(source, BIG)


def test_results_are_bounded_in_size_and_depth() -> None:
    assert len(evaluate("input.text", BIG)) == 900_000
    with pytest.raises(BadExpression, match="larger than 1,000,000 bytes"):
        evaluate("input.text", {"input": {"text": "é" * 600_000}})
    with pytest.raises(BadExpression, match="larger than 1,000,000 bytes"):
        evaluate("[input.deep, input.deep]", BIG)
    with pytest.raises(BadExpression, match="larger than 1,000,000 bytes"):
        evaluate("[input.text, input.text]", BIG)
    nested: Any = 1
    for _ in range(40):
        nested = {"a": nested}
    with pytest.raises(BadExpression, match="deeper than 32 levels"):
        evaluate("input", {"input": nested})
    assert evaluate("input.a.a.a.a.a.a.a.a.a", {"input": nested}) is not None


def test_values_as_deep_as_python_goes_are_an_error_not_a_crash() -> None:
    deep: Any = []
    for _ in range(400):
        deep = [deep]
    for source in ("input.a == input.b", "input.a in [input.b]", "[input.a, input.b].unique()",
                   "json.encode(input.a)", "'%s'.format([input.a])"):  # fmt: skip
        with pytest.raises(BadExpression, match=r"levels|deeply"):
            evaluate(source, {"input": {"a": deep, "b": [[deep]][0]}})


def test_what_is_usual_is_far_from_the_bounds() -> None:
    rows = [{"name": f"srv-{number}", "price": number} for number in range(2_000)]
    source = "input.rows.filter(r, r.price > 30 && r.name.contains('1')).map(r, r.name).join(', ')"
    ready = program(source)
    frame = Frame({"input": {"rows": rows}}, ready.slots)
    assert ready.run(frame).startswith("srv-31")
    assert frame.left > BUDGET * 0.8


@settings(max_examples=50)
@given(st.integers(0, 40), st.integers(0, 40))
def test_a_budget_is_spent_by_the_rounds_of_loops(outer: int, inner: int) -> None:
    ready = program("input.a.map(x, input.b.map(y, y))")
    frame = Frame({"input": {"a": list(range(outer)), "b": list(range(inner))}}, ready.slots)
    ready.run(frame)
    assert BUDGET - frame.left >= outer * inner


def test_a_frame_that_has_spent_all_stops() -> None:
    frame = Frame({}, 0, budget=10)
    frame.spend(10)
    with pytest.raises(TooCostly):
        frame.read(0)
    with pytest.raises(TooCostly, match="more than"):
        Frame({}, 0).write(MAX_TEXT_CHARS + 1)
