"""Every installed node type keeps the contract, those of other packages among them."""

import importlib
import inspect
import re
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import jsonschema
import msgspec
import pytest

from app.flows.expressions import is_expression, sources_of
from app.flows.node import Effect, Idempotency, NodeType, Subject
from app.flows.registry import GROUP, node_types

POINTS = sorted(entry_points(group=GROUP), key=lambda point: point.name)
TYPES = [point.load() for point in POINTS]
EXAMPLES = re.compile(r"^```json\n(.*?)^```$", re.MULTILINE | re.DOTALL)

each = pytest.mark.parametrize("node", TYPES, ids=[point.name for point in POINTS])


def test_every_entry_point_is_found() -> None:
    assert {(node.name, node.version) for node in TYPES} == node_types().keys()
    assert len(TYPES) == len(node_types())


def test_what_a_provider_needs_is_there() -> None:
    """Triggers, actions, logic and data that a flow is drawn of without a line of code."""
    needed = {
        "trigger": "order_paid service_created service_suspended service_terminated "
        "payment_received schedule webhook manual alert flow_ended",
        "action": "allocate_server allocate_addresses install_os power http update_service "
        "send_mail issue_credit note chat_webhook dns_record run_flow ssh",
        "logic": "if switch each parallel join wait poll_until wait_event approval stop fail",
        "data": "set map parse_json template regex lookup",
    }
    names = {f"{family}.{name}" for family, names in needed.items() for name in names.split()}
    assert names <= {name for name, _ in node_types()}


@pytest.mark.parametrize("point", POINTS, ids=[point.name for point in POINTS])
def test_a_file_has_one_node_and_says_its_name(point: EntryPoint) -> None:
    module = importlib.import_module(point.module)
    nodes = [value for value in vars(module).values() if isinstance(value, NodeType)]
    assert [node.name for node in nodes] == [point.name]
    assert point.attr == "node"
    assert (module.__doc__ or "").startswith(f"{point.name}: ")


@each
def test_it_says_whether_it_leaves_by_all_ports_at_once(node: NodeType) -> None:
    """Validation must know: its branches may meet in a join only."""
    source = inspect.getsource(inspect.getmodule(node.do) or node.do)
    assert node.forks == ("ALL_PORTS" in source)


@each
def test_it_says_which_variables_it_sets(node: NodeType) -> None:
    source = inspect.getsource(inspect.getmodule(node.do) or node.do)
    assert (node.sets is not None) == ("variables=" in source)


@each
def test_it_says_what_it_is(node: NodeType) -> None:
    assert re.fullmatch(r"[a-z]+(\.[a-z][a-z0-9_]*)+", node.name)
    assert node.version >= 1
    assert 2 <= len(node.title) <= 40
    assert node.summary.endswith(".")
    assert 20 <= len(node.summary) <= 120
    assert len(node.docs) >= 100, "how is it used?"


@each
def test_every_parameter_is_described(node: NodeType) -> None:
    for where, field in fields_within(params_schema(node)):
        assert field.get("description", "").endswith("."), f"{where}: {field}"


@each
def test_required_parameters_have_examples_and_all_examples_are_right(node: NodeType) -> None:
    examples = examples_of(node)
    assert [name for name in required(node) if not examples[name]] == []
    for field in msgspec.structs.fields(node.params):
        for example in examples[field.encode_name]:
            if field.encode_name in node.lazy or not sources_of(example):
                msgspec.convert(example, field.type)


@each
def test_what_is_lazy_is_a_parameter(node: NodeType) -> None:
    assert node.lazy <= examples_of(node).keys()


@each
def test_its_output_is_known_or_said_to_be_anything(node: NodeType) -> None:
    """`output_of` that returns `{}` says: anything."""
    assert node.output is not None or node.output_of is not None
    if node.output is not None:
        msgspec.json.schema(node.output)
    if node.output_of is not None:
        for params in ({}, as_written(node), scrambled(node)):
            jsonschema.Draft202012Validator.check_schema(node.output_of(params))


@each
def test_its_ports_are_sane(node: NodeType) -> None:
    """Also of parameters that are not what they should be: the editor asks at every keystroke."""
    for params in ({}, as_written(node), scrambled(node)):
        ports = node.all_ports(params)
        assert isinstance(ports, tuple)
        assert len(set(ports)) == len(ports)
        assert not {"error", "in", "*"} & set(ports)
        assert all(re.fullmatch(r"[a-z_]+(:[^:\n]{1,40})?", port) for port in ports)


@each
def test_what_its_runs_are_about_can_be_told(node: NodeType) -> None:
    """Also of parameters that are not what they should be; only a trigger says so."""
    for params in ({}, as_written(node), scrambled(node)):
        assert node.subject(params) in (None, *Subject)
    is_said = node.gives is not Subject.NOTHING or node.gives_of is not None
    assert node.trigger is not None or not is_said


@each
def test_it_says_what_it_would_do(node: NodeType) -> None:
    assert node.says is not None
    said = node.says(msgspec.convert(as_resolved(node), node.params))
    assert 3 < len(said) <= 300
    assert "\n" not in said


@each
def test_its_examples_can_be_used(node: NodeType) -> None:
    """Every JSON block of its docs that has the parameters' names is a value of `with`."""
    fields = {field.encode_name: field for field in msgspec.structs.fields(node.params)}
    blocks = [msgspec.json.decode(block) for block in EXAMPLES.findall(node.docs)]
    given = [block.get("with", block) for block in blocks if isinstance(block, dict)]
    shown = [with_ for with_ in given if with_.keys() <= fields.keys()]
    assert shown or not required(node), "no example shows what `with` is like"
    for with_ in shown:
        assert set(required(node)) <= with_.keys()
        for name, value in with_.items():
            if name in node.lazy or not sources_of(value):
                msgspec.convert(value, fields[name].type)


@each
def test_its_effect_its_undoing_and_its_policy_fit(node: NodeType) -> None:
    """What leaves no trace is not undone, and who would ask the target must be able to."""
    assert node.undo is None or node.effect is not Effect.PURE
    if node.idempotency is Idempotency.PROBE or node.probe is not None:
        assert node.effect is Effect.OUTSIDE
    assert node.idempotency is not Idempotency.PROBE or node.probe is not None


def params_schema(node: NodeType) -> dict[str, Any]:
    """Return the JSON Schema of the parameters, as forms and docs are made from it."""
    schema = msgspec.json.schema(node.params)
    found: dict[str, Any] = schema["$defs"][schema["$ref"].rpartition("/")[2]]
    return {**found, "$defs": schema["$defs"]}


def fields_within(schema: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return every field of the parameters and of the structs inside of them."""
    structs = {"params": schema, **schema["$defs"]}
    return [
        (f"{name}.{field}", described)
        for name, struct in structs.items()
        for field, described in struct.get("properties", {}).items()
    ]


def examples_of(node: NodeType) -> dict[str, list[Any]]:
    described = params_schema(node)["properties"]
    return {name: field.get("examples", []) for name, field in described.items()}


def required(node: NodeType) -> list[str]:
    return [field.encode_name for field in msgspec.structs.fields(node.params) if field.required]


def as_written(node: NodeType) -> dict[str, Any]:
    """Return each required parameter's first example, as a document may hold it."""
    examples = examples_of(node)
    return {name: examples[name][0] for name in required(node) if examples[name]}


def as_resolved(node: NodeType) -> dict[str, Any]:
    """Return as many parameters as go together, by examples that are no expressions.

    Those that are expressions are resolved by the engine before the node sees them.
    """
    plain = {
        name: [one for one in examples if name in node.lazy or not is_expression(one)]
        for name, examples in examples_of(node).items()
    }
    given = {name: plain[name][0] for name in required(node) if plain[name]}
    for name, examples in plain.items():
        if name not in given and examples and accepts(node, {**given, name: examples[0]}):
            given[name] = examples[0]
    return given


def accepts(node: NodeType, given: dict[str, Any]) -> bool:
    try:
        msgspec.convert(given, node.params)
    except msgspec.ValidationError:
        return False
    return True


def scrambled(node: NodeType) -> dict[str, Any]:
    """Return every parameter as something it is not."""
    return {name: [{"x": [1]}, "=", None, 5] for name in examples_of(node)}
