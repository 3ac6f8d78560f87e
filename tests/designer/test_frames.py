"""Where new nodes and the frames of containers lie, and what keys the page is told of."""

import itertools
import re
from uuid import UUID, uuid4

import msgspec

from app.components.designer.keys import KEYS, cheat_sheet
from app.components.designer.patch import patch
from app.flows.document import NodeSpec
from app.flows.drafts.command import Command, plan
from app.flows.drafts.frames import Frame, frames_of, reframed
from app.flows.drafts.place import NODE_WIDTH
from app.flows.drafts.room import node_height
from app.flows.drafts.sheet import Sheet
from tests.designer.test_commands import STAMP, done, looped, sheet

DRAFT = UUID(int=7)


def nested() -> Sheet:
    """A container in a container, each with a step."""
    document = looped()
    inner = NodeSpec(type="logic.repeat", within="again", params={"until": "=true", "max": 2})
    nodes = {**document.nodes, "inner": inner, "deep": NodeSpec(type="data.set", within="inner")}
    ui = {**document.ui, "inner": {"x": 880, "y": 120}, "deep": {"x": 1160, "y": 120}}
    return sheet(msgspec.structs.replace(document, nodes=nodes, ui=ui))


def touching(on: Sheet) -> list[tuple[str, str]]:
    places = {node: place for node in on.nodes if (place := on.position(node))}
    return [
        (one, other)
        for one, other in itertools.combinations(places, 2)
        if abs(places[one][0] - places[other][0]) < NODE_WIDTH
        and places[one][1] < places[other][1] + node_height(on, other)
        and places[other][1] < places[one][1] + node_height(on, one)
    ]


def test_a_frame_lies_around_all_that_stands_in_its_container() -> None:
    outer, inner = frames_of(nested())
    assert (outer.container, inner.container) == ("again", "inner")
    assert outer == Frame("again", 576, 78, 808, 212)
    assert inner.x == 1160 - 20
    assert outer.x < inner.x
    assert outer.x + outer.width > inner.x + inner.width
    assert frames_of(nested(), ["inner"]) == [inner]


def test_a_gesture_draws_the_frames_that_it_moves_and_no_others() -> None:
    on = nested()

    def moved(kind: str, **payload: object) -> set[str]:
        changes = plan(on, Command(uuid4(), kind, payload), STAMP)
        return reframed(done(on, kind, **payload), changes)

    assert moved("move", nodes={"deep": [1160, 400]}) == {"again", "inner"}
    assert moved("move", nodes={"paid": [0, 0]}) == set()
    assert moved("rename", node="again", name="Until it is there") == {"again"}
    assert moved("set_within", nodes=["inner"], within="") == {"again", "inner"}
    assert "inner" in moved("delete", nodes=["inner", "deep"])
    assert moved("set_policy", node="deep", field="retry.max", value="3") == set()


def test_a_patch_takes_a_frame_away_before_it_draws_it() -> None:
    on = nested()
    changes = plan(on, Command(uuid4(), "move", {"nodes": {"mail": [600, 300]}}), STAMP)
    words = str(patch(DRAFT, 1, done(on, "move", nodes={"mail": [600, 300]}), changes))
    assert words.index('hx-target="#f-again"') < words.index('id="f-again"')
    assert "f-inner" not in words


def test_new_nodes_lie_beside_others_and_over_none() -> None:
    on = done(sheet(looped()), "add_node", type="action.send_mail", x=2000, y=2000)
    on = done(on, "add_node", type="action.send_mail", x=2000, y=2000)
    assert on.position("send_mail_2") == (2280, 2000)
    for _ in range(4):
        on = done(on, "add_node", type="logic.switch", behind="paid")
    columns = {on.position(node)[0] for node in on.nodes if node.startswith("switch")}  # type: ignore[index]
    assert columns == {320}
    assert touching(on) == []


def test_where_all_is_full_a_node_lies_near_at_hand() -> None:
    on = sheet(looped())
    for number in range(40):
        on = done(on, "add_node", type="action.send_mail", x=200 * (number % 8), y=100 * number)
    on = done(on, "add_node", type="action.send_mail", behind="paid")
    place = on.position("send_mail_41")
    assert place is not None
    assert abs(place[1] - 120) <= 720


def test_each_key_of_the_cheat_sheet_has_a_deed() -> None:
    chords = [pair for _, keys in KEYS for key in keys for pair in key.chords.split()]
    assert all(re.fullmatch(r"(ctrl\+)?(shift\+)?[^:\s]+:[a-z-]+", pair) for pair in chords)
    assert len({pair.partition(":")[0] for pair in chords}) == len(chords)
    assert 'data-chords="c:connect"' in str(cheat_sheet())
