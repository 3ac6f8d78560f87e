"""Functions of text. Positions count characters from 0."""

import re
import unicodedata
from typing import Any

from app.flows.expressions.errors import Fault
from app.flows.expressions.functions.convert import as_string
from app.flows.expressions.functions.function import offer
from app.flows.expressions.meter import Frame

GROUP = "Text"
_LABEL_CHARS = 63
_HOST_CHARS = 253


@offer(
    GROUP,
    "string.contains(part: string) -> bool",
    doc="Whether a part stands anywhere in the text.",
    examples=(('"rack-7".contains("ck")', True),),
    is_cel=True,
)
def contains(_: Frame, text: str, part: str) -> bool:
    return part in text


@offer(
    GROUP,
    "string.startsWith(part: string) -> bool",
    doc="Whether the text begins with a part.",
    examples=(('"rack-7".startsWith("rack")', True),),
    is_cel=True,
)
def starts_with(_: Frame, text: str, part: str) -> bool:
    return text.startswith(part)


@offer(
    GROUP,
    "string.endsWith(part: string) -> bool",
    doc="Whether the text ends with a part.",
    examples=(('"a.example.net".endsWith(".net")', True),),
    is_cel=True,
)
def ends_with(_: Frame, text: str, part: str) -> bool:
    return text.endswith(part)


@offer(
    GROUP,
    "string.lower() -> string",
    doc="The text in lower case.",
    examples=(('"Ada".lower()', "ada"),),
)
def lower(frame: Frame, text: str) -> str:
    frame.write(len(text))
    return text.lower()


@offer(
    GROUP,
    "string.upper() -> string",
    doc="The text in upper case.",
    examples=(('"Ada".upper()', "ADA"),),
)
def upper(frame: Frame, text: str) -> str:
    frame.write(len(text))
    return text.upper()


@offer(
    GROUP,
    "string.trim() -> string",
    doc="The text without spaces and line ends around it.",
    examples=(('"  ok\\n".trim()', "ok"),),
)
def trim(_: Frame, text: str) -> str:
    return text.strip()


@offer(
    GROUP,
    "string.split(separator: string) -> list",
    "string.split(separator: string, most: int) -> list",
    doc="The parts between separators, at most so many; an empty separator gives each character.",
    examples=(
        ('"a,b,c".split(",")', ["a", "b", "c"]),
        ('"a,b,c".split(",", 2)', ["a", "b,c"]),
    ),
)
def split(frame: Frame, text: str, separator: str, most: int = -1) -> list[str]:
    if most == 0:
        return []
    if not separator:
        frame.fill(len(text) * 8)
        letters = list(text) or [""]
        if most < 0 or most >= len(letters):
            return letters
        return [*letters[: most - 1], "".join(letters[most - 1 :])]
    frame.fill(text.count(separator) + 1)
    return text.split(separator, most - 1 if most > 0 else -1)


@offer(
    GROUP,
    "list.join() -> string",
    "list.join(separator: string) -> string",
    doc="The items as one text; numbers and true or false are written out.",
    examples=(('["eth0", "eth1"].join(", ")', "eth0, eth1"), ("[1, 2].join()", "12")),
)
def join(frame: Frame, items: list[Any], separator: str = "") -> str:
    texts = [one if type(one) is str else as_string(one) for one in items]
    frame.write(sum(map(len, texts)) + len(separator) * len(texts))
    return separator.join(texts)


@offer(
    GROUP,
    "string.replace(old: string, new: string) -> string",
    "string.replace(old: string, new: string, most: int) -> string",
    doc="The text with every old part replaced, or the first so many.",
    examples=(('"a.b.c".replace(".", "-")', "a-b-c"), ('"a.b.c".replace(".", "-", 1)', "a-b.c")),
)
def replace(frame: Frame, text: str, old: str, new: str, most: int = -1) -> str:
    count = text.count(old)
    times = count if most < 0 else min(count, most)
    frame.write(len(text) + times * max(0, len(new) - len(old)))
    return text.replace(old, new, most)


@offer(
    GROUP,
    "string.substring(start: int) -> string",
    "string.substring(start: int, end: int) -> string",
    doc="The characters from start on, up to end and without it.",
    examples=(('"server-12".substring(7)', "12"), ('"server".substring(0, 3)', "ser")),
)
def substring(_: Frame, text: str, start: int, end: int | None = None) -> str:
    stop = len(text) if end is None else end
    if not 0 <= start <= stop <= len(text):
        raise Fault(
            f"substring({start}{'' if end is None else f', {end}'}) is outside of the text, "
            f"which has {len(text)} characters"
        )
    return text[start:stop]


@offer(
    GROUP,
    "string.indexOf(part: string) -> int",
    "string.indexOf(part: string, start: int) -> int",
    doc="Where a part stands first, from start on; -1 when it does not.",
    examples=(('"a-b-c".indexOf("-")', 1), ('"a-b-c".indexOf("-", 2)', 3)),
)
def index_of(_: Frame, text: str, part: str, start: int = 0) -> int:
    if not 0 <= start <= len(text):
        raise Fault(f"position {start} is outside of the text, which has {len(text)} characters")
    return text.find(part, start)


@offer(
    GROUP,
    "string.lastIndexOf(part: string) -> int",
    doc="Where a part stands last; -1 when it does not.",
    examples=(('"a-b-c".lastIndexOf("-")', 3),),
)
def last_index_of(_: Frame, text: str, part: str) -> int:
    return text.rfind(part)


@offer(
    GROUP,
    "string.charAt(position: int) -> string",
    doc="The character at a position; nothing at the very end.",
    examples=(('"rack".charAt(0)', "r"),),
)
def char_at(_: Frame, text: str, position: int) -> str:
    if not 0 <= position <= len(text):
        raise Fault(f"position {position} is outside of the text, which has {len(text)} characters")
    return text[position : position + 1]


@offer(
    GROUP,
    "string.truncate(most: int) -> string",
    doc="At most so many characters of the text.",
    examples=(('"a long comment".truncate(6)', "a long"),),
)
def truncate(_: Frame, text: str, most: int) -> str:
    return text[: max(0, most)]


@offer(
    GROUP,
    "string.padStart(width: int, fill: string) -> string",
    doc="The text, filled at its start up to a width.",
    examples=(('string(7).padStart(3, "0")', "007"),),
)
def pad_start(frame: Frame, text: str, width: int, fill: str) -> str:
    if len(fill) != 1:
        raise Fault("padStart() fills with one character")
    frame.write(max(width, len(text)))
    return text.rjust(width, fill)


@offer(
    GROUP,
    "slug(text: string) -> string",
    doc="Small letters, digits and dashes: fit for a path or an id.",
    examples=(('slug("Plan M4 (Zürich)")', "plan-m4-zurich"),),
)
def slug(frame: Frame, text: str) -> str:
    frame.write(len(text) * 8)
    return _slug(text)


@offer(
    GROUP,
    "hostname(text: string) -> string",
    doc="A valid host name made of the text, its dots kept; at most 63 characters between dots.",
    examples=(
        ('hostname("Ada\'s server #1")', "ada-s-server-1"),
        ('hostname("Web 1.Example.NET")', "web-1.example.net"),
    ),
)
def hostname(frame: Frame, text: str) -> str:
    frame.write(1_000 + len(text) * 8)
    labels = [_slug(label)[:_LABEL_CHARS].strip("-") for label in text.split(".")]
    name = ".".join(label for label in labels if label)
    if not name:
        raise Fault("no host name can be made of it: it has no letter and no digit")
    if len(name) > _HOST_CHARS:
        raise Fault(f"the host name would be longer than {_HOST_CHARS} characters")
    return name


def _slug(text: str) -> str:
    # A few letters become several characters: ß is ss, ﬃ is ffi.
    folded = unicodedata.normalize("NFKD", text.casefold()).encode("ascii", "ignore").decode()
    # The apostrophe of a word is a gap; an accent, dropped above, is none.
    return re.sub(r"[^a-z0-9]+", "-", folded).strip("-")


FUNCTIONS = (
    contains, starts_with, ends_with, lower, upper, trim, split, join, replace, substring,
    index_of, last_index_of, char_at, truncate, pad_start, slug, hostname,
)  # fmt: skip
