"""Completion, hover, types and previews: what a person who writes an expression is told."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.flows import registry
from app.flows.completion import Suggestion, complete, explain
from app.flows.cursor import place_at, region_at
from app.flows.document import Document, NodeSpec
from app.flows.expressions import check
from app.flows.expressions.functions import FUNCTIONS
from app.flows.infer import type_of
from app.flows.preview import SHOWN_CHARS, preview
from app.flows.shapes import (
    Shape,
    inlined_schema,
    schema_of_value,
    shape_of_type,
    without_words,
)
from app.flows.sight import sight_of, steps_before
from tests.flows.sights import FLOW, KINDS, Server


@pytest.fixture(autouse=True, scope="module")
def _typed_nodes() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "node_types", lambda: KINDS)
        yield


def offered(
    marked: str, node: str = "after", parameter: str = "text", **more: Any
) -> list[Suggestion]:
    """Return what is offered at the `|` of a text."""
    cursor = marked.index("|")
    text = marked[:cursor] + marked[cursor + 1 :]
    return list(complete(FLOW, node, parameter, text, cursor, **more))


def labels(marked: str, **more: Any) -> list[str]:
    return [one.label for one in offered(marked, **more)]


def chosen(marked: str, label: str, **more: Any) -> str:
    """Return the text once a suggestion is taken."""
    one = next(one for one in offered(marked, **more) if one.label == label)
    text = marked.replace("|", "", 1)
    return text[: one.start] + one.insert + text[one.end :]


def test_the_steps_before_are_those_that_can_have_run() -> None:
    assert steps_before(FLOW, "after") == {"begin", "server", "create-vm", "keep", "loop"}
    assert steps_before(FLOW, "check") == {"begin", "server", "create-vm", "keep", "wipe"}
    assert steps_before(FLOW, "sorry") == {"begin", "server"}
    assert steps_before(FLOW, "undo-vm") == {"begin", "server", "create-vm"}
    assert steps_before(FLOW, "begin") == frozenset()
    assert steps_before(FLOW, "loop", at_end=True) >= {"wipe", "check", "server"}
    circle = Document(
        flow="x",
        nodes={"a": NodeSpec(type="t.free"), "b": NodeSpec(type="t.free")},
        edges=(("a.out", "b.in"), ("b.out", "a.in"), ("gone.out", "a.in")),
    )
    assert steps_before(circle, "a") == {"b"}


@pytest.mark.parametrize(
    ("node", "names"),
    [
        ("after", {"input", "steps", "vars", "run", "now"}),
        ("check", {"input", "steps", "vars", "run", "now", "item", "index", "iteration"}),
        ("sorry", {"input", "steps", "vars", "run", "now", "error"}),
    ],
)
def test_names_in_scope(node: str, names: set[str]) -> None:
    assert set(sight_of(FLOW, node).names) == names


def test_lazy_parameters_see_more() -> None:
    lazy = sight_of(FLOW, "check", parameter="until")
    assert lazy.names["result"].field("status").kind == "int"
    assert "items" in lazy.names
    at_end = sight_of(FLOW, "loop", parameter="collect")
    assert set(at_end.steps) >= {"wipe", "check"}
    assert {"item", "index", "iteration"} <= set(at_end.names)
    assert "item" not in sight_of(FLOW, "loop", parameter="items").names


@pytest.mark.parametrize(
    ("marked", "first"),
    [
        ("=inp|", ["input"]),
        ("=input.|", ["host", "count", "hosts", "any"]),
        ("=input.ho|", ["host", "hosts"]),
        ("=steps.|", ["begin", "create-vm", "keep", "loop", "server"]),
        ("=steps.server.|", ["hostname", "disks", "rack", "price", "tags", "parent"]),
        ("=steps.server.rack.|", ["name", "unit"]),
        ("=steps.server.parent.parent.rack.u|", ["unit"]),
        ("=steps.server.disks[0].|", ["name", "size_gb"]),
        ("=steps['create-vm'].|", ["status", "body"]),
        ("=steps['|", ["begin", "create-vm", "keep", "loop", "server"]),
        ("=steps[|", ["begin", "create-vm", "keep", "loop", "server"]),
        ("=vars.|", ["zone", "tries", "id"]),
        ("=steps.server.disks.filter(d, d.|", ["name", "size_gb"]),
        ("=steps.server.disks.map(d, d.size_gb > 5 && steps.server.tags.exists(t, t.st|", ["startsWith"]),
        ("=cel.bind(x, steps.server.rack, x.|", ["name", "unit"]),
        ("=[steps.server.rack][0].|", ["name", "unit"]),
        ("={'a': steps.server.rack}.a.|", ["name", "unit"]),
        ("=(true ? steps.server.rack : steps.server.rack).|", ["name", "unit"]),
        ("=default(steps.server.rack, {}).|", ["name", "unit"]),
        ("=steps.server.disks.first().|", ["name", "size_gb"]),
        ("=steps.server.disks.sort('name').filter(d, true)[0].|", ["name", "size_gb"]),
        ("=steps.server . rack . |", ["name", "unit"]),
        ("Hello ${input.h|", ["host", "hosts"]),
        ("Hello ${input.h|} and ${ x }", ["host", "hosts"]),
        ("a $${x} ${input.co|", ["count"]),
        ("=ip.ho|", ["ip.host"]),
        ("=input.host.spl|", ["split"]),
        ("=now.getFull|", ["getFullYear"]),
        ("=size|", ["size"]),
        ("=tru|", ["true"]),
        ("=has|", ["has", "hash.sha256"]),
    ],
)  # fmt: skip
def test_what_is_offered(marked: str, first: list[str]) -> None:
    assert labels(marked)[: len(first)] == first


@pytest.mark.parametrize(
    "marked", ["plain te|xt", "==literal|", "${input} |", "='in a str|", "=1 + 2|", "=x // comme|",
               "='done'|", "=foo().bar|(", "=.|", "='a|", "|=input"]
)  # fmt: skip
def test_where_nothing_is_offered_nothing_of_the_scope_is(marked: str) -> None:
    assert not [one for one in offered(marked) if one.kind in ("name", "step", "field", "key")]


@pytest.mark.parametrize(
    ("marked", "label", "text"),
    [
        ("=in|", "input", "=input"),
        ("=steps.ser|.hostname", "server", "=steps.server.hostname"),
        ("=steps.se|rv.hostname", "server", "=steps.server.hostname"),
        ("=steps.cr|", "create-vm", "=steps['create-vm']"),
        ("=steps.cr| + 1", "create-vm", "=steps['create-vm'] + 1"),
        ("=steps['cr|", "create-vm", "=steps['create-vm']"),
        ('=steps["cr|"].status', "create-vm", '=steps["create-vm"].status'),
        ("=steps[|]", "create-vm", "=steps['create-vm']"),
        ("=input.host.low|", "lower", "=input.host.lower()"),
        ("=input.host.spl|", "split", "=input.host.split("),
        ("=ip.ho|", "ip.host", "=ip.host("),
        ("=ip|", "ip.host", "=ip.host("),
        ("=input.hosts.fil|", "filter", "=input.hosts.filter(x, "),
        ("Hi ${input.ho|}!", "host", "Hi ${input.host}!"),
    ],
)
def test_what_is_taken_stands_in_its_place(marked: str, label: str, text: str) -> None:
    assert chosen(marked, label) == text


def test_a_suggestion_says_type_and_where_it_is_from() -> None:
    (host, *_) = offered("=steps.server.host|")
    assert (host.type, host.doc) == ("string", "Its full name.")
    assert host.source == "Take a server (Server)"
    (step, *_) = offered("=steps.create|")
    assert (step.kind, step.source) == ("step", "Create VM (Http)")
    (disks, *_) = offered("=steps.server.disk|")
    assert disks.type == "list of map"
    assert offered("=steps.server.rack.uni|")[0].type == "integer or null"
    (zone, *_) = offered("=vars.zon|")
    assert (zone.type, zone.doc, zone.kind) == ("string", "Set by Keep.", "variable")
    (split, *_) = offered("=input.host.split|")
    assert split.type.splitlines()[0] == "string.split(separator: string) -> list"
    assert split.doc == FUNCTIONS["split"].doc
    assert offered("=inde|", node="check")[0].type == "int"


def test_methods_are_those_of_the_type() -> None:
    assert "upper" in labels("=input.host.|")
    assert "sum" not in labels("=input.host.|")
    assert {"sum", "filter"} <= set(labels("=input.hosts.|"))
    assert "upper" not in labels("=input.hosts.|")
    assert not {"upper", "keys"} & set(labels("=steps.|"))
    assert "getHours" in labels("=(now - duration('1h')).|")


def test_samples_tell_what_no_schema_does() -> None:
    samples = {
        "create-vm": {"status": 200, "body": {"vm": {"id": 7, "ips": ["192.0.2.1"]}}},
        "input": {"any": {"deep": [{"x": 1}]}},
    }
    assert labels("=steps['create-vm'].body.vm.|", samples=samples)[:2] == ["id", "ips"]
    assert labels("=input.any.deep[0].|", samples=samples)[:1] == ["x"]
    ips = offered("=steps['create-vm'].body.vm.ip|", samples=samples)[0]
    assert ips.type == "list of string"


def test_items_of_a_loop_have_the_type_of_its_list() -> None:
    assert labels("=item.|", node="check")[:2] == ["name", "size_gb"]
    literal = msgspec.structs.replace(
        FLOW,
        nodes={**FLOW.nodes, "loop": NodeSpec(type="logic.each", params={"items": [{"port": 1}]})},
    )
    found = complete(literal, "check", "text", "=item.", 6)
    assert found[0].label == "port"


def test_what_was_written_ranks_what_is_offered() -> None:
    assert labels("=steps.vm|")[0] == "create-vm"
    assert labels("=steps.server.hst|") == ["hostname"]
    assert labels("=steps.server.q|") == []
    assert len(labels("=|")) <= 50


@pytest.mark.parametrize(
    ("text", "word", "title", "type_", "doc"),
    [
        ("=input.host", "host", "host", "string", "What the client called it."),
        ("=steps.server.disks[0].name", "name", "name", "string", "As the system calls it."),
        (
            "=steps.server.hostname.lower()",
            "lower",
            "lower",
            "string.lower() -> string",
            "in lower",
        ),
        ("=ip.host('192.0.2.0/24', 1)", "host", "ip.host", "ip.host(prefix", "at a position"),
        ("=slug('x')", "slug", "slug", "slug(text: string)", "Small letters"),
        ("=input.hosts.map(x, x.port)", "map", "map", "list.map(x, value)", "each item becomes"),
        ("=input.hosts.map(x, x.port)", "port", "port", "integer", ""),
        ("Hi ${run.version}", "version", "version", "integer", ""),
        ("=now", "now", "now", "timestamp", "When the step began."),
    ],
)
def test_a_word_is_explained(text: str, word: str, title: str, type_: str, doc: str) -> None:
    at = text.rindex(word)
    hover = explain(FLOW, "after", "text", text, at)
    assert hover is not None
    assert text[hover.start : hover.end] == word
    assert hover.title == title
    assert hover.type.startswith(type_)
    assert doc in hover.doc


@pytest.mark.parametrize(
    ("text", "at"), [("plain", 2), ("=1 + 2", 1), ("=gone.x", 6), ("='a b'", 3)]
)
def test_where_there_is_nothing_to_say(text: str, at: int) -> None:
    assert explain(FLOW, "after", "text", text, at) is None


@pytest.mark.parametrize(
    ("source", "schema"),
    [
        ("steps.server.hostname", {"type": "string"}),
        ("steps.server.disks[0].size_gb", {"type": "integer"}),
        ("steps.server.price * 2", {"type": "number"}),
        ("steps.server.disks[0].size_gb * 2", {"type": "integer"}),
        ("input.any * 2", {"type": "number"}),
        ("input.any + 'x'", {"type": "string"}),
        ("input.count + 1.5", {"type": "number"}),
        ("-input.count", {"type": "integer"}),
        ("input.any", {}),
        ("input.count > 1 && has(steps.server.rack)", {"type": "boolean"}),
        ("steps.server.disks.map(d, d.name)", {"type": "array", "items": {"type": "string"}}),
        ("steps.server.disks.exists(d, d.size_gb > 1)", {"type": "boolean"}),
        ("steps.server.tags.map(k, k)", {"type": "array", "items": {"type": "string"}}),
        ("steps.server.tags.anything", {"type": "string"}),
        ("steps.server.disks.size()", {"type": "integer"}),
        ("input.host.split(',')", {"type": "array"}),
        ("math.abs(input.any)", {}),
        ("math.round(1.5)", {}),
        ("now - duration('1h')", {"type": "string", "format": "date-time"}),
        ("now - now", {"type": "string"}),
        ("[1, 2]", {"type": "array", "items": {"type": "integer"}}),
        ("[]", {"type": "array"}),
        ("null", {"type": "null"}),
        ("default(input.host, 'x')", {"type": "string"}),
        ("true ? dyn(1) : dyn('a')", {}),
        ("true ? input.count : 5", {"type": "integer"}),
        ("input.any ? input.any : 5", {}),
        ("cel.bind(x, input.count, x * x)", {"type": "integer"}),
        ("steps.gone.x", {}),
        ("1 +", {}),
        ("unknown.x", {}),
    ],
)
def test_the_type_of_an_expression(source: str, schema: dict[str, Any]) -> None:
    found = type_of(FLOW, "after", source)
    known = {key: part for key, part in without_words(found).items() if key != "x-cel"}
    assert known == schema


def test_the_type_of_a_map_has_its_keys() -> None:
    schema = type_of(FLOW, "after", "{'a': steps.server.rack, 'b': 1}")
    assert schema["properties"]["a"]["properties"]["name"] == {"type": "string"}
    assert schema["properties"]["b"] == {"type": "integer"}


@given(
    st.text(max_size=12), st.integers(0, 30), st.sampled_from(["=", "${", "=steps.", "=a.map(x,"])
)
def test_help_never_fails_whatever_is_written(text: str, cursor: int, before: str) -> None:
    whole = before + text
    at = min(cursor, len(whole))
    for one in complete(FLOW, "check", "text", whole, at):
        assert 0 <= one.start <= at
        assert one.start <= one.end <= len(whole)
    explain(FLOW, "check", "text", whole, at)


@given(st.lists(st.sampled_from(["'", '"', "(", ")", "[", "]", "{", "}", ".", ",", " ", "a", "map",
                                 "cel", "bind", "x", "1", "//", "\n", "${", "steps"]), max_size=15))  # fmt: skip
def test_places_are_within_the_source(pieces: list[str]) -> None:
    source = "".join(pieces)
    for cursor in range(len(source) + 1):
        place = place_at(source, cursor)
        if place is not None:
            assert place.start <= cursor <= place.end <= len(source)
        region = region_at(source, cursor)
        if region is not None:
            assert region.start <= cursor <= region.end


def test_everything_offered_for_a_typed_scope_can_be_read() -> None:
    for one in offered("=steps.server.|"):
        if one.kind == "field":
            check(f"steps.server.{one.insert}")


SCOPE: dict[str, Any] = {
    "input": {"host": "srv", "count": 2, "password": "hunter2", "big": ["x" * 50] * 100},
    "steps": {"db": {"users": [{"name": "a", "secret": "s"}]}},
}


@pytest.mark.parametrize(
    ("text", "value", "type_"),
    [
        ("=input.count + 1", "3", "integer"),
        ("Host ${input.host}", "Host srv", "string"),
        ("plain", "plain", "string"),
        ("=[1, 2.5]", "[\n  1,\n  2.5\n]", "list of integer or number"),
        ("=input.password", "••••••", "string"),
        ("=steps.db.users[0]", '{\n  "name": "a",\n  "secret": "••••••"\n}', "map"),
    ],
)
def test_a_preview_shows_the_value_and_no_secret(text: str, value: str, type_: str) -> None:
    found = preview(text, SCOPE)
    assert (found.value, found.type, found.problem) == (value, type_, "")


@pytest.mark.parametrize(
    ("text", "problem", "marked"),
    [
        ("=input.hots", "did you mean input.host?", "hots"),
        ("= 1 +", "it ends too early: something is missing here. CEL says:", ""),
        ("a ${input.host} b ${input.nope} c", "input has no nope", "nope"),
        ("a ${input.host", "never closed", "${input.host"),
        ("=" + "1+" * 40 + "1", "more than 30 parts", "1+" * 40 + "1"),
        ("=1.0 / 0.0", "JSON has no number", "1.0 / 0.0"),
    ],
)
def test_a_preview_says_what_is_wrong_and_where(text: str, problem: str, marked: str) -> None:
    found = preview(text, SCOPE)
    assert problem in found.problem
    assert text[found.start : found.end] == marked
    assert found.value == ""


def test_a_long_value_is_cut_in_a_preview() -> None:
    found = preview("=input.big", SCOPE)
    assert found.is_cut
    assert len(found.value) == SHOWN_CHARS


def test_shapes_of_what_is_odd() -> None:
    assert Shape().text == "anything"
    assert Shape({"type": "null"}).text == "null"
    assert Shape({"type": ["string", "null"]}).kind == "string"
    assert Shape({"enum": ["a", 1]}).types == {"string", "integer"}
    assert Shape({"const": 5}).kind == "int"
    assert Shape({"properties": {}}).kind == "map"
    assert Shape({"$ref": "#/$defs/gone"}, {"$defs": {}}).text == "anything"
    loop = {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}}
    assert Shape(loop, loop).text == "anything"
    pair = {"prefixItems": [{"type": "string"}, {"type": "integer"}], "items": {"type": "null"}}
    assert [Shape(pair).item(at).text for at in (0, 1, 2)] == ["string", "integer", "null"]
    assert shape_of_type(object()).schema == {}
    assert shape_of_type(Server).field("parent").field("rack").field("name").kind == "string"
    deep: Any = 1
    for _ in range(30):
        deep = [deep]
    assert schema_of_value(deep)["type"] == "array"


def test_schemas_that_refer_to_themselves_without_end_have_one() -> None:
    names = [f"t{number}" for number in range(12)]
    both = [{"$ref": f"#/$defs/{name}"} for name in names]
    wide = {"$ref": "#/$defs/t0", "$defs": {name: {"anyOf": both} for name in names}}
    assert Shape(wide, wide).types == frozenset()
    assert inlined_schema(Shape(wide, wide))
    flow = msgspec.structs.replace(
        FLOW, inputs={"type": "object", "properties": {"a": both[0]}, "$defs": wide["$defs"]}
    )
    assert complete(flow, "after", "text", "=input.", 7)[0].label == "a"
    assert type_of(flow, "after", "[input.a, 1]")


def test_a_node_type_that_fails_on_half_written_parameters_is_of_no_known_type() -> None:
    broken = msgspec.structs.replace(
        FLOW, nodes={**FLOW.nodes, "keep": NodeSpec(type="data.set", params={})}
    )
    assert sight_of(broken, "after").steps["keep"].types == frozenset()
    unknown = msgspec.structs.replace(FLOW, nodes={**FLOW.nodes, "keep": NodeSpec(type="gone")})
    assert sight_of(unknown, "after").origins["keep"] == "gone"
