"""The body of a webhook's call as a value: JSON, form fields, or text. Pure."""

from email.parser import BytesParser
from email.policy import HTTP
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from app.core.errors import Refusal

MOST_FIELDS = 1_000


class BadBody(Refusal):
    code = "hooks.bad_body"

    def __init__(self, reason: str) -> None:
        super().__init__(f"The body cannot be read: {reason}.")


def read_body(raw: bytes, content_type: str) -> Any:
    """Return the value of a body, None for an empty one. Raises BadBody.

    Form fields become a map, one that comes twice a list; of a file its name and size are kept.
    What is neither JSON nor a form is text; bytes that are no UTF-8 become “�”.
    """
    if not raw:
        return None
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/json" or kind.endswith("+json"):
        try:
            return msgspec.json.decode(raw)
        except (msgspec.DecodeError, RecursionError) as error:
            raise BadBody(f"it is not the JSON that it says it is ({error})") from error
    if kind == "application/x-www-form-urlencoded":
        return together(fields_of(raw.decode(errors="replace")))
    if kind == "multipart/form-data":
        return together(_parts(raw, content_type))
    return raw.decode(errors="replace")


def fields_of(text: str) -> list[tuple[str, str]]:
    """Return the fields of a form or of a query, in their order. Raises BadBody."""
    try:
        return parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError as error:
        raise BadBody(f"it has more than {MOST_FIELDS} fields") from error


def together(fields: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the fields as a map; those with one name are a list."""
    found: dict[str, list[Any]] = {}
    for name, value in fields:
        found.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def _parts(raw: bytes, content_type: str) -> list[tuple[str, Any]]:
    head = f"Content-Type: {content_type}\r\n\r\n".encode("latin-1", errors="replace")
    message = BytesParser(policy=HTTP).parsebytes(head + raw)
    if not message.is_multipart():
        raise BadBody("it has no parts, or its boundary is missing")
    parts = list(message.iter_parts())
    if len(parts) > MOST_FIELDS:
        raise BadBody(f"it has more than {MOST_FIELDS} fields")
    return [_field(part) for part in parts]


def _field(part: Any) -> tuple[str, Any]:
    content: bytes = part.get_payload(decode=True) or b""
    name = str(part.get_param("name", "", header="content-disposition"))
    filename = part.get_filename()
    if filename is not None:
        return name, {"filename": filename, "size_bytes": len(content)}
    return name, content.decode(errors="replace")
