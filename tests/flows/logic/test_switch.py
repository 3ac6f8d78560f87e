"""logic.switch: the first case that fits, compared strictly, looked at in turn."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.flows.node import StepFailed
from app.flows.nodes.switch import node
from tests.flows.hand import do, output, step
from tests.flows.values import json_values

OS = [{"name": "linux", "is": "debian-12"}, {"name": "bsd", "is": "freebsd-14"}]


@pytest.mark.parametrize(
    ("value", "port"),
    [("debian-12", "case:linux"), ("freebsd-14", "case:bsd"), ("windows", "default")],
)
def test_the_case_that_equals_the_value_is_taken(value: str, port: str) -> None:
    done = do(node, {"value": value, "cases": OS})
    assert done.port == port
    assert output(done) == {"case": port.removeprefix("case:") if port != "default" else None}


@pytest.mark.parametrize(
    ("value", "is_", "fits"),
    [
        (1, 1.0, True),
        (1, "1", False),
        (1, True, False),
        (0, False, False),
        (None, None, True),
        (None, "", False),
        ({"a": [1]}, {"a": [1.0]}, True),
        ({"a": [1]}, {"a": [True]}, False),
        ([1, 2], [2, 1], False),
    ],
)
def test_equal_is_meant_strictly(value, is_, fits: bool) -> None:
    done = do(node, {"value": value, "cases": [{"name": "it", "is": is_}]})
    assert (done.port == "case:it") is fits


def test_a_case_may_be_an_expression_of_its_own() -> None:
    cases = [
        {"name": "small", "when": "=input.ram_gb <= 64"},
        {"name": "same", "is": "=input.other"},
    ]
    assert do(node, {"cases": cases}, step(input={"ram_gb": 32})).port == "case:small"
    large = step(input={"ram_gb": 128, "other": "x"})
    assert do(node, {"value": "x", "cases": cases}, large).port == "case:same"


def test_cases_after_the_first_that_fits_are_not_looked_at() -> None:
    cases = [{"name": "yes", "when": "=true"}, {"name": "broken", "when": "=input.nothing > 1"}]
    assert do(node, {"cases": cases}).port == "case:yes"
    with pytest.raises(StepFailed, match=r"case broken: .*nothing"):
        do(node, {"cases": cases[1:]})


def test_when_must_be_true_or_false() -> None:
    with pytest.raises(StepFailed, match=r"case sum: `when` must be true or false, .* number 2"):
        do(node, {"cases": [{"name": "sum", "when": "=1 + 1"}]})


@pytest.mark.parametrize("case", [{"name": "x"}, {"name": "x", "is": 1, "when": "=true"}])
def test_a_case_is_told_by_one_of_is_and_when(case) -> None:
    with pytest.raises(msgspec.ValidationError, match="the case x needs either"):
        do(node, {"cases": [case]})


def test_cases_of_one_name_share_a_port() -> None:
    cases = [{"name": "linux", "is": 1}, {"name": "linux", "is": 2}, {"name": "bsd", "is": 3}]
    assert node.all_ports({"cases": cases}) == ("case:linux", "case:bsd", "default")
    assert do(node, {"value": 2, "cases": cases}).port == "case:linux"


@pytest.mark.parametrize("cases", ["=input.cases", None, [1, {"is": 1}, {"name": 2}]])
def test_what_is_no_list_of_cases_leaves_the_default_port(cases) -> None:
    assert node.all_ports({"cases": cases}) == ("default",)


@given(json_values, st.lists(json_values, min_size=1, max_size=5))
def test_it_always_leaves_by_a_port_it_has(value, tried) -> None:
    """Literals are escaped as a document does it: `==x` is the text `=x`."""
    cases = [{"name": f"c{n}", "is": plain(one)} for n, one in enumerate(tried)]
    done = do(node, {"value": value, "cases": cases})
    assert done.port in node.all_ports({"cases": cases})
    assert (done.port == "default") is (done.output.case is None)


@given(json_values)
def test_every_value_equals_itself(value) -> None:
    cases = [{"name": "self", "is": plain(value)}]
    assert do(node, {"value": value, "cases": cases}).port == "case:self"


def plain(value):
    """Write `value` so that no text in it is taken for an expression."""
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, list):
        return [plain(part) for part in value]
    is_special = isinstance(value, str) and (value.startswith("=") or "${" in value)
    return f"={msgspec.json.encode(value).decode()}" if is_special else value
