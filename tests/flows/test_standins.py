"""Stand-ins: what is made for a schema fits it, and is always the same."""

import ipaddress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

import jsonschema
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.flows import registry
from app.flows.document import NodeSpec
from app.flows.expressions import resolve
from app.flows.plausible import SECRET
from app.flows.registry import node_types
from app.flows.sampling import sample_scope
from app.flows.standins import Origin, made_for, stand_in
from tests.flows.sights import FLOW, KINDS

NAMES = st.sampled_from(
    ["hostname", "ipv4", "id", "port", "note", "created_at", "password", "x", "vlan", "mac"]
)


def numbers(name: str) -> st.SearchStrategy[dict[str, Any]]:
    return st.builds(
        lambda low, width, step, exclusive: {
            "type": name,
            ("exclusiveMinimum" if exclusive else "minimum"): low,
            "maximum": low + width + 2 * step,
            "multipleOf": step,
        },
        st.integers(-100, 100),
        st.integers(0, 50),
        st.sampled_from([1, 2, 5]),
        st.booleans(),
    ) | st.sampled_from(
        [{"type": name}, {"type": name, "minimum": 5}, {"type": name, "maximum": -5}]
    )


LEAVES = st.one_of(
    st.sampled_from(
        [
            {"type": "null"},
            {"type": "boolean"},
            {"const": [1, "a"]},
            {"enum": ["a", 5, None]},
            {"type": "string", "examples": ["one", "two"]},
            {"type": "string", "default": "given"},
            {"type": ["null", "integer"]},
            {"anyOf": [{"type": "null"}, {"type": "string"}]},
            {"oneOf": [{"type": "integer"}, {"type": "string"}]},
            {"$ref": "#/$defs/node"},
            {
                "allOf": [
                    {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]},
                    {"properties": {"b": {"type": "string"}}, "required": ["b"]},
                ]
            },
            {"type": "string", "pattern": "^[0-9a-f]{32}$"},
            {"type": "string", "pattern": r"^\d{3}$"},
        ]
    ),
    st.sampled_from(
        ["date-time", "date", "uuid", "email", "hostname", "ipv4", "ipv6", "uri", "duration"]
    ).map(lambda name: {"type": "string", "format": name}),
    st.tuples(st.integers(0, 40), st.integers(0, 20)).map(
        lambda pair: {"type": "string", "minLength": pair[0], "maxLength": pair[0] + pair[1]}
    ),
    numbers("integer"),
    numbers("number"),
)
SCHEMAS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.dictionaries(NAMES, inner, max_size=4).map(
            lambda parts: {"type": "object", "properties": parts, "required": sorted(parts)[:2],
                           "additionalProperties": False}
        ),
        inner.map(lambda one: {"type": "object", "additionalProperties": one, "minProperties": 2}),
        st.tuples(inner, st.integers(0, 4)).map(
            lambda pair: {"type": "array", "items": pair[0], "minItems": pair[1], "maxItems": 5}
        ),
        st.lists(inner, min_size=1, max_size=3).map(
            lambda parts: {"type": "array", "prefixItems": parts, "items": False,
                           "minItems": len(parts)}
        ),
    ),
    max_leaves=12,
)  # fmt: skip
ROOT = {
    "$defs": {
        "node": {
            "type": "object",
            "properties": {
                "name": {"type": "string"},
                "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]},
            },
            "required": ["name", "next"],
        }
    }
}


@given(SCHEMAS, st.text(max_size=5))
def test_what_is_made_fits_its_schema_and_is_always_the_same(
    schema: dict[str, Any], seed: str
) -> None:
    whole = {**ROOT, **schema}
    made = made_for(whole, seed=seed)
    jsonschema.validate(made, whole, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)
    assert made_for(whole, seed=seed) == made
    assert msgspec.json.decode(msgspec.json.encode(made)) == made


@pytest.mark.parametrize("kind", node_types().values(), ids=lambda kind: kind.name)
def test_the_output_of_every_node_type_has_a_stand_in(kind: Any) -> None:
    found = stand_in("n1", NodeSpec(type=kind.name), kind, seed="s")
    if kind.output is not None:
        assert found.origin is Origin.MADE
        msgspec.convert(found.output, kind.output, strict=False)
    else:
        assert found.origin in (Origin.MADE, Origin.UNKNOWN)


class Everything(msgspec.Struct, frozen=True):
    id: UUID
    at: datetime
    day: date
    took: timedelta
    price: Decimal
    raw: bytes
    kind: Literal["a", "b"]
    pair: tuple[int, str]
    some: frozenset[int]
    maybe: int | None
    names: dict[str, int]
    port: Annotated[int, msgspec.Meta(ge=1, le=65_535)]
    code: Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")]
    rest: Any


def test_types_of_msgspec_are_met() -> None:
    made = made_for(msgspec.json.schema(Everything), seed="x")
    found = msgspec.convert(made, Everything, strict=False)
    assert found.maybe is not None
    assert found.names
    assert found.code == "EUR"


def test_names_of_fields_are_honoured() -> None:
    fields = ["hostname", "ipAddress", "ipv6", "gateway", "mac", "email", "apiUrl", "server_id",
              "created_at", "rootPassword", "currency", "rack", "subnet", "title", "other"]  # fmt: skip
    made = made_for(
        {"type": "object", "properties": {name: {"type": "string"} for name in fields}}, seed="s"
    )
    documentation = [ipaddress.ip_network(one) for one in
                     ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")]  # fmt: skip
    for name in ("ipAddress", "gateway", "ipv6"):
        address = ipaddress.ip_address(made[name])
        assert any(address.version == one.version and address in one for one in documentation)
    assert ipaddress.ip_network(made["subnet"], strict=False).subnet_of(documentation[0])
    assert made["hostname"].endswith(".example.net")
    assert made["mac"].startswith("00:00:5e:00:53:")
    assert made["email"].endswith("@example.com")
    assert made["apiUrl"].startswith("https://api.example.com/")
    assert UUID(made["server_id"])
    assert datetime.fromisoformat(made["created_at"])
    assert made["rootPassword"] == SECRET
    assert made["currency"] == "EUR"


def test_a_value_stays_as_it_is_when_the_schema_grows_around_it() -> None:
    small = {"type": "object", "properties": {"ipv4": {"type": "string"}}}
    large = {"type": "object", "properties": {"a": {"type": "integer"}, **small["properties"]}}
    assert made_for(small, seed="s")["ipv4"] == made_for(large, seed="s")["ipv4"]
    assert {made_for(small, seed=str(seed))["ipv4"] for seed in range(20)} != {"192.0.2.1"}


def test_pinned_data_is_before_what_was_recorded_and_both_before_what_is_made() -> None:
    kind, spec = KINDS["t.server", 1], NodeSpec(type="t.server")
    assert stand_in("a", spec, kind, pinned={"a": 1}, recorded={"a": 2}).output == 1
    recorded = stand_in("a", spec, kind, pinned={"b": 1}, recorded={"a": None})
    assert (recorded.output, recorded.origin) == (None, Origin.RECORDED)
    made = stand_in("a", spec, kind)
    assert made.origin is Origin.MADE
    assert made.output["hostname"] == "srv-1"  # the example of the schema
    assert made.output["parent"]["parent"] is not None
    assert stand_in("b", spec, kind).output != made.output
    assert stand_in("a", spec, None) == stand_in("a", spec, KINDS["t.free", 1])
    assert stand_in("a", spec, None).origin is Origin.UNKNOWN


@pytest.fixture
def _typed_nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "node_types", lambda: KINDS)


NOW = datetime(2026, 3, 5, tzinfo=UTC)


@pytest.mark.usefixtures("_typed_nodes")
def test_a_sample_scope_is_what_a_node_would_see() -> None:
    pinned = {
        "input": {"host": "mine"},
        "server": {"hostname": "srv-9", "disks": [{"name": "sdz"}]},
    }
    sample = sample_scope(FLOW, "check", now=NOW, pinned=pinned, recorded={"wipe": {"a": 1}})
    scope = sample.scope
    assert set(scope["steps"]) == {"begin", "server", "create-vm", "keep", "wipe"}
    assert scope["input"] == {"host": "mine"}
    assert scope["vars"] == {"zone": "eu", "tries": 1, "id": "srv-9"}
    assert (scope["item"], scope["index"], scope["iteration"]) == ({"name": "sdz"}, 0, {"count": 1})
    assert sample.made == {"begin", "create-vm", "keep"}
    assert resolve("=steps.server.hostname + vars.id + item.name", scope) == "srv-9srv-9sdz"
    assert resolve("=now", scope) == "2026-03-05T00:00:00Z"
    assert sample_scope(FLOW, "check", now=NOW) == sample_scope(FLOW, "check", now=NOW)


@pytest.mark.usefixtures("_typed_nodes")
def test_a_sample_scope_is_made_up_where_nothing_is_known() -> None:
    sample = sample_scope(FLOW, "check", now=NOW, parameter="until")
    assert sample.scope["item"]["size_gb"] >= 1  # the made-up list of the server's disks
    assert sample.scope["result"]["status"] >= 1
    assert {"input", "server", "result"} <= sample.made
    assert isinstance(sample.scope["input"]["count"], int)
    broken = sample_scope(FLOW, "check", now=NOW, pinned={"server": {}})
    assert broken.scope["vars"]["id"] is None
    assert broken.scope["item"]["name"]
    sorry = sample_scope(FLOW, "sorry", now=NOW)
    assert sorry.scope["error"]["node"] == "create-vm"


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "pattern": "("},
        {"type": "string", "pattern": "^never{77}matched$"},
        {"$ref": "#/gone"},
        {"anyOf": []},
        {"items": {"type": "integer"}},
        {"type": "array", "items": {"const": 1}, "uniqueItems": True, "minItems": 3},
        {"required": ["a"]},
        {
            "$defs": {
                "a": {
                    "type": "object",
                    "properties": {"a": {"$ref": "#/$defs/a"}},
                    "required": ["a"],
                }
            },
            "$ref": "#/$defs/a",
        },
        {
            "$defs": {
                "a": {
                    "type": "object",
                    "required": list("abcdefghij"),
                    "properties": {name: {"$ref": "#/$defs/a"} for name in "abcdefghij"},
                }
            },
            "$ref": "#/$defs/a",
        },
        {"type": "array", "minItems": 10**9, "items": {"type": "string", "minLength": 10**9}},
        {"type": "object", "minProperties": 10**9, "additionalProperties": {"type": "integer"}},
        {"type": "string", "pattern": "^(x+x+)+y$", "minLength": 200},
        {"type": "string", "pattern": "(?=a)b"},
        True,
    ],
)
def test_odd_schemas_give_something_all_the_same(schema: Any) -> None:
    made_for(schema)
