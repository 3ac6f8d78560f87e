"""`/admin/api`: the API's documentation, made from its OpenAPI document."""

from functools import lru_cache
from typing import Any

from litestar import Litestar, Response, get

from app.components.admin.api_reference import HERE, Reference, api_reference_page
from app.domain.accounts.roles import Permission
from app.routes.api.reference import reference_of
from app.routes.security.dependencies import Frame, HttpRequest
from app.routes.security.guards import requires
from app.routes.security.html import html


@get(HERE, guards=[requires(Permission.ADMIN)], include_in_schema=False)
async def api_reference(request: HttpRequest, frame: Frame) -> Response[Any]:
    """Return every operation and object on one page."""
    return html(api_reference_page(_reference(request.app), frame=frame))


@lru_cache(maxsize=1)
def _reference(app: Litestar) -> Reference:
    """Return what the document says; the same for as long as the process lives."""
    return reference_of(app.openapi_schema.to_schema())
