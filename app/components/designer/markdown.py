"""The few things of Markdown that a node's documentation uses, as elements: safe by making.

Paragraphs, lists, headings, fenced code, `code`, **strong**, *emphasis* and links to pages.
"""

import re
from collections.abc import Iterator

import htpy as h

_BLOCK = re.compile(r"\n\s*\n")
_INLINE = re.compile(
    r"`(?P<code>[^`]+)`|\*\*(?P<strong>[^*]+)\*\*|\*(?P<em>[^*\s][^*]*)\*"
    r"|\[(?P<words>[^\]]+)\]\((?P<href>https?://[^)\s]+|/[^)\s]*)\)"
)


def markdown(text: str) -> h.Fragment:
    """Return the elements of `text`; HTML in it is shown as it is written."""
    parts: list[h.Node] = []
    for index, piece in enumerate(text.strip().split("```")):
        if index % 2:
            code = piece.partition("\n")[2] if "\n" in piece else piece
            parts.append(h.pre(".fl-code", tabindex="0")[h.code[code.rstrip()]])
        else:
            parts += [_block(block) for block in _BLOCK.split(piece.strip()) if block.strip()]
    return h.fragment[parts]


def _block(block: str) -> h.Element:
    lines = [line.strip() for line in block.strip().splitlines()]
    if lines[0].startswith("#"):
        return h.h4[inline(lines[0].lstrip("# "))]
    if all(line.startswith(("- ", "* ")) for line in lines):
        return h.ul[[h.li[inline(line[2:])] for line in lines]]
    return h.p[inline(" ".join(lines))]


def inline(text: str) -> list[h.Node]:
    """Return one line of it: code, emphasis and links."""
    return list(_pieces(text))


def _pieces(text: str) -> Iterator[h.Node]:
    at = 0
    for found in _INLINE.finditer(text):
        yield text[at : found.start()]
        at = found.end()
        if found["code"]:
            yield h.code[found["code"]]
        elif found["strong"]:
            yield h.strong[found["strong"]]
        elif found["em"]:
            yield h.em[found["em"]]
        else:
            yield h.a(href=found["href"], target="_blank", rel="noopener")[found["words"]]
    yield text[at:]
