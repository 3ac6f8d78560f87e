"""Text with `${…}` in it, and parameters as trees."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.flows.expressions import (
    BadExpression,
    check,
    evaluate,
    is_expression,
    names_in,
    plan,
    problems_in,
    references,
    resolve,
    sources_of,
)
from app.flows.expressions.meter import MAX_TEXT_CHARS

SCOPE: dict[str, Any] = {
    "input": {"name": "Ada", "n": 2, "half": 0.5, "whole": 2.0, "none": None, "m": {"a": [1]}},
    "steps": {"create-vm": {"id": 7}},
}


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("plain", "plain"),
        ("Hi ${input.name}, ${ input.n }", "Hi Ada, 2"),
        ('${ {"a": 1}.a }', "1"),
        ("${'}'}", "}"),
        ('${"}"}${"{"}', "}{"),
        ("${[{'a': {'b': '}'}}][0].a.b}!", "}!"),
        ("${input.name // }\n}", "Ada"),
        ("${'''}''' + r'}\\d'}", "}}\\d"),
        ("$${input.name}", "${input.name}"),
        ("$$${input.name}", "$${input.name}"),
        ("costs $5 {or} $x", "costs $5 {or} $x"),
        ("a$${b}${input.n}", "a${b}2"),
        ("${input.n == 2}", "true"),
        ("[${input.none}]", "[]"),
        ("${input.whole} ${input.half}", "2 0.5"),
        ("${input.m}", '{"a":[1]}'),
        ("${duration('90s')} ${timestamp(0)}", "90s 1970-01-01T00:00:00Z"),
    ],
)
def test_what_a_text_becomes(text: str, made: str) -> None:
    assert resolve(text, SCOPE) == made
    assert plan(text).resolve(SCOPE) == made


@pytest.mark.parametrize(
    ("text", "column", "says"),
    [
        ("ab ${input.name", 4, "never closed"),
        ("${ {'a': 1} ", 1, "never closed"),
        ("x${'}", 4, "quote"),
        ("${}", 1, "nothing between"),
        ("${" + "a" * 5_000 + "}", 1, "longer than 4000"),
    ],
)
def test_a_broken_text_is_an_error_with_its_place(text: str, column: int, says: str) -> None:
    with pytest.raises(BadExpression, match=says) as refusal:
        resolve(text, SCOPE)
    assert refusal.value.column == column
    (source,) = sources_of(text)
    with pytest.raises(BadExpression):
        check(source)
    assert problems_in({"a": [text]})[0].where == "a[0]"


@given(st.text(max_size=30), st.text(max_size=30))
def test_text_without_a_dollar_and_brace_stays_as_it_is(before: str, after: str) -> None:
    text = f"{before}{after}".replace("${", "$(")
    if not text.startswith("="):
        assert resolve(text, SCOPE) == text
        assert sources_of(text) == []


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_any_text_can_be_said_and_is_found_again_behind_an_escape(text: str) -> None:
    escaped = text.replace("${", "$${")
    if not escaped.startswith("=") and "$${" not in text:
        assert resolve(escaped, SCOPE) == text


@given(
    st.recursive(
        st.sampled_from(["{}", "'}'", '"{"', "input.n", "[1]", "r'\\d'", '"\\"}"', "1"]),
        lambda inner: (
            st.builds("[{}, {}]".format, inner, inner) | inner.map(lambda one: f"{{'k}}': {one}}}")
        ),
        max_leaves=6,
    ),
    st.text(st.characters(exclude_characters="${"), max_size=5),
)
def test_the_end_of_an_expression_is_where_cel_ends_it(source: str, after: str) -> None:
    text = f"a${{{source}}}{after}"
    assert sources_of(text) == [source]
    as_text = resolve(f"${{json.encode({source})}}", SCOPE)
    assert resolve(f"a${{json.encode({source})}}{after}", SCOPE) == f"a{as_text}{after}"


@pytest.mark.parametrize(
    ("value", "made"),
    [
        ("=input.n + 1", 3),
        ("= input.m", {"a": [1]}),
        ("==literal ${input.n}", "=literal ${input.n}"),
        ({"a": ["=input.n", 5], "b": {"c": "x${input.n}"}}, {"a": [2, 5], "b": {"c": "x2"}}),
        ({"k": [1, {"l": None}]}, {"k": [1, {"l": None}]}),
        (5, 5),
        (None, None),
    ],
)
def test_trees_are_filled_in(value: Any, made: Any) -> None:
    assert resolve(value, SCOPE) == made
    assert plan(value).resolve(SCOPE) == made


def test_a_tree_of_literals_is_its_own_value() -> None:
    literal = {"a": ["text", 1, {"b": True}]}
    assert plan(literal).resolve(SCOPE) is literal
    half = {"a": literal, "b": "=input.n"}
    assert plan(half).resolve(SCOPE)["a"] is literal
    assert half["b"] == "=input.n"


def test_a_plan_knows_its_sources_and_references() -> None:
    ready = plan(
        {"a": "=steps['create-vm'].id", "b": ["${steps.x.y} ${input.n}"], "c": "==steps.n"}
    )
    assert ready.sources == ("steps['create-vm'].id", "steps.x.y", "input.n")
    assert ready.references == {"create-vm", "x"}
    assert ready.names == {"steps", "input"}
    assert names_in("=[1].map(x, x + item.y)") == {"item"}
    assert names_in("=item.") == {"item"}
    assert references("=steps.a +") == {"a"}  # half written: by its words


def test_an_error_says_which_parameter() -> None:
    value = {"body": {"list": ["ok", "=input.gone"]}, "od.d": "=input.n"}
    for fill in (lambda: resolve(value, SCOPE), lambda: plan(value).resolve(SCOPE)):
        with pytest.raises(BadExpression, match=r"^In body.list\[1\]: the expression") as refusal:
            fill()
        assert refusal.value.where == "body.list[1]"
    assert [one.where for one in problems_in({"od.d": "=1 +", "e": "=ok(1)"})] == ["['od.d']", "e"]


def test_names_that_only_the_scope_has_are_seen() -> None:
    assert resolve("=page.next", {**SCOPE, "page": {"next": 5}}) == 5
    assert resolve("${page.next}", {**SCOPE, "page": {"next": 5}}) == "5"
    assert evaluate("page.next + 1", {"page": {"next": 5}}) == 6
    check("page.next", frozenset({"page"}))
    with pytest.raises(BadExpression, match="no name page"):
        check("page.next")
    with pytest.raises(BadExpression, match="no name page"):
        resolve("=page.next", SCOPE)


def test_a_text_of_parts_is_bounded_too() -> None:
    scope = {"input": {"big": "x" * 500_000}}
    assert len(resolve("${input.big}${input.big}", scope)) == MAX_TEXT_CHARS
    with pytest.raises(BadExpression, match="more than 1,000,000 characters"):
        resolve("${input.big}${input.big}!", scope)


@pytest.mark.parametrize(
    ("value", "is_one"), [("=a", True), ("==a", False), ("a", False), (1, False), ("", False)]
)
def test_what_is_an_expression(value: Any, is_one: bool) -> None:
    assert is_expression(value) is is_one
