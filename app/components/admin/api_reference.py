"""The API as its users read it: every operation and object of the OpenAPI document, no script."""

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
    """What a value is: words, and the name of the object that it is or holds, if any."""

    words: str
    named: str | None = None


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


def api_reference_page(reference: Reference, *, frame: PageFrame) -> h.Element:
    """Return the page; some 2 ms an operation."""
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
        split(
            stack(
                [
                    [_operation(one) for one in reference.operations if one.tag == tag]
                    for tag, _ in reference.tags
                ],
                [_shape(one) for one in reference.shapes],
            ),
            _contents(reference),
        ),
        frame=frame,
        active="tokens",
    )


def _contents(reference: Reference) -> h.Element:
    return card(
        [
            h.nav(".sw-contents", aria_label=tag)[
                h.p(".sw-strong")[tag],
                h.p(".sw-quiet")[_text(words)],
                h.ul[
                    [
                        h.li[h.a(href=f"#{one.id}")[one.summary]]
                        for one in reference.operations
                        if one.tag == tag
                    ]
                ],
            ]
            for tag, words in reference.tags
        ],
        h.nav(".sw-contents", aria_label="Objects")[
            h.p(".sw-strong")["Objects"],
            h.ul[[h.li[h.a(href=f"#{one.name}")[one.name]] for one in reference.shapes]],
        ],
        title="Contents",
    )


def _operation(one: Operation) -> h.Element:
    return card(
        stack(
            h.div[
                h.p[
                    badge(one.method.upper(), _TONES.get(one.method, "neutral"), dot=False),
                    " ",
                    code(one.path),
                ],
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
    if kind.named is None:
        return kind.words
    before, _, after = kind.words.partition(kind.named)
    return [before, h.a(href=f"#{kind.named}")[kind.named], after]


def _text(words: str) -> list[h.Node]:
    """Return words whose `backticks` are set as code."""
    return [code(part) if i % 2 else part for i, part in enumerate(words.split("`"))]
