"""Flows as files, and the gallery."""

import pytest
from hypothesis import given
from msgspec.structs import replace

from app.core.errors import NotFound
from app.flows import registry
from app.flows.document import BadDocument, Document, content_hash
from app.flows.gallery import find_template, list_templates
from app.flows.transfer import (
    CannotImport,
    FileTooLarge,
    connections_named,
    examine,
    export,
    read,
)
from app.flows.validate import problems_of
from tests.flows.validate.kinds import KINDS, flow, line
from tests.flows.validate.test_random import documents

PEERS = flow(
    "go > a", "a > b",
    a=("t.note", {"connection": "dns"}), b=("t.note", {"anything": [{"connection": "mail"}, {"connection": "dns"}]}),
)  # fmt: skip


@given(document=documents())
def test_what_is_written_is_read_back(document: Document) -> None:
    document = replace(document, ui={"a": {"x": 1}, "notes": ["x"]})
    text = export(document)
    again = read(text)
    assert content_hash(again) == content_hash(document)
    assert again.ui == document.ui
    assert export(again) == text
    assert read(text.encode()) == again


def test_a_file_can_be_read_by_people() -> None:
    document = flow(
        "go > a", "a.error > b", b="t.note", a=("t.note", {"text": "x"}), ui={"a": {"x": 1}}
    )
    assert (
        export(document)
        == """\
{
  "schema": 1,
  "flow": "test",
  "nodes": {
    "go": {
      "type": "t.paid"
    },
    "a": {
      "type": "t.note",
      "with": {
        "text": "x"
      }
    },
    "b": {
      "type": "t.note"
    }
  },
  "edges": [
    ["go.out", "a.in"],
    ["a.error", "b.in"]
  ],
  "ui": {
    "a": {"x": 1}
  }
}
"""
    )
    assert '"edges": []' in export(line())


def test_connections_are_named() -> None:
    assert connections_named(PEERS) == {"dns": ("a", "b"), "mail": ("b",)}


def test_what_is_missing_is_told_with_who_needs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "node_types", lambda: KINDS)
    assert examine(PEERS, {"dns", "mail", "other"}).is_welcome
    lacking = examine(PEERS, {"mail"})
    assert [(one.name, one.nodes) for one in lacking.missing_connections] == [("dns", ("a", "b"))]
    assert not lacking.is_welcome
    unknown = examine(line(a="acme.x", b=("acme.x", {}, {"v": 2}), c="acme.x"), ())
    assert [(one.name, one.nodes) for one in unknown.unknown_types] == [
        ("acme.x v1", ("a", "c")),
        ("acme.x v2", ("b",)),
    ]
    assert not unknown.is_welcome
    told = CannotImport(unknown).message
    assert told.count("acme.x v1") == 1
    assert "cannot be imported: no node type acme.x v1 is installed" in told
    old = examine(line(a=("t.full", {"name": "Ada L"}, {"v": 1})), ())
    assert (old.unknown_types, old.is_welcome) == ((), True)


def test_a_file_has_a_size() -> None:
    with pytest.raises(FileTooLarge, match="2,000,001 bytes"):
        read(" " * 2_000_001)
    with pytest.raises(BadDocument):
        read(b"{}")


def test_the_gallery_lists_what_is_shipped() -> None:
    rows = {row.slug: row for row in list_templates()}
    server = rows["dedicated-server"]
    assert (server.name, server.trigger, server.nodes) == ("Dedicated server", "order.paid", 13)
    assert server.missing == ()
    assert "logic.repeat" in server.types
    assert server.description
    with pytest.raises(NotFound):
        find_template("gone")


def test_shipped_flows_are_written_as_files_are() -> None:
    for row in list_templates():
        document = find_template(row.slug)
        assert problems_of(document) == []
        assert content_hash(read(export(document))) == content_hash(document)


def test_the_gallery_says_what_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "node_types", dict)
    (row,) = [row for row in list_templates() if row.slug == "dedicated-server"]
    assert "action.send_mail" in row.missing
    assert row.trigger == ""
