"""data.template: filled whole, or all that is missing is told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.flows.node import StepFailed
from app.flows.nodes.fill_template import node
from tests.flows.hand import do, output, step
from tests.flows.values import texts

ADA = step(input={"name": "Ada", "age": 36, "company": None}, steps={"a": {"ip": "192.0.2.1"}})


def test_values_are_filled_in() -> None:
    text = "Hello ${input.name}, ${steps.a.ip} is yours for ${input.age + 1} years."
    done = do(node, {"text": text}, ADA)
    assert output(done) == {"text": "Hello Ada, 192.0.2.1 is yours for 37 years."}


def test_all_that_is_missing_is_told_at_once() -> None:
    text = "Dear ${input.nme}, ${input.company}, ${steps.b.ip}; ${input.name}"
    with pytest.raises(StepFailed) as failed:
        do(node, {"text": text}, ADA)
    for word in ("input.nme", "input.company (null)", "steps.b.ip", "it cannot be filled in"):
        assert word in failed.value.message
    assert "input.name " not in failed.value.message


def test_of_very_many_that_are_missing_some_are_told() -> None:
    text = "".join(f"${{input.x{n}}}" for n in range(25))
    with pytest.raises(StepFailed, match=r"x9 .* and 15 more$") as failed:
        do(node, {"text": text}, ADA)
    assert "x10" not in failed.value.message


def test_what_may_be_missing_says_so() -> None:
    text = '${has(input.nme) ? input.nme : "-"}'
    assert output(do(node, {"text": text}, ADA)) == {"text": "-"}


def test_the_text_may_come_from_elsewhere() -> None:
    assert output(do(node, {"text": "=input.name"}, ADA)) == {"text": "Ada"}
    assert output(do(node, {"text": "==input.name"}, ADA)) == {"text": "=input.name"}
    with pytest.raises(StepFailed, match="must be a text, it is the number 36"):
        do(node, {"text": "=input.age"}, ADA)


def test_an_expression_that_is_none_is_told() -> None:
    with pytest.raises(StepFailed, match="it cannot be filled in: 1 \\+"):
        do(node, {"text": "${1 +}"}, ADA)


def test_a_small_template_of_large_values_is_stopped_before_it_is_filled() -> None:
    large = step(input={"x": "y" * 500_000})
    with pytest.raises(StepFailed, match="more than 1,000,000 characters"):
        do(node, {"text": "${input.x}" * 90_000}, large)


@given(st.lists(texts, max_size=5), texts)
def test_values_are_put_in_as_they_are(values: list[str], between: str) -> None:
    """What a value holds is never read as a template itself."""
    between = between.replace("$", "").replace("=", "")
    names = {f"v{n}": value for n, value in enumerate(values)}
    template = between + between.join(f"${{input.{name}}}" for name in names)
    done = do(node, {"text": template}, step(input=names))
    assert output(done)["text"] == between + between.join(values)
