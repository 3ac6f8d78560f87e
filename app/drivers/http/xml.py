"""XML as maps and back, the way of xmltodict; without document types, hence entities. Pure.

An element becomes its text; with attributes or children a map of `@attribute`, `#text` and the
children by name, those that occur several times as a list. An empty element is None.
"""

from typing import Any
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

DEEPEST = 100


class BadXml(ValueError):
    """Says what is wrong with it, and where."""


def from_xml(raw: bytes | str) -> dict[str, Any]:
    """Return the document as a map of its root element. Raises BadXml."""
    reader = _Reader()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = reader.doctype
    try:
        parser.Parse(raw, True)
    except expat.ExpatError as error:
        raise BadXml(str(error)) from error
    return reader.document


class _Element:
    def __init__(self, attributes: dict[str, str]) -> None:
        self.parts: dict[str, Any] = {f"@{name}": value for name, value in attributes.items()}
        self.text: list[str] = []

    def add(self, name: str, value: Any) -> None:
        if name not in self.parts:
            self.parts[name] = value
        elif isinstance(self.parts[name], list):
            self.parts[name].append(value)
        else:
            self.parts[name] = [self.parts[name], value]

    def value(self) -> Any:
        text = "".join(self.text).strip()
        if not self.parts:
            return text or None
        return {**self.parts, "#text": text} if text else self.parts


class _Reader:
    def __init__(self) -> None:
        self.document: dict[str, Any] = {}
        self._open: list[_Element] = []

    def start(self, _: str, attributes: dict[str, str]) -> None:
        if len(self._open) >= DEEPEST:
            raise BadXml(f"it is deeper than {DEEPEST} elements")
        self._open.append(_Element(attributes))

    def end(self, name: str) -> None:
        value = self._open.pop().value()
        if self._open:
            self._open[-1].add(name, value)
        else:
            self.document[name] = value

    def text(self, text: str) -> None:
        self._open[-1].text.append(text)

    def doctype(self, *_: object) -> None:
        raise BadXml("it has a document type, which is not read")


def to_xml(document: dict[str, Any]) -> str:
    """Return a map of one root element as XML. Raises BadXml."""
    if len(document) != 1:
        raise BadXml("a document has exactly one root element")
    ((name, value),) = document.items()
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + "".join(_written(name, value, 1))


def _written(name: str, value: Any, depth: int) -> list[str]:
    if depth > DEEPEST:
        raise BadXml(f"it is deeper than {DEEPEST} elements")
    if isinstance(value, list | tuple):
        return [part for one in value for part in _written(name, one, depth)]
    tag = _name(name)
    if not isinstance(value, dict):
        return [f"<{tag}/>"] if value is None else [f"<{tag}>", _text(value), f"</{tag}>"]
    head = tag + "".join(
        f" {_name(key[1:])}={quoteattr(_plain(one))}"
        for key, one in value.items()
        if key.startswith("@") and one is not None
    )
    body = [
        part
        for key, one in value.items()
        if not key.startswith("@")
        for part in ([_text(one)] if key == "#text" else _written(key, one, depth + 1))
    ]
    return [f"<{head}>", *body, f"</{tag}>"] if body else [f"<{head}/>"]


def _name(text: str) -> str:
    if not text or not (text[0].isalpha() or text[0] == "_"):
        raise BadXml(f"{text!r} is no name of an element or attribute")
    if not all(part.isalnum() or part in "_-.:" for part in text):
        raise BadXml(f"{text!r} is no name of an element or attribute")
    return text


def _text(value: Any) -> str:
    return escape(_plain(value))


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    text = "" if value is None else str(value)
    if any(ord(char) < 32 and char not in "\t\n\r" for char in text):
        raise BadXml("a text holds a control character, which XML cannot")
    return text
