"""Bodies as values and back: JSON, forms, XML, text. Pure."""

import base64
import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal
from urllib.parse import parse_qsl, urlencode

import msgspec

from app.drivers.http.target import words
from app.drivers.http.xml import BadXml, from_xml, to_xml

BodyKind = Literal["json", "form", "xml", "text"]
ReadAs = Literal["auto", "json", "form", "xml", "text", "base64"]
CONTENT_TYPES: dict[str, str] = {
    "json": "application/json",
    "form": "application/x-www-form-urlencoded",
    "xml": "application/xml; charset=utf-8",
    "text": "text/plain; charset=utf-8",
}
# Character sets of the web; Python knows stranger ones, some of which run backslash escapes.
_CHARSET = re.compile(
    r'charset="?(us-ascii|utf-16(?:[bl]e)?|iso-8859-(?:[1-9]|1[013-6])|windows-125[0-8]|koi8-[ru]'
    r"|gbk|gb2312|gb18030|big5|shift_jis|euc-jp|euc-kr)\b",
    re.IGNORECASE,
)
# An escaped NUL, not the escape of a backslash before it: PostgreSQL keeps no NUL in JSON either.
_ESCAPED_NUL = b"\\u0000"
_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")


class BadBody(ValueError):
    """The value cannot be written so, or what came cannot be read so."""


def encode(kind: BodyKind, value: Any) -> bytes:
    """Return `value` as a request's body; its content type is `CONTENT_TYPES[kind]`.

    A form is a map, in which lists are repeated and maps are written `name[key]`; XML is a map
    (see `xml.py`) or text. Raises BadBody.
    """
    match kind, value:
        case "json", _:
            return _json(value)
        case "form", Mapping():
            return urlencode(list(_fields(value))).encode()
        case "xml", dict():
            try:
                return to_xml(value).encode()
            except BadXml as error:
                raise BadBody(str(error)) from error
        case (("form" | "xml" | "text"), str()):
            return value.encode()
        case _:
            wanted = "text" if kind == "text" else "a map or text"
            raise BadBody(f"as {kind} it must be {wanted}, not {type(value).__name__}")


def _json(value: Any) -> bytes:
    try:
        return msgspec.json.encode(value)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise BadBody(str(error)) from error


def _fields(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield the pairs of a form; maps within it as PHP and Rails read them."""
    for key, one in value.items():
        name = f"{prefix}[{key}]" if prefix else str(key)
        match one:
            case None:
                continue
            case Mapping():
                yield from _fields(one, name)
            case list() | tuple() if any(isinstance(each, Mapping) for each in one):
                yield from _fields({str(i): each for i, each in enumerate(one)}, name)
            case list() | tuple():
                yield from ((name, words(each)) for each in one if each is not None)
            case _:
                yield name, words(one)


def decode(raw: bytes, content_type: str, read_as: ReadAs = "auto") -> Any:
    """Return a body as its content type says, or as `read_as` does; None when there is none.

    What is neither JSON, XML, form nor text is given in base64. Raises BadBody.
    """
    if not raw:
        return None
    kind = _kind(content_type, raw) if read_as == "auto" else read_as
    try:
        match kind:
            case "json":
                return msgspec.json.decode(_without_nul(raw))
            case "xml":
                return from_xml(raw)
            case "form":
                return _read_form(_text(raw, content_type))
            case "text":
                return _text(raw, content_type)
            case _:
                return base64.b64encode(raw).decode()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, BadXml) as error:
        raise BadBody(f"it is not {kind.upper()}: {error}") from error


def _without_nul(raw: bytes) -> bytes:
    return _NUL.sub(rb"\1\\ufffd", raw) if _ESCAPED_NUL in raw else raw


def _kind(content_type: str, raw: bytes) -> str:
    mime = content_type.partition(";")[0].strip().lower()
    if mime == "application/json" or mime.endswith("+json"):
        return "json"
    if mime in {"application/xml", "text/xml"} or mime.endswith("+xml"):
        return "xml"
    if mime == "application/x-www-form-urlencoded":
        return "form"
    if not mime:
        return "json" if raw.lstrip()[:1] in {b"{", b"["} else "text"
    return "text" if mime.startswith("text/") or "javascript" in mime else "base64"


def _read_form(text: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        if name not in found:
            found[name] = value
        elif isinstance(found[name], list):
            found[name].append(value)
        else:
            found[name] = [found[name], value]
    return found


def _text(raw: bytes, content_type: str) -> str:
    charset = _CHARSET.search(content_type)
    return raw.decode(charset[1] if charset else "utf-8", "replace").replace("\x00", "�")
