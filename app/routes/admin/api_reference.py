"""`/admin/api`: the API's documentation, made from its OpenAPI document."""

from functools import lru_cache
from typing import Any

from litestar import Controller, Litestar, Response, get
from litestar.params import FromPath

from app.components.admin.api_reference import (
    HERE,
    Reference,
    api_part_page,
    api_reference_page,
    slug_of,
)
from app.core.errors import NotFound
from app.domain.accounts.roles import Permission
from app.routes.api.reference import reference_of
from app.routes.security.dependencies import Frame, HttpRequest
from app.routes.security.guards import requires
from app.routes.security.html import html


class ApiReference(Controller):
    """The API for those who use it, on pages of one subject each."""

    path = HERE
    guards = (requires(Permission.ADMIN),)
    include_in_schema = False

    @get()
    async def show(self, request: HttpRequest, frame: Frame) -> Response[Any]:
        return html(api_reference_page(_reference(request.app), frame=frame))

    @get("/{part:str}")
    async def show_part(
        self, request: HttpRequest, frame: Frame, part: FromPath[str]
    ) -> Response[Any]:
        reference = _reference(request.app)
        for tag, _ in reference.tags:
            if slug_of(tag) == part:
                return html(api_part_page(reference, tag, frame=frame))
        raise NotFound("page", part)


@lru_cache(maxsize=1)
def _reference(app: Litestar) -> Reference:
    """Return what the document says; the same for as long as the process lives."""
    return reference_of(app.openapi_schema.to_schema())
