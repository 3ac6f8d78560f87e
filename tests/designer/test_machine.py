"""A draft against a plain model: two designers who see different revisions, undo and retry."""

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from hypothesis.stateful import run_state_machine_as_test as run_machine

from app.core.clock import SetClock
from app.core.database import Database
from app.core.errors import Refusal
from app.flows.document import Document, NodeSpec
from app.flows.drafts.change import change
from app.flows.drafts.command import Command
from app.flows.drafts.errors import NothingToUndo, Stale, UndoClash
from app.flows.drafts.find import find_draft
from app.flows.drafts.open import open_new
from app.flows.drafts.shelf import SHELF
from app.flows.drafts.undo import Turn, turn
from app.flows.drafts.views import Step
from tests.conftest import START
from tests.designer.desk import ADA, GRACE

WHO = (ADA, GRACE)
who = st.integers(0, 1)
names = st.sampled_from(["a", "b", "c", "d"])
words = st.sampled_from(["x", "y", "z"])

Path = tuple[str, ...]
"""What the model calls a thing: (node,) as a whole, (node, field), or (from, to, "edge")."""


class Drawing(RuleBasedStateMachine):
    """The model is a dictionary of nodes, a set of edges and a list of what each one did."""

    runner: asyncio.Runner
    database: Database

    @initialize()
    def draw(self) -> None:
        self.nodes: dict[str, dict[str, str]] = {}
        self.edges: set[tuple[str, str]] = set()
        self.log: list[tuple[int, dict[Path, tuple[Any, Any]]]] = []
        self.deeds: list[dict[str, Any]] = []
        self.seen = [0, 0]
        document = Document(flow="m", nodes={}, edges=())
        for name in "abcd":
            document.nodes[name] = NodeSpec(type="action.send_mail", name="x")
            self.nodes[name] = {"name": "x", "template": ""}
        self.draft = self._do(
            lambda tx: open_new(tx, name="M", slug=uuid4().hex, by=ADA, template=document)
        )

    @rule(me=who, node=names, word=words)
    def rename(self, me: int, node: str, word: str) -> None:
        self._give(me, "rename", {"node": node, "name": word}, self._field(node, "name", word))

    @rule(me=who, node=names, word=words)
    def set_param(self, me: int, node: str, word: str) -> None:
        payload = {"node": node, "param": "template", "value": word}
        self._give(me, "set_param", payload, self._field(node, "template", word))

    @rule(me=who, start=names, end=names)
    def connect(self, me: int, start: str, end: str) -> None:
        wish = None
        if start in self.nodes and end in self.nodes and not self._leads(end, start):
            edge = (start, end, "edge")
            wish = {} if (start, end) in self.edges else {edge: (None, True)}
        self._give(me, "connect", {"node": start, "port": "out", "to": end}, wish)

    @rule(me=who, start=names, end=names)
    def disconnect(self, me: int, start: str, end: str) -> None:
        there = (start, end) in self.edges
        wish: dict[Path, Any] = {(start, end, "edge"): (True, None)} if there else {}
        self._give(me, "disconnect", {"edges": [[f"{start}.out", f"{end}.in"]]}, wish)

    @rule(me=who, node=names)
    def delete(self, me: int, node: str) -> None:
        wish: dict[Path, Any] = {}
        if node in self.nodes:
            wish[node,] = (dict(self.nodes[node]), None)
            wish |= {(a, b, "edge"): (True, None) for a, b in self.edges if node in (a, b)}
        self._give(me, "delete", {"nodes": [node]}, wish)

    @rule(me=who)
    def look(self, me: int) -> None:
        self.seen[me] = len(self.log)

    @rule(me=who)
    def undo(self, me: int) -> None:
        mine = [deed for deed in self.deeds if deed["by"] == me and deed["state"] == "done"]
        self._turn(me, "undo", mine[-1] if mine else None)

    @rule(me=who)
    def redo(self, me: int) -> None:
        mine = [deed for deed in self.deeds if deed["by"] == me and deed["state"] == "undone"]
        self._turn(me, "redo", mine[0] if mine else None)

    @rule()
    def another_process_reads(self) -> None:
        SHELF._kept.clear()

    @invariant()
    def agrees(self) -> None:
        sheet = self._do(lambda tx: find_draft(tx, self.draft)).sheet
        drawn = {
            name: {"name": spec.name, "template": spec.params.get("template", "")}
            for name, spec in sheet.nodes.items()
        }
        edges = {(a.partition(".")[0], b.partition(".")[0]) for a, b in sheet.document.edges}
        assert (drawn, edges) == (self.nodes, self.edges)

    def _field(self, node: str, field: str, word: str) -> dict[Path, Any] | None:
        if node not in self.nodes:
            return None
        before = self.nodes[node][field]
        return {} if before == word else {(node, field): (before, word)}

    def _give(self, me: int, kind: str, payload: Any, wish: dict[Path, Any] | None) -> None:
        """Give a command, twice: None is refused, an overlap with others' unseen is stale."""
        command = Command(uuid4(), kind, payload, self.seen[me])
        first = self._attempt(lambda tx: change(tx, self.draft, command, by=WHO[me]))
        unseen = [path for by, effect in self.log[self.seen[me] :] for path in effect if by != me]
        if wish is None:
            assert isinstance(first, Refusal)
            assert not isinstance(first, Stale)
        elif any(_overlap(mine, other) for mine in wish for other in unseen):
            assert isinstance(first, Stale)
        else:
            assert isinstance(first, Step), first
            if wish:
                for deed in self.deeds:
                    if deed["by"] == me and deed["state"] == "undone":
                        deed["state"] = "left"
                self.deeds.append({"by": me, "state": "done", "effect": wish})
                self._take(me, wish)
            again = self._attempt(lambda tx: change(tx, self.draft, command, by=WHO[me]))
            assert isinstance(again, Step)
            assert again.rev == first.rev == len(self.log)

    def _turn(self, me: int, which: Turn, deed: dict[str, Any] | None) -> None:
        command: UUID = uuid4()
        found = self._attempt(lambda tx: turn(tx, self.draft, which, command=command, by=WHO[me]))
        if deed is None:
            assert isinstance(found, NothingToUndo)
            return
        effect = deed["effect"]
        if which == "undo":
            effect = {path: (after, before) for path, (before, after) in effect.items()}
        changed = any(self._at(path) != before for path, (before, _) in effect.items())
        if changed or self._would_dangle(effect):
            assert isinstance(found, UndoClash)
        else:
            assert isinstance(found, Step), found
            deed["state"] = "undone" if which == "undo" else "done"
            self._take(me, effect)

    def _at(self, path: Path) -> Any:
        if path[-1] == "edge":
            return True if path[:2] in self.edges else None
        node = self.nodes.get(path[0])
        return node if len(path) == 1 or node is None else node[path[1]]

    def _would_dangle(self, effect: dict[Path, Any]) -> bool:
        nodes, edges = set(self.nodes), set(self.edges)
        for path, (_, after) in effect.items():
            if path[-1] == "edge":
                (edges.discard if after is None else edges.add)(path[:2])  # type: ignore[arg-type]
            elif len(path) == 1:
                (nodes.discard if after is None else nodes.add)(path[0])
        return any(end not in nodes for edge in edges for end in edge)

    def _take(self, me: int, effect: dict[Path, Any]) -> None:
        self.log.append((me, effect))
        for path, (_, after) in effect.items():
            if path[-1] == "edge":
                (self.edges.discard if after is None else self.edges.add)(path[:2])  # type: ignore[arg-type]
            elif len(path) == 1:
                self.nodes.pop(path[0], None)
                if after is not None:
                    self.nodes[path[0]] = dict(after)
            else:
                self.nodes[path[0]][path[1]] = after

    def _leads(self, start: str, end: str) -> bool:
        seen = {start}
        while more := {b for a, b in self.edges if a in seen} - seen:
            seen |= more
        return end in seen

    def _attempt(self, act: Callable[[Any], Any]) -> Any:
        try:
            return self._do(act)
        except Refusal as refusal:
            return refusal

    def _do(self, act: Callable[[Any], Any]) -> Any:
        async def run() -> Any:
            async with self.database.transaction() as tx:
                return await act(tx)

        return self.runner.run(run())


def _overlap(one: Path, other: Path) -> bool:
    """An edge belongs to the node that it begins at."""
    if len(one) == 1 or len(other) == 1:
        return one[0] == other[0]
    return one == other


@pytest.mark.timeout(300)
def test_a_draft_behaves_as_the_plain_model_does(dsn: str) -> None:
    with asyncio.Runner() as runner:
        database = Database(SetClock(START))
        runner.run(database.open(dsn))
        Drawing.runner, Drawing.database = runner, database
        try:
            run_machine(Drawing, settings=settings(max_examples=50, stateful_step_count=30))
        finally:
            runner.run(database.close())
