"""Bodies as values and back."""

from typing import Any

import pytest

from app.drivers.http.body import BadBody, decode, encode

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'


@pytest.mark.parametrize(
    ("kind", "value", "raw"),
    [
        ("json", {"a": [1, 2.5, None, True], "b": "ü"}, '{"a":[1,2.5,null,true],"b":"ü"}'),
        ("json", "text", '"text"'),
        ("json", None, "null"),
        ("form", {"a": 1, "b": True, "c": None, "d": ["x", "y z"]}, "a=1&b=true&d=x&d=y+z"),
        ("form", {"os": {"id": 7, "k": {"z": "&"}}}, "os%5Bid%5D=7&os%5Bk%5D%5Bz%5D=%26"),
        ("form", {"ip": [{"v": 4}, {"v": 6}]}, "ip%5B0%5D%5Bv%5D=4&ip%5B1%5D%5Bv%5D=6"),
        ("form", "a=b", "a=b"),
        ("text", "hello ü", "hello ü"),
        ("xml", "<a/>", "<a/>"),
        (
            "xml",
            {"order": {"@id": 7, "item": ["a&b", "c"], "note": None, "done": False}},
            HEAD + '<order id="7"><item>a&amp;b</item><item>c</item><note/>'
            "<done>false</done></order>",
        ),
        (
            "xml",
            {"a": {"@q": '"<', "#text": "x"}},
            HEAD + "<a q='\"&lt;'>x</a>",
        ),
    ],
)
def test_a_value_is_written(kind: Any, value: Any, raw: str) -> None:
    assert encode(kind, value).decode() == raw


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("json", {"a": object()}),
        ("form", [1]),
        ("text", {"a": 1}),
        ("xml", {"a": 1, "b": 2}),
        ("xml", {"no name": 1}),
        ("xml", {"1a": 1}),
        ("xml", {"a": "\x01"}),
        ("xml", 7),
    ],
)
def test_what_cannot_be_written_is_said(kind: Any, value: Any) -> None:
    with pytest.raises(BadBody):
        encode(kind, value)


def test_a_value_that_holds_itself_is_refused() -> None:
    loop: dict[str, Any] = {}
    loop["a"] = loop
    for kind, value in (("json", loop), ("xml", {"root": loop})):
        with pytest.raises(BadBody):
            encode(kind, value)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("raw", "content_type", "value"),
    [
        (b"", "application/json", None),
        (b'{"a": 1}', "application/json; charset=utf-8", {"a": 1}),
        (b'{"a": 1}', "application/problem+json", {"a": 1}),
        (b'{"a": 1}', "", {"a": 1}),
        (b'{"a": 1}', "text/html", '{"a": 1}'),
        (b"hello", "", "hello"),
        (b"caf\xe9", "text/plain; charset=iso-8859-1", "café"),
        (b"caf\xe9", "text/plain; charset=nonsense", "caf�"),
        (b"caf\xe9", "text/plain; charset=ISO-8859-12", "caf�"),
        (b"\xff\xfeh\x00i\x00", 'text/plain; charset="utf-16"', "hi"),
        (b"\\ud800", "text/plain; charset=unicode_escape", "\\ud800"),
        (b"a=1&a=2&b=&c=x%26y", "application/x-www-form-urlencoded",
         {"a": ["1", "2"], "b": "", "c": "x&y"}),
        (b"<a x='1'>hi<b>1</b><b>2</b><c/></a>", "text/xml",
         {"a": {"@x": "1", "b": ["1", "2"], "c": None, "#text": "hi"}}),
        (b"\x89PNG", "image/png", "iVBORw=="),
        (b"no\x00nul", "text/plain", "no�nul"),
    ],
)  # fmt: skip
def test_an_answer_is_read_by_its_content_type(raw: bytes, content_type: str, value: Any) -> None:
    assert decode(raw, content_type) == value


def test_a_content_type_that_lies_can_be_overruled() -> None:
    assert decode(b'{"a": 1}', "text/html", "json") == {"a": 1}
    assert decode(b"x", "application/json", "text") == "x"
    assert decode(b"x", "text/plain", "base64") == "eA=="


@pytest.mark.parametrize(
    ("raw", "content_type"),
    [
        (b"<html>", "application/json"),
        (b"[" * 100_000, "application/json"),
        (b'"\\ud800"', "application/json"),
        (b"<a><b></a>", "text/xml"),
        (b"<a>" * 200, "text/xml"),
        (b'<!DOCTYPE a [<!ENTITY x "xxxxxxxx">]><a>&x;</a>', "text/xml"),
    ],
)
def test_what_cannot_be_read_is_said(raw: bytes, content_type: str) -> None:
    with pytest.raises(BadBody):
        decode(raw, content_type)


def test_no_nul_reaches_the_database() -> None:
    assert decode(b'{"a\\u0000": "x\\u0000y", "b": "\\\\u0000"}', "application/json") == {
        "a�": "x�y",
        "b": "\\u0000",
    }
