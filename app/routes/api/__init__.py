"""The REST API for programs, at `/api/v1`; docs/api.md says how it is used."""

from litestar import Router
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin, YamlRenderPlugin
from litestar.openapi.spec import Tag
from litestar.types import ControllerRouterHandler

from app.routes.api.needs import COMPONENTS
from app.routes.api.runs import Runs

API: tuple[ControllerRouterHandler, ...] = (Router("/api/v1", route_handlers=[Runs]),)
"""Every handler of the API, for the composition root."""

# The documents alone: Litestar's pages for them need scripts that our policy forbids. Ours, which
# needs none, is `/admin/api`.
OPENAPI = OpenAPIConfig(
    title="Slipway",
    version="1",
    summary="Flows and their runs, for programs.",
    description="Send `Authorization: Bearer slw_…`. Lists are read page by page: `next` of one "
    "is `cursor` of the following. A POST with an `Idempotency-Key` is done once. What can change "
    "has an `ETag`; with `If-Match` it is only changed as you know it. Refusals are "
    "`application/problem+json` with a stable `code`. Times are UTC.",
    path="/api",
    components=COMPONENTS,
    tags=[Tag("Runs", "Executions of flows: what they did, and what a person may do to them.")],
    render_plugins=[
        JsonRenderPlugin(path="/openapi.json"),
        YamlRenderPlugin(path="/openapi.yaml"),
    ],
)
