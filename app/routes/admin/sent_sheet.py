"""Files that people send to be taken in, and those that they are given."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from litestar import Response
from litestar.datastructures import UploadFile

from app.components.admin.sheet_import import DOCUMENT, FILE
from app.core.errors import NotFound
from app.routes.security.dependencies import HttpRequest

NOTHING_SENT = "Choose a file, or paste what one says."


async def sent_sheet(request: HttpRequest, values: Mapping[str, str]) -> tuple[bytes, str]:
    """Return what a form brings along, as a file or pasted, and the field that it came in."""
    sent = (await request.form()).get(FILE)
    raw = await sent.read() if isinstance(sent, UploadFile) else b""
    return (raw, FILE) if raw else (values.get(DOCUMENT, "").encode(), DOCUMENT)


def download(name: str, kind: str, *, whole: object, sheet: Callable[[], str]) -> Response[Any]:
    """Return `whole` as JSON or `sheet` as CSV, to be saved under a name. Raises NotFound."""
    if kind == "json":
        content = msgspec.json.format(msgspec.json.encode(whole), indent=2)
        media_type = "application/json"
    elif kind == "csv":
        content, media_type = sheet().encode(), "text/csv"
    else:
        raise NotFound("export as", kind)
    saved = f'attachment; filename="{name}.{kind}"'
    return Response(content, headers={"Content-Disposition": saved}, media_type=media_type)
