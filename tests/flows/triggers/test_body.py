"""Bodies: JSON, forms and text as values; what is not what it says it is, is refused."""

import pytest

from app.flows.triggers.body import BadBody, fields_of, read_body, together


def test_json() -> None:
    for kind in ("application/json", "application/json; charset=utf-8", "application/vnd.x+json"):
        assert read_body(b'{"a": [1, null]}', kind) == {"a": [1, None]}


@pytest.mark.parametrize("raw", [b"{", b"[" * 100_000, b'{"a": 1e999}', b"\xff", b"a=1"])
def test_what_is_no_json_is_refused(raw: bytes) -> None:
    with pytest.raises(BadBody, match="not the JSON that it says it is"):
        read_body(raw, "application/json")


def test_form_fields() -> None:
    kind = "application/x-www-form-urlencoded"
    assert read_body(b"a=1&b=x+%C3%A9&a=2&c=", kind) == {"a": ["1", "2"], "b": "x é", "c": ""}
    assert read_body(b"\xff=%ff", kind) == {"�": "�"}
    with pytest.raises(BadBody, match="more than 1000 fields"):
        read_body(b"a&" * 1_001, kind)


def multipart(*parts: bytes) -> bytes:
    return b"".join(b"--XX\r\n" + part + b"\r\n" for part in parts) + b"--XX--\r\n"


def test_parts_of_a_form() -> None:
    raw = multipart(
        b'Content-Disposition: form-data; name="sender"\r\n\r\nada@example.org',
        b'Content-Disposition: form-data; name="to"\r\n\r\na',
        b'Content-Disposition: form-data; name="to"\r\n\r\nb',
        b'Content-Disposition: form-data; name="log"; filename="a.txt"\r\n'
        b"Content-Type: text/plain\r\n\r\n12345",
    )
    assert read_body(raw, "multipart/form-data; boundary=XX") == {
        "sender": "ada@example.org",
        "to": ["a", "b"],
        "log": {"filename": "a.txt", "size_bytes": 5},
    }


def test_parts_that_cannot_be_told_apart_are_refused() -> None:
    for kind in ("multipart/form-data", "multipart/form-data; boundary=YY\r\nX: y"):
        with pytest.raises(BadBody, match="no parts"):
            read_body(multipart(b"\r\na"), kind)
    many = multipart(*[b'Content-Disposition: form-data; name="a"\r\n\r\nb'] * 1_001)
    with pytest.raises(BadBody, match="more than 1000 fields"):
        read_body(many, "multipart/form-data; boundary=XX")


def test_anything_else_is_text() -> None:
    assert read_body("grün".encode(), "text/plain") == "grün"
    assert read_body(b"\xff\x00", "") == "�\x00"
    assert read_body(b"<a/>", "application/xml") == "<a/>"
    assert read_body(b"", "application/json") is None


def test_a_query_s_fields() -> None:
    assert together(fields_of("a=1&b&a=2")) == {"a": ["1", "2"], "b": ""}
