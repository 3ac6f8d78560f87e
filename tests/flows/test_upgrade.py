"""Documents that name an old version of a node type, and packages that ship one type twice."""

from importlib.metadata import EntryPoint

import pytest

from app.flows import registry
from app.flows.document import content_hash, encode
from app.flows.registry import UnknownNodeType, node_type
from app.flows.upgrade import load, upgraded
from tests.flows.validate.kinds import KINDS, line


@pytest.fixture(autouse=True)
def _kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "node_types", lambda: KINDS)


def test_an_old_version_loads_as_the_one_that_is_installed() -> None:
    old = line(a=("t.full", {"name": "Ada Lovelace"}, {"v": 1}), b="t.note")
    loaded = load(encode(old))
    assert (loaded.nodes["a"].v, loaded.nodes["a"].params) == (
        2,
        {"first": "Ada", "last": "Lovelace"},
    )
    assert loaded.nodes["b"] == old.nodes["b"]
    assert (old.nodes["a"].v, old.nodes["a"].params) == (1, {"name": "Ada Lovelace"})


def test_what_is_installed_is_left_as_it_is() -> None:
    new = line(a=("t.full", {"first": "Ada", "last": "L"}, {"v": 2}), b="t.note")
    assert upgraded(new) is new


@pytest.mark.parametrize(
    "node",
    [
        ("t.full", {"odd": 1}, {"v": 1}),  # its upgrade fails
        ("t.latest", {}, {"v": 1}),  # nothing makes version 1 version 2
        ("t.full", {}, {"v": 3}),  # newer than what is installed
        ("t.gone", {}),
    ],
)
def test_what_cannot_be_read_stays_unknown(node: object) -> None:
    document = line(a=node)
    assert upgraded(document) is document
    with pytest.raises(UnknownNodeType):
        node_type(document.nodes["a"].type, document.nodes["a"].v)


def test_versions_are_upgraded_one_by_one() -> None:
    assert upgraded(line(a=("t.latest", {"text": "x"}, {"v": 2}))).nodes["a"].v == 3


def test_the_hash_is_that_of_what_was_published() -> None:
    old = line(a=("t.full", {"name": "Ada Lovelace"}, {"v": 1}))
    assert content_hash(old) != content_hash(upgraded(old))


class Shipped(EntryPoint):
    """An entry point that loads what its value names among the test's kinds."""

    def load(self) -> object:
        kind, _, version = self.value.partition(":")
        found = KINDS[kind, int(version)]
        return type(found)(**{name: getattr(found, name) for name in found.__slots__})


def test_a_type_that_two_packages_ship_is_left_out_and_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    points = [Shipped("a", "t.note:1", registry.GROUP), Shipped("b", "t.note:1", registry.GROUP)]
    monkeypatch.undo()
    monkeypatch.setattr(registry, "entry_points", lambda group: points)
    assert registry.node_types.__wrapped__() == {}
    told = [fault.words for fault in registry.node_faults()]
    assert len(told) == 2
    assert all("t.note" in words and "uninstall one of them" in words for words in told)
    monkeypatch.setattr(registry, "entry_points", lambda group: points[:1])
    assert list(registry.node_types.__wrapped__()) == [("t.note", 1)]
