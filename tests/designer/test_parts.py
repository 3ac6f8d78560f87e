"""Parameters with a form within: paths, rows, entries, kinds, and ports that follow."""

import dataclasses
from typing import Annotated, Any, Literal
from uuid import uuid4

import msgspec
import pytest

from app.components.designer.fields import param_field
from app.components.designer.problems import beside_fields
from app.core.database import Database
from app.core.errors import Refusal
from app.flows.document import Document, NodeSpec
from app.flows.drafts import ports
from app.flows.drafts.errors import Stale
from app.flows.drafts.form import _made, field_of, fields_of, json_text
from app.flows.drafts.parts import blank, find, places, put, standing
from app.flows.drafts.ports import lost_ports, ports_of
from app.flows.drafts.sheet import Sheet
from app.flows.registry import node_type, node_types
from app.flows.validate import problems_of
from tests.designer.desk import ADA, GRACE, a_desk
from tests.designer.test_commands import done, sheet


class Page(msgspec.Struct, tag="page", tag_field="by"):
    size: int = 10


class Cursor(msgspec.Struct, tag="cursor", tag_field="by"):
    name: Annotated[str, msgspec.Meta(title="Name of the cursor")]
    size: int = 10


PAGING = _made("paging", msgspec.inspect.type_info(Page | Cursor), 0)
MAPS = _made("maps", msgspec.inspect.type_info(dict[str, list[dict[str, Any]]]), 0)


def switch(**params: Any) -> Sheet:
    cases = [{"name": "linux", "is": "debian-12"}, {"name": "large", "when": "=1 > 0"}]
    return sheet(
        Document(
            flow="test",
            nodes={
                "paid": NodeSpec(type="trigger.order_paid"),
                "which": NodeSpec(type="logic.switch", params={"cases": cases, **params}),
                "mail": NodeSpec(type="action.send_mail"),
            },
            edges=(("paid.out", "which.in"), ("which.case:linux", "mail.in")),
        )
    )


def shape(on: Sheet, act: str, *path: str | int, value: str = "", param: str = "cases") -> Sheet:
    return done(on, "shape_param", node="which", param=param, act=act, path=list(path), value=value)


def cases(on: Sheet) -> Any:
    return on.nodes["which"].params["cases"]


def test_a_leaf_is_set_and_taken_out_of_a_row() -> None:
    after = done(
        switch(), "set_param", node="which", param="cases", path=[0, "is"], value="7", mode="json"
    )
    assert cases(after)[0] == {"name": "linux", "is": 7}
    bare = done(
        after, "set_param", node="which", param="cases", path=[1, "when"], value=" ", mode="json"
    )
    assert cases(bare)[1] == {"name": "large"}


def test_rows_are_added_moved_and_taken_away() -> None:
    after = shape(switch(), "add")
    assert cases(after)[2] == {}
    assert [case["name"] for case in cases(shape(switch(), "up", 1))] == ["large", "linux"]
    assert shape(switch(), "down", 1) == switch()
    assert [case["name"] for case in cases(shape(switch(), "remove", 0))] == ["large"]
    whole = done(switch(), "shape_param", node="which", param="cases", act="remove")
    assert "cases" not in whole.nodes["which"].params


def test_a_row_that_is_gone_is_not_written_to() -> None:
    with pytest.raises(Refusal, match="not there any more"):
        done(switch(), "set_param", node="which", param="cases", path=[2, "name"], value="x")
    with pytest.raises(Refusal, match="not there any more"):
        shape(switch(), "remove", 9)


def test_an_open_place_becomes_a_list_and_an_object() -> None:
    listed = shape(switch(value="x"), "kind", param="value", value="list")
    assert listed.nodes["which"].params["value"] == []
    one = shape(shape(listed, "add", param="value"), "kind", 0, param="value", value="object")
    named = shape(one, "add", 0, param="value")
    assert named.nodes["which"].params["value"] == [{"": None}]
    with pytest.raises(Refusal, match="Name the new row first"):
        shape(named, "add", 0, param="value")
    called = shape(named, "key", 0, "", value="a.b", param="value")
    full = done(
        called, "set_param", node="which", param="value", path=[0, "a.b"], value="1", mode="json"
    )
    assert full.nodes["which"].params["value"] == [{"a.b": 1}]
    twice = shape(full, "add", 0, param="value")
    with pytest.raises(Refusal, match="already a row named"):
        shape(twice, "key", 0, "", value="a.b", param="value")


def test_an_edge_follows_the_port_that_a_case_renames() -> None:
    after = done(switch(), "set_param", node="which", param="cases", path=[0, "name"], value="unix")
    assert ("which.case:unix", "mail.in") in after.document.edges
    assert lost_ports(after, "which") == ()


def test_an_edge_whose_port_is_gone_is_told_and_led_from_another() -> None:
    after = shape(switch(), "remove", 0)
    assert lost_ports(after, "which") == ("case:linux",)
    assert "case:linux" not in ports_of(after, "which")
    mended = done(
        after,
        "reconnect",
        edge=["which.case:linux", "mail.in"],
        node="which",
        port="case:large",
        to="mail",
    )
    assert lost_ports(mended, "which") == ()


def test_a_union_keeps_what_both_kinds_have() -> None:
    assert PAGING.shape == "union"
    value = blank(PAGING)
    assert value == {"by": "page"} or value == {"by": "cursor"}
    cursor = put(PAGING, {"by": "cursor", "size": 5}, ("name",), "next")
    assert cursor == {"by": "cursor", "size": 5, "name": "next"}
    assert put(PAGING, None, ("size",), 3)["size"] == 3
    assert put(PAGING, cursor, ("size",), None) == {"by": "cursor", "name": "next"}


class Call(msgspec.Struct):
    paging: Page | Cursor | None = None


def test_a_union_is_set_picked_and_taken_away(monkeypatch: pytest.MonkeyPatch) -> None:
    paged = dataclasses.replace(node_type("action.http", 1), params=Call)
    monkeypatch.setattr(ports, "node_type", lambda *_: paged)
    on = sheet(Document(flow="test", nodes={"which": NodeSpec(type="action.http")}, edges=()))
    first = shape(on, "add", param="paging")
    assert first.nodes["which"].params["paging"]["by"] in ("page", "cursor")
    cursor = shape(first, "kind", param="paging", value="cursor")
    sized = done(
        cursor, "set_param", node="which", param="paging", path=["size"], value="5", mode="number"
    )
    named = done(sized, "set_param", node="which", param="paging", path=["name"], value="next")
    page = shape(named, "kind", param="paging", value="page")
    assert page.nodes["which"].params["paging"] == {"by": "page", "size": 5}
    field = field_of(paged, "paging")
    assert field is not None
    words = str(param_field(uuid4(), "which", field, named.nodes["which"].params["paging"]))
    assert ("Kind of paging" in words, "Name of the cursor" in words) == (True, True)
    assert shape(page, "remove", param="paging").nodes["which"].params == {}
    assert "Set paging" in str(param_field(uuid4(), "which", field, None))


async def test_mine_is_written_into_their_list(database: Database) -> None:
    desk = await a_desk(database, switch().document)
    await desk.give("set_param", GRACE, node="which", param="cases", path=[1, "name"], value="big")
    mine = {"node": "which", "param": "cases", "path": [0, "name"], "value": "unix"}
    with pytest.raises(Stale):
        await desk.give("set_param", ADA, base_rev=0, **mine)
    await desk.give("set_param", ADA, **mine)
    names = [case["name"] for case in cases(await desk.sheet())]
    assert names == ["unix", "big"]


def test_maps_of_lists_of_maps_are_walked() -> None:
    value = {"b": [{"x": 1}], "a": []}
    assert find(MAPS, value, ("b", 0, "x"))[1] == 1
    changed = put(MAPS, value, ("b", 0, "x"), None)
    assert (changed, value["b"]) == ({"b": [{"x": None}], "a": []}, [{"x": 1}])
    assert list(places(MAPS, value, "with.maps")) == [
        "with.maps", "with.maps.a", "with.maps.b", "with.maps.b[0]", "with.maps.b[0].x"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, "entries"), ("=input.x", "expression"), ("text", "json"), ([1], "json")],
    ids=["nothing", "expression", "text", "list"],
)
def test_what_does_not_fit_the_form_is_shown_as_it_is(
    value: Any, shown: Literal["entries", "expression", "json"]
) -> None:
    assert standing(MAPS, value) == shown


@pytest.mark.parametrize(
    ("value", "typed"),
    [("debian", "debian"), ("5", '"5"'), (5, "5"), (" x", '" x"'), ("=a", "=a"), (None, "")],
    ids=["text", "digits", "number", "blank", "expression", "nothing"],
)
def test_an_open_value_reads_back_as_it_was_typed(value: Any, typed: str) -> None:
    assert json_text(value, is_open=True) == typed


def test_what_is_wrong_in_a_row_stands_beside_its_field_and_under_the_json() -> None:
    on = done(switch(), "set_param", node="which", param="cases", path=[1, "name"], value="@")
    words = str(beside_fields(on, problems_of(on.document), "which"))
    assert "[data-wrong=&#34;with.cases[1].name&#34;]" in words
    assert "[data-wrong=&#34;in:with.cases&#34;]" in words


def test_no_parameter_of_a_shipped_node_type_is_asked_for_as_json_alone() -> None:
    shapes = {
        (kind.name, field.name): field.shape
        for kind in node_types().values()
        for field in fields_of(kind)
    }
    assert [place for place, shape_ in shapes.items() if shape_ == "json"] == []
    assert shapes["action.http", "paging"] == "object"
    success = field_of(node_type("action.http", 1), "success")
    assert success is not None
    assert "Default: 2xx" in str(param_field(uuid4(), "call", success, None))
