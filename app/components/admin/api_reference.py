"""The API as its users read it: every operation and object of the OpenAPI document, no script."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import htpy as h

from app.components.admin.attempts import json_block
from app.components.badge import badge
from app.components.button import link_button
from app.components.card import card, split, stack
from app.components.facts import code
from app.components.frame import PageFrame
from app.components.page import admin_page, page_head
from app.components.table import Column, Row, table
from app.components.tone import Tone

HERE = "/admin/api"
_TONES: dict[str, Tone] = {"get": "info", "post": "accent", "put": "accent", "delete": "danger"}


@dataclass(frozen=True, slots=True)
class Kind:
    """What a value is: words, and the objects among them."""

    words: str
    named: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A parameter of an operation, or a field of an object; `place` is where it is sent."""

    name: str
    kind: Kind
    says: str
    is_required: bool
    place: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One thing that can be asked; `sends` is its body, `gets` its good answer."""

    id: str
    method: str
    path: str
    tag: str
    summary: str
    says: str
    scope: str
    fields: tuple[Field, ...]
    sends: Kind | None
    gets: Kind
    refuses: tuple[tuple[str, str], ...]
    """(status, words)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """An object that is sent or answered, or a word of a list: then it has `values`."""

    name: str
    says: str
    fields: tuple[Field, ...]
    values: tuple[str, ...] = ()
    example: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """The whole document."""

    says: str
    tags: tuple[tuple[str, str], ...]
    """(name, words), in order."""
    operations: tuple[Operation, ...]
    shapes: tuple[Shape, ...]


def slug_of(tag: str) -> str:
    """Return how a tag is named in addresses: `Node types` → `node-types`."""
    return tag.lower().replace(" ", "-")


def api_reference_page(reference: Reference, *, frame: PageFrame) -> h.Element:
    """Return the page that leads to all others: every operation, a line each."""
    return admin_page(
        "API",
        page_head(
            "API",
            eyebrow=h.a(href="/admin/tokens")["API tokens"],
            lede=_text(reference.says),
            actions=[
                link_button("OpenAPI, JSON", "/api/openapi.json"),
                link_button("YAML", "/api/openapi.yaml"),
            ],
        ),
        stack(
            [
                card(
                    _lines(reference, tag),
                    title=tag,
                    actions=link_button("In full", f"{HERE}/{slug_of(tag)}"),
                    lede=_text(words),
                    flush=True,
                )
                for tag, words in reference.tags
            ],
            [_shape(one) for one in _of_refusals(reference)],
        ),
        frame=frame,
        active="tokens",
    )


def _of_refusals(reference: Reference) -> list[Shape]:
    """Return the objects that no good answer has, what is said of refusals, and their parts."""
    named = {shape.name for shape in _shapes_of(reference, reference.operations)}
    return _with_parts(reference, {one.name for one in reference.shapes} - named)


def _lines(reference: Reference, tag: str) -> h.Element:
    return table(
        (Column("Asks", narrow=True), Column("Address"), Column("What it does")),
        [
            Row(cells=(_method(one), code(one.path), one.summary), href=_place(one))
            for one in reference.operations
            if one.tag == tag
        ],
        caption=f"Operations on {tag}",
    )


def api_part_page(reference: Reference, tag: str, *, frame: PageFrame) -> h.Element:
    """Return one tag's page: its operations, and the objects that they send and answer."""
    operations = [one for one in reference.operations if one.tag == tag]
    shapes = _shapes_of(reference, operations)
    return admin_page(
        f"API: {tag}",
        page_head(
            tag, eyebrow=h.a(href=HERE)["API"], lede=_text(dict(reference.tags).get(tag, ""))
        ),
        split(
            stack([_operation(one) for one in operations], [_shape(one) for one in shapes]),
            _contents(operations, shapes),
        ),
        frame=frame,
        active="tokens",
    )


def _shapes_of(reference: Reference, operations: Sequence[Operation]) -> list[Shape]:
    """Return the objects that the operations name, and those which these name in turn."""
    named = {
        name
        for one in operations
        for kind in (one.sends, one.gets, *(field.kind for field in one.fields))
        if kind is not None
        for name in kind.named
    }
    return _with_parts(reference, named)


def _with_parts(reference: Reference, named: set[str]) -> list[Shape]:
    """Return the objects of these names, and those which they name in turn."""
    shapes = {shape.name: shape for shape in reference.shapes}
    found: set[str] = set()
    while new := (named & shapes.keys()) - found:
        found |= new
        fields = (field for name in new for field in shapes[name].fields)
        named = {name for field in fields for name in field.kind.named}
    return [shape for shape in reference.shapes if shape.name in found]


def _contents(operations: Sequence[Operation], shapes: Sequence[Shape]) -> h.Element:
    links = {
        "Operations": [(one.id, one.summary) for one in operations],
        "Objects": [(one.name, one.name) for one in shapes],
    }
    return card(
        [
            h.nav(".sw-contents", aria_label=title)[
                h.p(".sw-strong")[title],
                h.ul[[h.li[h.a(href=f"#{anchor}")[words]] for anchor, words in targets]],
            ]
            for title, targets in links.items()
        ],
        title="Contents",
    )


def _place(one: Operation) -> str:
    return f"{HERE}/{slug_of(one.tag)}#{one.id}"


def _method(one: Operation) -> h.Element:
    return badge(one.method.upper(), _TONES.get(one.method, "neutral"), dot=False)


def _operation(one: Operation) -> h.Element:
    return card(
        stack(
            h.div[
                h.p[_method(one), " ", code(one.path)],
                h.p[_text(one.says)],
                h.p(".sw-quiet")["Scope ", code(one.scope), ". Answers ", _kind(one.gets), "."],
                h.p(".sw-quiet")["Body: ", _kind(one.sends), "."] if one.sends else None,
            ],
            _fields(one.fields, caption=f"Parameters of {one.summary}") if one.fields else None,
            h.details(".sw-attempt-detail")[
                h.summary["How it refuses"],
                h.ul[
                    [
                        h.li[h.span(".sw-strong")[status], " ", _text(words)]
                        for status, words in one.refuses
                    ]
                ],
            ],
        ),
        title=one.summary,
        id_=one.id,
    )


def _shape(one: Shape) -> h.Element:
    body: h.Node = (
        h.p[[[code(value), " "] for value in one.values]]
        if one.values
        else _fields(one.fields, caption=f"Fields of {one.name}")
    )
    if one.example is not None:
        example = json_block(one.example, f"Example of {one.name}", title="Example")
        body = stack(body, example)
    return card(body, title=one.name, lede=_text(one.says) if one.says else None, id_=one.name)


def _fields(fields: Sequence[Field], *, caption: str) -> h.Element:
    return table(
        (Column("Name"), Column("Kind"), Column("Meaning")),
        [
            Row(
                cells=(
                    h.div(".text-nowrap")[
                        code(one.name),
                        h.span(".sw-under")[one.place] if one.place else None,
                    ],
                    h.span[_kind(one.kind), None if one.is_required else ", optional"],
                    h.span[_text(one.says)],
                )
            )
            for one in fields
        ],
        caption=caption,
    )


def _kind(kind: Kind) -> h.Node:
    words = re.split(r"(\w+)", kind.words)
    return [h.a(href=f"#{word}")[word] if word in kind.named else word for word in words]


def _text(words: str) -> list[h.Node]:
    """Return words whose `backticks` are set as code."""
    return [code(part) if i % 2 else part for i, part in enumerate(words.split("`"))]
