"""Every kind of command on a draft: what it changes, what it refuses, and its inverse."""

from typing import Any
from uuid import uuid4

import msgspec
import pytest

from app.core.errors import Refusal
from app.flows.document import Document, NodeSpec, content_hash, parse
from app.flows.drafts.command import KINDS, Command, Stamp, apply, inverse, plan
from app.flows.drafts.errors import BadGesture, NoSuchNode
from app.flows.drafts.sheet import Sheet, in_order, plain
from tests.designer.desk import a_chain

STAMP = Stamp(by="Ada", at="2026-03-01T02:00:00+00:00", seed="0123456789ab")


def sheet(document: Document | None = None) -> Sheet:
    return Sheet(in_order(document or a_chain(4)))


def done(on: Sheet, kind: str, **payload: Any) -> Sheet:
    """Do a command, and see that its inverse takes it back to the letter."""
    changes = plan(on, Command(uuid4(), kind, payload), STAMP)
    after = apply(on, changes)
    back = apply(after, inverse(changes))
    assert msgspec.json.encode(back, order="sorted") == msgspec.json.encode(on, order="sorted")
    again = apply(back, changes)
    assert msgspec.json.encode(again, order="sorted") == msgspec.json.encode(after, order="sorted")
    return after


def looped() -> Document:
    return Document(
        flow="test",
        nodes={
            "paid": NodeSpec(type="trigger.order_paid"),
            "again": NodeSpec(type="logic.repeat", params={"until": "=has(steps.mail)", "max": 3}),
            "mail": NodeSpec(type="action.send_mail", within="again"),
            "service": NodeSpec(type="action.update_service"),
        },
        edges=(("paid.out", "again.in"), ("again.each", "mail.in"), ("again.done", "service.in")),
        ui={
            "paid": {"x": 40, "y": 120},
            "again": {"x": 320, "y": 120},
            "mail": {"x": 600, "y": 120},
        },
    )


def test_a_node_is_added_behind_another_connected_and_in_its_container() -> None:
    after = done(sheet(looped()), "add_node", type="action.send_mail", behind="mail")
    assert after.nodes["send_mail"].within == "again"
    assert ("mail.out", "send_mail.in") in after.document.edges
    assert after.position("send_mail") == (880, 120)
    body = done(after, "add_node", type="action.send_mail", behind="again", port="each")
    assert body.nodes["send_mail_2"].within == "again"


def test_the_second_node_behind_one_does_not_leave_by_its_error_port() -> None:
    after = done(sheet(a_chain(2)), "add_node", type="action.send_mail", behind="paid")
    assert ("paid.out", "send_mail.in") in after.document.edges


def test_the_next_node_behind_a_choice_leaves_by_the_port_that_is_free() -> None:
    one = done(sheet(a_chain(1)), "add_node", type="logic.if", behind="paid")
    two = done(one, "add_node", type="action.send_mail", behind="if")
    three = done(two, "add_node", type="action.send_mail", behind="if")
    left = {start for start, _ in three.document.edges}
    assert {"if.true", "if.false"} <= left


def test_a_trigger_is_led_to_by_nothing_even_when_a_node_is_selected() -> None:
    after = done(sheet(a_chain(1)), "add_node", type="trigger.order_paid", behind="paid")
    assert after.document.edges == ()


def test_new_nodes_stand_on_no_other() -> None:
    after = sheet(a_chain(1))
    for _ in range(4):
        after = done(after, "add_node", type="action.send_mail", x=300, y=100)
    places = [after.position(node) for node in after.nodes]
    assert len(set(places)) == 5


def test_nodes_and_notes_move_together() -> None:
    noted = done(sheet(), "add_note", x=11, y=19, text="why")
    assert noted.notes() == {STAMP.seed: {"id": STAMP.seed, "x": 20, "y": 20, "text": "why"}}
    after = done(noted, "move", nodes={"paid": [100, 200]}, notes={STAMP.seed: [300, 400]})
    assert after.position("paid") == (100, 200)
    assert after.notes()[STAMP.seed] == {"id": STAMP.seed, "x": 300, "y": 400, "text": "why"}
    edited = done(after, "edit_note", note=STAMP.seed, text="because", tone="info")
    assert edited.notes()[STAMP.seed]["text"] == "because"
    assert done(edited, "delete", notes=[STAMP.seed]).notes() == {}


def test_moving_is_no_new_version() -> None:
    before = sheet()
    after = done(before, "move", nodes={"paid": [900, 900]})
    assert content_hash(after.document) == content_hash(before.document)


def test_connecting_takes_the_node_into_the_container() -> None:
    alone = done(sheet(looped()), "add_node", type="action.send_mail", x=600, y=400)
    after = done(alone, "connect", node="mail", port="out", to="send_mail")
    assert after.nodes["send_mail"].within == "again"
    assert ("mail.out", "send_mail.in") in after.document.edges


@pytest.mark.parametrize(
    ("node", "port", "to", "words"),
    [
        ("mail", "nowhere", "service", "no port nowhere"),
        ("mail", "out", "paid", "nothing leads to it"),
        ("service", "out", "again", "lead back"),
        ("mail", "out", "mail", "lead back"),
        ("mail", "out", "service", "does not stand"),
        ("mail", "out", "gone", "no node gone"),
    ],
)
def test_edges_that_make_no_sense_are_refused(node: str, port: str, to: str, words: str) -> None:
    with pytest.raises(Refusal, match=words):
        done(sheet(looped()), "connect", node=node, port=port, to=to)


def test_an_edge_is_led_elsewhere_in_one_gesture() -> None:
    edge = ["mail2.out", "mail3.in"]
    after = done(sheet(), "reconnect", edge=edge, node="mail1", port="error", to="mail3")
    assert ("mail1.error", "mail3.in") in after.document.edges
    assert ("mail2.out", "mail3.in") not in after.document.edges
    with pytest.raises(BadGesture, match="not there any more"):
        done(after, "reconnect", edge=edge, node="mail1", port="out", to="mail3")
    assert done(after, "disconnect", edges=[["mail1.error", "mail3.in"]]).document.edges == (
        ("mail1.out", "mail2.in"),
        ("paid.out", "mail1.in"),
    )


@pytest.mark.parametrize(
    ("value", "mode", "kept"),
    [
        ("hello", "text", "hello"),
        ("=price", "text", "==price"),
        (" steps.paid.order ", "expression", "=steps.paid.order"),
        ("12", "number", 12),
        ("1.5", "number", 1.5),
        ("twelve", "number", "twelve"),
        ("true", "yes", True),
        ("false", "yes", False),
        ('{"a": [1]}', "json", {"a": [1]}),
        ("a\n\n b \n", "lines", ["a", "b"]),
        ("", "text", None),
        (None, "value", None),
    ],
)
def test_what_is_typed_becomes_a_value(value: Any, mode: str, kept: Any) -> None:
    after = done(sheet(), "set_param", node="mail1", param="template", value=value, mode=mode)
    assert after.nodes["mail1"].params.get("template") == kept


@pytest.mark.parametrize(
    ("field", "text", "kept"),
    [
        ("retry.max", "5", {"retry": {"max": 5}}),
        ("retry.on", "transient, timeout", {"retry": {"on": ["transient", "timeout"]}}),
        ("retry.jitter", "false", {"retry": {"jitter": False}}),
        ("timeout.total", "30m", {"timeout": {"total": "30m"}}),
        ("on_failure", "compensate", {"on_failure": "compensate"}),
        ("idempotency", "probe", {"idempotency": "probe"}),
        ("compensate", "none", {"compensate": "none"}),
        ("retry.max", "", {}),
    ],
)
def test_policies_are_kept_and_defaults_are_left_out(field: str, text: str, kept: Any) -> None:
    after = done(sheet(), "set_policy", node="mail1", field=field, value=text)
    spec = plain(after.nodes["mail1"])
    assert {key: spec[key] for key in spec if key not in ("type", "name")} == kept


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("retry.max", "many"),
        ("timeout.attempt", "soon"),
        ("retry.on", "sunspots"),
        ("idempotency", "hope"),
        ("compensate", "nobody"),
        ("colour", "red"),
    ],
)
def test_policies_that_nobody_can_follow_are_refused(field: str, text: str) -> None:
    with pytest.raises(BadGesture):
        done(sheet(), "set_policy", node="mail1", field=field, value=text)


def test_renaming_keeps_the_id() -> None:
    assert done(sheet(), "rename", node="mail1", name="Welcome").nodes["mail1"].name == "Welcome"


def test_deleting_a_container_frees_its_body_and_takes_the_edges() -> None:
    after = done(sheet(looped()), "delete", nodes=["again", "never-there"])
    assert set(after.nodes) == {"paid", "mail", "service"}
    assert after.nodes["mail"].within is None
    assert after.document.edges == ()


def test_a_copy_is_pasted_under_free_ids_and_its_references_follow() -> None:
    source = done(
        sheet(),
        "set_param",
        node="mail2",
        param="template",
        value="steps.mail1.mail",
        mode="expression",
    )
    copy = msgspec.json.encode(
        {
            "nodes": {name: source.nodes[name] for name in ("mail1", "mail2")},
            "edges": source.document.edges,
            "ui": source.document.ui | {"notes": [{"x": 0, "y": 0, "text": "n"}]},
        }
    ).decode()
    after = done(source, "paste", text=copy, x=1000, y=1000)
    assert {"mail1_2", "mail2_2"} < set(after.nodes)
    assert after.nodes["mail2_2"].params == {"template": "=steps.mail1_2.mail"}
    assert ("mail1_2.out", "mail2_2.in") in after.document.edges
    assert ("paid.out", "mail1_2.in") not in after.document.edges
    assert len(after.notes()) == 1
    twice = done(after, "paste", text=copy, x=1000, y=2000)
    assert {"mail1_3", "mail2_3"} < set(twice.nodes)


@pytest.mark.parametrize("text", ["", "nonsense", "[]", '{"nodes": {}}', '{"nodes": {"a": {}}}'])
def test_what_is_no_part_of_a_flow_is_not_pasted(text: str) -> None:
    with pytest.raises(BadGesture):
        done(sheet(), "paste", text=text)


def test_duplicates_stand_beside_with_the_edges_among_them() -> None:
    after = done(sheet(), "duplicate", nodes=["mail1", "mail2"])
    assert ("mail1_2.out", "mail2_2.in") in after.document.edges
    assert after.position("mail1_2") == (360, 160)


def test_nodes_go_into_a_container_and_edges_over_its_border_are_cut() -> None:
    after = done(sheet(looped()), "set_within", nodes=["service"], within="again")
    assert after.nodes["service"].within == "again"
    assert ("again.done", "service.in") not in after.document.edges
    out = done(after, "set_within", nodes=["mail"], within=None)
    assert ("again.each", "mail.in") not in out.document.edges
    for nodes, within in ((["again"], "again"), (["mail"], "paid"), (["mail"], "gone")):
        with pytest.raises(Refusal):
            done(sheet(looped()), "set_within", nodes=nodes, within=within)


def test_comments_and_pins_are_no_part_of_what_runs() -> None:
    before = sheet()
    after = done(before, "comment", node="mail1", text="why twice?")
    assert list(after.comments("mail1").values()) == [
        {"by": "Ada", "at": STAMP.at, "text": "why twice?"}
    ]
    pinned = done(after, "set_pin", node="mail1", text='{"mail": "m1"}')
    assert pinned.pins == {"mail1": {"mail": "m1"}}
    assert content_hash(pinned.document) == content_hash(before.document)
    assert done(pinned, "uncomment", node="mail1", comment=STAMP.seed).comments("mail1") == {}
    assert done(pinned, "set_pin", node="mail1").pins == {}
    assert done(pinned, "delete", nodes=["mail1"]).pins == {}
    with pytest.raises(BadGesture):
        done(before, "set_pin", node="mail1", text="{")
    with pytest.raises(BadGesture):
        done(before, "comment", node="mail1", text="  ")


def test_a_call_takes_the_place_of_what_the_node_asked_before() -> None:
    node = {"type": "action.http", "with": {"url": "old", "query": {"a": "1"}, "keep": "=result"}}
    before = sheet(
        msgspec.convert({"flow": "calls", "nodes": {"call": node}, "edges": []}, Document)
    )
    params = {"url": "https://api.test/x", "method": "POST", "body": {}}
    after = done(before, "fill_call", node="call", params=params, notes=["one", "two"])
    assert after.nodes["call"].params == {**params, "keep": "=result"}
    (comment,) = after.comments("call").values()
    assert comment["text"] == "one\ntwo"
    with pytest.raises(BadGesture):
        done(before, "fill_call", node="call", params={"connection": "x"})
    with pytest.raises(BadGesture):
        done(sheet(), "fill_call", node="mail1", params=params)


def test_the_flow_itself_is_described() -> None:
    after = done(sheet(), "set_flow", field="description", value="what it does")
    after = done(after, "set_flow", field="inputs", value='{"type": "object"}')
    after = done(after, "set_flow", field="on_failure", value="compensate")
    assert after.document.description == "what it does"
    assert after.document.inputs == {"type": "object"}
    assert after.document.on_failure == "compensate"
    for field, value in (("inputs", "["), ("on_failure", "pray")):
        with pytest.raises(BadGesture):
            done(after, "set_flow", field=field, value=value)


def test_the_layout_runs_from_left_to_right_and_what_follows_a_container_follows_its_body() -> None:
    after = done(sheet(looped()), "layout")
    places = {node: after.position(node) for node in after.nodes}
    columns = [places[node][0] for node in ("paid", "again", "mail", "service")]
    assert columns == sorted(set(columns))
    assert all(x % 20 == 0 and y % 20 == 0 for x, y in places.values())


def test_the_layout_of_500_nodes_puts_none_on_another() -> None:
    after = done(sheet(a_chain(500)), "layout")
    assert len({after.position(node) for node in after.nodes}) == 500


def test_every_kind_refuses_a_node_that_is_gone() -> None:
    for kind, payload in {
        "move": {"nodes": {"gone": [0, 0]}},
        "set_param": {"node": "gone", "param": "x", "value": "1"},
        "set_policy": {"node": "gone", "field": "retry.max", "value": "1"},
        "rename": {"node": "gone", "name": "x"},
        "duplicate": {"nodes": ["gone"]},
        "set_within": {"nodes": ["gone"]},
        "comment": {"node": "gone", "text": "x"},
        "uncomment": {"node": "gone", "comment": "x"},
        "set_pin": {"node": "gone", "text": "1"},
        "fill_call": {"node": "gone", "params": {}},
        "edit_note": {"note": "gone", "text": "x"},
        "add_node": {"type": "action.send_mail", "behind": "gone"},
    }.items():
        with pytest.raises(NoSuchNode):
            done(sheet(), kind, **payload)


def test_what_is_no_command_is_refused() -> None:
    for kind, payload in (
        ("explode", {}),
        ("move", {"nodes": 1}),
        ("add_node", {"type": "no.such"}),
    ):
        with pytest.raises(BadGesture):
            done(sheet(), kind, **payload)


def test_every_kind_has_a_title_of_its_own() -> None:
    assert len({kind.TITLE for kind in KINDS.values()}) == len(KINDS) == 21


def test_a_draft_survives_its_own_json() -> None:
    after = done(sheet(looped()), "add_note", x=0, y=0, text="n")
    raw = msgspec.json.encode(after.document)
    assert parse(raw) == after.document
