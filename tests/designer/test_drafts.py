"""Drafts in the database: concurrency, undo after others' work, publishing, what reading costs."""

import asyncio
from uuid import uuid4

import pytest

from app.core.database import Database
from app.core.errors import Invalid, NotFound
from app.flows.document import NodeSpec
from app.flows.drafts import change as change_module
from app.flows.drafts.errors import NothingToUndo, Stale, UndoClash
from app.flows.drafts.find import changes_since, find_draft, list_drafts
from app.flows.drafts.open import open_flow, open_new, slug_of
from app.flows.drafts.publish import NothingToPublish, discard_draft, publish_draft
from app.flows.drafts.shelf import SHELF
from app.flows.drafts.undo import skip
from app.flows.validate import InvalidFlow
from tests.designer.desk import ADA, GRACE, Desk, a_chain, a_desk


@pytest.fixture
async def desk(database: Database) -> Desk:
    return await a_desk(database, a_chain(4))


async def test_two_designers_change_different_fields_of_one_node(desk: Desk) -> None:
    await desk.give("rename", ADA, node="mail1", name="Welcome")
    await desk.give("set_param", GRACE, base_rev=0, node="mail1", param="template", value="hello")
    spec = (await desk.sheet()).nodes["mail1"]
    assert (spec.name, spec.params) == ("Welcome", {"template": "hello"})


async def test_the_same_field_is_never_overwritten_silently(desk: Desk) -> None:
    await desk.give("rename", ADA, node="mail1", name="Welcome")
    with pytest.raises(Stale) as stale:
        await desk.give("rename", GRACE, base_rev=0, node="mail1", name="Greeting")
    (clash,) = stale.value.clashes
    assert (clash.theirs, clash.mine, clash.by) == ("Welcome", "Greeting", "Ada")
    assert (await desk.sheet()).nodes["mail1"].name == "Welcome"
    # Having seen it, Grace decides.
    await desk.give("rename", GRACE, node="mail1", name="Greeting")
    assert (await desk.sheet()).nodes["mail1"].name == "Greeting"


async def test_both_saying_the_same_is_no_conflict(desk: Desk) -> None:
    await desk.give("rename", ADA, node="mail1", name="Welcome")
    step = await desk.give("rename", GRACE, base_rev=0, node="mail1", name="Welcome")
    assert (step.changes, step.rev) == ((), 1)


async def test_ones_own_gestures_are_no_conflict(desk: Desk) -> None:
    """A window sends its gestures one after the other, each as of what was seen when it began."""
    await desk.give("move", ADA, base_rev=0, nodes={"mail1": [0, 0]})
    await desk.give("move", ADA, base_rev=0, nodes={"mail1": [20, 0]})
    assert (await desk.sheet()).position("mail1") == (20, 0)


async def test_a_node_is_not_deleted_under_the_one_who_edits_it(desk: Desk) -> None:
    await desk.give("set_param", ADA, node="mail1", param="template", value="hello")
    with pytest.raises(Stale):
        await desk.give("delete", GRACE, base_rev=0, nodes=["mail1"])
    assert "mail1" in (await desk.sheet()).nodes


async def test_a_command_sent_twice_is_done_once(desk: Desk) -> None:
    once = uuid4()
    first = await desk.give("add_node", ADA, id_=once, base_rev=0, type="action.send_mail")
    again = await desk.give("add_node", ADA, id_=once, base_rev=0, type="action.send_mail")
    assert again.is_repeated
    assert (again.changes, again.rev) == (first.changes, first.rev)
    assert len((await desk.sheet()).nodes) == 5


async def test_gestures_at_the_same_moment_are_all_kept(desk: Desk) -> None:
    await asyncio.gather(
        *(
            desk.give("move", (ADA, GRACE)[number % 2], base_rev=0, nodes={node: [number, 7]})
            for number, node in enumerate(["paid", "mail1", "mail2", "mail3"])
        )
    )
    sheet = await desk.sheet()
    assert [sheet.position(node) for node in sheet.nodes] == [(0, 7), (1, 7), (2, 7), (3, 7)]
    assert await desk.rev() == 4


async def test_each_undoes_their_own(desk: Desk) -> None:
    await desk.give("rename", ADA, node="mail1", name="A")
    await desk.give("rename", GRACE, node="mail2", name="G")
    await desk.turn("undo", ADA)
    names = {node: spec.name for node, spec in (await desk.sheet()).nodes.items()}
    assert (names["mail1"], names["mail2"]) == ("Mail 1", "G")
    await desk.turn("redo", ADA)
    await desk.turn("undo", GRACE)
    names = {node: spec.name for node, spec in (await desk.sheet()).nodes.items()}
    assert (names["mail1"], names["mail2"]) == ("A", "Mail 2")
    with pytest.raises(NothingToUndo):
        await desk.turn("undo", GRACE)


async def test_an_undo_never_takes_back_what_another_made_of_it(desk: Desk) -> None:
    await desk.give("rename", ADA, node="mail1", name="A")
    await desk.give("rename", ADA, node="mail2", name="B")
    await desk.give("rename", GRACE, node="mail2", name="G")
    with pytest.raises(UndoClash, match="Grace changed the same since") as clash:
        await desk.turn("undo", ADA)
    assert (await desk.sheet()).nodes["mail2"].name == "G"
    # What cannot be taken back is passed over on demand.
    async with desk.database.transaction() as tx:
        await skip(tx, desk.draft, clash.value.rev, by=ADA)
    await desk.turn("undo", ADA)
    assert (await desk.sheet()).nodes["mail1"].name == "Mail 1"


async def test_an_added_node_stays_while_anothers_edge_leads_to_it(desk: Desk) -> None:
    await desk.give("add_node", ADA, type="action.send_mail", x=0, y=900)
    await desk.give("connect", GRACE, node="mail3", port="out", to="send_mail")
    with pytest.raises(UndoClash, match="still needs the node send_mail"):
        await desk.turn("undo", ADA)
    await desk.turn("undo", GRACE)
    await desk.turn("undo", ADA)
    assert "send_mail" not in (await desk.sheet()).nodes


async def test_what_was_undone_is_not_done_again_to_a_node_that_another_deleted(
    desk: Desk,
) -> None:
    """The parameter was empty before: the node that is gone looks as it did then."""
    await desk.give("set_param", ADA, node="mail3", param="subject", value="x")
    await desk.turn("undo", ADA)
    await desk.give("delete", GRACE, nodes=["mail3"])
    with pytest.raises(UndoClash, match="Grace changed the same since"):
        await desk.turn("redo", ADA)
    assert "mail3" not in (await desk.sheet()).nodes


async def test_doing_something_else_leaves_what_was_undone(desk: Desk) -> None:
    await desk.give("rename", ADA, node="mail1", name="A")
    await desk.turn("undo", ADA)
    await desk.give("rename", GRACE, node="mail2", name="G")
    await desk.turn("redo", ADA)
    await desk.turn("undo", ADA)
    await desk.give("rename", ADA, node="mail3", name="C")
    with pytest.raises(NothingToUndo):
        await desk.turn("redo", ADA)


async def test_an_undo_sent_twice_undoes_once(desk: Desk) -> None:
    await desk.give("rename", ADA, node="mail1", name="A")
    await desk.give("rename", ADA, node="mail1", name="B")
    once = uuid4()
    await desk.turn("undo", ADA, id_=once)
    assert (await desk.turn("undo", ADA, id_=once)).is_repeated
    assert (await desk.sheet()).nodes["mail1"].name == "A"


async def test_a_process_that_has_read_nothing_reads_the_same(desk: Desk) -> None:
    await desk.give("add_node", ADA, type="action.send_mail", behind="mail3")
    await desk.give("rename", GRACE, node="send_mail", name="Last")
    await desk.give("delete", ADA, nodes=["mail1"])
    await desk.turn("undo", ADA)
    await desk.give("set_pin", ADA, node="mail2", text="[1]")
    known = await desk.sheet()
    SHELF._kept.clear()
    assert await desk.sheet() == known


async def test_the_document_is_written_whole_now_and_then(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(change_module, "KEEP_EVERY", 3)
    for number in range(7):
        await desk.give("rename", ADA, node="mail1", name=f"Name {number}")
    async with desk.database.snapshot() as tx:
        kept = await tx.fetchval("SELECT kept_rev FROM flow_draft")
    assert kept == 6
    SHELF._kept.clear()
    assert (await desk.sheet()).nodes["mail1"].name == "Name 6"


async def test_what_was_rolled_back_is_not_taken_for_the_draft(desk: Desk) -> None:
    with pytest.raises(ZeroDivisionError):
        async with desk.database.transaction() as tx:
            from app.flows.drafts.change import change
            from app.flows.drafts.command import Command

            payload = {"node": "mail1", "name": "never"}
            await change(tx, desk.draft, Command(uuid4(), "rename", payload), by=ADA)
            raise ZeroDivisionError
    await desk.give("rename", GRACE, node="mail2", name="G")
    names = {node: spec.name for node, spec in (await desk.sheet()).nodes.items()}
    assert (names["mail1"], names["mail2"]) == ("Mail 1", "G")


async def test_changes_since_name_each_cell_once(desk: Desk) -> None:
    await desk.give("rename", ADA, node="mail1", name="A")
    await desk.give("rename", GRACE, node="mail1", name="B")
    async with desk.database.snapshot() as tx:
        (change,) = await changes_since(tx, desk.draft, 0)
        assert await changes_since(tx, desk.draft, 2) == ()
    assert (change.before, change.after) == ("Mail 1", "B")


async def test_publishing_asks_for_a_note_and_what_was_seen(desk: Desk) -> None:
    async with desk.database.transaction() as tx:
        for rev, note in ((0, "  "), (7, "first")):
            with pytest.raises(Invalid):
                await publish_draft(tx, desk.draft, rev=rev, note=note, by=ADA)
        assert await publish_draft(tx, desk.draft, rev=0, note="first", by=ADA) == 1
        with pytest.raises(NothingToPublish):
            await publish_draft(tx, desk.draft, rev=0, note="again", by=ADA)
    await desk.give("move", ADA, nodes={"mail1": [0, 0]})
    async with desk.database.transaction() as tx:
        with pytest.raises(NothingToPublish):
            await publish_draft(tx, desk.draft, rev=1, note="moved", by=ADA)
    await desk.give("rename", ADA, node="mail1", name="A")
    async with desk.database.transaction() as tx:
        assert await publish_draft(tx, desk.draft, rev=2, note="renamed", by=ADA) == 2
        row = (await find_draft(tx, desk.draft)).row
        assert (row.based_on, row.latest) == (2, 2)
        action = await tx.fetchval(
            "SELECT reason FROM audit_entry WHERE action = 'flow.published' ORDER BY id DESC LIMIT 1"
        )
    assert action == "renamed"


async def test_a_flow_that_cannot_run_is_not_published(desk: Desk) -> None:
    await desk.give("disconnect", ADA, edges=[["paid.out", "mail1.in"]])
    async with desk.database.transaction() as tx:
        with pytest.raises(InvalidFlow):
            await publish_draft(tx, desk.draft, rev=1, note="broken", by=ADA)


async def test_a_draft_begins_as_the_latest_version_and_is_thrown_away(desk: Desk) -> None:
    async with desk.database.transaction() as tx:
        await publish_draft(tx, desk.draft, rev=0, note="first", by=ADA)
        assert await open_flow(tx, "test", by=GRACE) == desk.draft
        assert await discard_draft(tx, desk.draft, by=GRACE) == "test"
        with pytest.raises(NotFound):
            await find_draft(tx, desk.draft)
        fresh = await find_draft(tx, await open_flow(tx, "test", by=GRACE))
        assert fresh.row.based_on == 1
        assert fresh.sheet.nodes == a_chain(4).nodes
        with pytest.raises(NotFound):
            await open_flow(tx, "no-such-flow", by=GRACE)
        assert [row.slug for row in await list_drafts(tx)] == ["test"]


async def test_new_flows_need_a_name_of_their_own(desk: Desk) -> None:
    async with desk.database.transaction() as tx:
        for name, slug in ((" ", ""), ("Test", "test"), ("Ok", "Not OK")):
            with pytest.raises(Invalid):
                await open_new(tx, name=name, slug=slug, by=ADA)
        draft = await find_draft(tx, await open_new(tx, name="Käfig & Co", slug="", by=ADA))
        slugs = []
        for _ in range(3):  # as who takes a template's name thrice
            again = await find_draft(tx, await open_new(tx, name="Test", slug="", by=ADA))
            slugs.append(again.row.slug)
        long = [await open_new(tx, name="a" * 70, slug="", by=ADA) for _ in range(2)]
    assert draft.row.slug == slug_of("Käfig & Co") == "k-fig-co"
    assert draft.sheet.nodes == {}
    assert slugs == ["test-2", "test-3", "test-4"]
    assert len(set(long)) == 2


async def test_nodes_of_unknown_types_can_still_be_drawn(database: Database) -> None:
    document = a_chain(2)
    document.nodes["odd"] = NodeSpec(type="no.such.type")
    desk = await a_desk(database, document)
    await desk.give("connect", ADA, node="mail1", port="out", to="odd")
    await desk.give("layout", ADA)
    assert ("mail1.out", "odd.in") in (await desk.sheet()).document.edges
