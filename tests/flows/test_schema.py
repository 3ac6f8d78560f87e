"""The published schema takes every flow that Slipway ships, and refuses what could not run."""

import copy
import json
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

import jsonschema
import msgspec
import pytest

from app.flows.document import Document
from app.flows.registry import node_types, shipped_node_types
from app.flows.schema import flow_schema, published
from app.flows.validate import problems_of
from tests.flows.validate.kinds import KINDS, pure

FILE = Path("docs/flow-schema.json")
TEMPLATES = {
    file.name: json.loads(file.read_text())
    for file in files("app.flows.templates").iterdir()
    if file.name.endswith(".json")
}
SERVER = TEMPLATES["dedicated-server.json"]


def checker(schema: dict[str, Any]) -> jsonschema.Draft202012Validator:
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


PUBLISHED = checker(flow_schema(shipped_node_types()))


def test_the_file_is_current() -> None:
    assert FILE.read_text() == published(), "run .venv/bin/python scripts/flow_schema.py"


def test_every_installed_node_type_has_parameters_that_can_be_published() -> None:
    schema = flow_schema()
    checker(schema)
    assert {f"{name}@{version}" for name, version in node_types()} <= schema["$defs"].keys()


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_shipped_flow_is_as_published(name: str) -> None:
    PUBLISHED.validate(TEMPLATES[name])


@pytest.mark.parametrize("name", TEMPLATES)
def test_nothing_is_wrong_with_a_shipped_flow_not_even_slightly(name: str) -> None:
    assert problems_of(msgspec.convert(TEMPLATES[name], Document)) == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("schema",), 2),
        (("flow",), "Dedicated Server"),
        (("colour",), "red"),
        (("on_failure",), "pray"),
        (("edges",), [["paid.out"]]),
        (("edges",), [["paid", "server.in"]]),
        (("edges",), [["paid.out", "server.out"]]),
        (("nodes",), {}),
        (("nodes", "1st"), {"type": "action.send_mail"}),
        (("nodes", "mail", "type"), "action.sendmail"),
        (("nodes", "mail", "v"), 99),
        (("nodes", "mail", "with", "templte"), "x"),
        (("nodes", "mail", "with", "template"), 5),
        (("nodes", "mail", "idempotency"), "maybe"),
        (("nodes", "mail", "on_failure"), "retry"),
        (("nodes", "install", "with"), {}),
        (("nodes", "service", "with"), {"service": 5, "server": "=steps.paid.service"}),
        (("nodes", "attempts", "with", "until"), "has(steps.install)"),
        (("nodes", "attempts", "with", "max"), 0),
        (("nodes", "attempts", "with", "max"), "=input.tries"),
        (("nodes", "install", "retry", "max"), 0),
        (("nodes", "install", "retry", "delay"), "soon"),
        (("nodes", "install", "retry", "on"), ["cosmic"]),
        (("nodes", "install", "timeout", "attempt"), "5 minutes"),
        (("nodes", "install", "within"), "not an id"),
    ],
)
def test_what_could_not_run_is_refused(path: tuple[str, ...], value: Any) -> None:
    broken = copy.deepcopy(SERVER)
    place = broken
    for name in path[:-1]:
        place = place.setdefault(name, {})
    place[path[-1]] = value
    assert list(PUBLISHED.iter_errors(broken))


class Leaf(msgspec.Struct, frozen=True):
    size: int
    inner: list["Leaf"] = []


class Deep(msgspec.Struct, frozen=True):
    """Something of each kind."""

    leaf: Leaf
    pair: tuple[int, str] = (1, "a")
    when: Annotated[str, msgspec.Meta(pattern="^=[^=]")] = "=true"
    either: int | bool | None = None
    name: str = ""
    kind: Annotated[str, msgspec.Meta(min_length=3, title="Kind")] = "abc"
    free: Any = None
    known: Leaf | None = None


def accepts(params: dict[str, Any], *, kind: type[msgspec.Struct] = Deep) -> bool:
    node = pure("t.deep", kind, lazy=frozenset({"when", "known"}), version=2)
    schema = flow_schema({**KINDS, ("t.deep", 2): node})
    document = {
        "flow": "x",
        "nodes": {"a": {"type": "t.deep", "v": 2, "with": params}},
        "edges": [],
    }
    return checker(schema).is_valid(document)


@pytest.mark.parametrize(
    "params",
    [
        {"leaf": {"size": 1}},
        {"leaf": "=steps.a.leaf"},
        {"leaf": {"size": "=1", "inner": "=[]"}},
        {"leaf": {"size": 1, "inner": [{"size": "=2", "inner": ["=steps.a.x"]}]}},
        {"leaf": {"size": 1}, "pair": ["=1", "x"], "either": "=input.x", "kind": "=input.kind"},
        {"leaf": {"size": 1}, "kind": "a${input.x}", "name": "==x", "free": {"a": ["=1"]}},
        {"leaf": {"size": 1}, "when": "=result.x", "known": {"size": 5}},
    ],
)
def test_an_expression_may_stand_for_any_value(params: dict[str, Any]) -> None:
    assert accepts(params)


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"leaf": {"size": "1"}},
        {"leaf": {"size": 1, "inner": [{"size": "big"}]}},
        {"leaf": {"size": 1}, "pair": ["one", "x"]},
        {"leaf": {"size": 1}, "either": "yes"},
        {"leaf": {"size": 1}, "kind": "ab"},
        {"leaf": {"size": 1}, "when": "true"},
        {"leaf": {"size": 1}, "known": {"size": "=5"}},
        {"leaf": {"size": 1}, "known": "=steps.a.x"},
    ],
)
def test_what_is_written_out_must_be_right(params: dict[str, Any]) -> None:
    assert not accepts(params)


class Peculiar:
    """A type that no JSON value becomes."""


class Odd(msgspec.Struct, frozen=True):
    odd: Peculiar | None = None


def test_what_no_document_can_hold_must_be_left_out() -> None:
    assert accepts({}, kind=Odd)
    assert accepts({"odd": None}, kind=Odd)
    for written in (1, "x", {}, [], True):
        assert not accepts({"odd": written}, kind=Odd)


def test_a_version_that_can_still_be_read_may_be_named() -> None:
    taken = checker(flow_schema(KINDS))
    node = {"type": "t.full", "v": 1, "with": {"name": "Ada Lovelace"}}
    assert taken.is_valid({"flow": "x", "nodes": {"a": node}, "edges": []})
    for wrong in ({"v": 3}, {"v": 2}):
        assert not taken.is_valid({"flow": "x", "nodes": {"a": node | wrong}, "edges": []})
    unsaid = {name: value for name, value in node.items() if name != "v"}
    assert taken.is_valid({"flow": "x", "nodes": {"a": unsaid}, "edges": []})
    latest = {"type": "t.latest"}
    assert not taken.is_valid({"flow": "x", "nodes": {"a": latest}, "edges": []})
