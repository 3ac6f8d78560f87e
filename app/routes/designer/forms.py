"""The forms at the right of the canvas, copies for the clipboard, and aid with expressions."""

from collections.abc import Iterable
from typing import Any, cast, get_args
from uuid import UUID

import htpy as h
import msgspec
from litestar import Controller, Response, get
from litestar.params import FromPath, FromQuery

from app.components.designer.fields import View, inner_field
from app.components.designer.panel import flow_panel, many_panel, node_panel
from app.components.designer.problems import beside_fields
from app.components.designer.slot import slot_of
from app.core.errors import NotFound
from app.domain.connections.find import list_connections
from app.flows.drafts.check import known_problems
from app.flows.drafts.errors import BadGesture
from app.flows.drafts.find import find_draft
from app.flows.drafts.form import field_of, with_connections
from app.flows.drafts.kinds.duplicate import cut
from app.flows.drafts.parts import Path
from app.flows.drafts.ports import type_of
from app.flows.drafts.sheet import source_of, target_of
from app.routes.designer.access import DESIGNERS, DRAFT
from app.routes.designer.trials import latest_trial
from app.routes.security.dependencies import Cache, Db, Me
from app.routes.security.html import html


class Forms(Controller):
    """What is selected, as forms and as JSON."""

    path = DRAFT
    guards = DESIGNERS
    include_in_schema = False

    @get("/panel")
    async def panel(  # noqa: PLR0917 - Litestar fills them in by name
        self,
        db: Db,
        redis: Cache,
        me: Me,
        draft: FromPath[UUID],
        chosen: FromQuery[str] = "",
        views: FromQuery[list[str] | None] = None,
    ) -> Response[Any]:
        """Return the form of the `chosen` node, of several (with spaces between), or the flow's.

        Each of `views` is a parameter, a colon, and how it is given though not saved so yet.
        """
        async with db.snapshot() as tx:
            view = await find_draft(tx, draft)
            connections = await list_connections(tx)
        nodes = [node for node in chosen.split() if node in view.sheet.nodes]
        if not nodes:
            return html(flow_panel(view))
        if len(nodes) > 1:
            return html(many_panel(view.sheet, nodes))
        # What is not checked yet is about to be: the page asks when its gestures rest.
        beside = beside_fields(view.sheet, known_problems(view) or (), nodes[0])
        trial = await latest_trial(redis, draft, me.id)
        given = _given(views or ())
        panel = node_panel(view, nodes[0], connections, trial=trial, views=given)
        return html(h.fragment[panel, beside])

    @get("/nodes/{node:str}/fields/{name:str}")
    async def field(  # noqa: PLR0917 - Litestar fills them in by name
        self,
        db: Db,
        draft: FromPath[UUID],
        node: FromPath[str],
        name: FromPath[str],
        mode: FromQuery[View] = "value",
        path: FromQuery[str] = "[]",
    ) -> Response[Any]:
        """Return a parameter's field, or one within, to be given as a value or an expression."""
        async with db.snapshot() as tx:
            sheet = (await find_draft(tx, draft)).sheet
            connections = await list_connections(tx)
        kind = type_of(sheet, node) if node in sheet.nodes else None
        found = field_of(kind, name) if kind else None
        if found is None:
            raise NotFound("parameter", name)
        found = with_connections(found, connections)
        whole = sheet.nodes[node].params.get(name)
        try:
            steps = msgspec.json.decode(path, type=Path)
            return html(inner_field(slot_of(draft, node, name), found, whole, steps, view=mode))
        except (msgspec.DecodeError, BadGesture) as error:
            raise NotFound("field", path) from error

    @get("/copy")
    async def copy(self, db: Db, draft: FromPath[UUID], chosen: FromQuery[str]) -> Response[str]:
        """Return the chosen nodes and notes as a part of a document, for the clipboard."""
        async with db.snapshot() as tx:
            sheet = (await find_draft(tx, draft)).sheet
        names = chosen.split()
        scrap = cut(sheet, tuple(name for name in names if name in sheet.nodes))
        notes = [note for key, note in sheet.notes().items() if key in names]
        inner = tuple(
            edge
            for edge in scrap.edges
            if source_of(edge) in scrap.nodes and target_of(edge) in scrap.nodes
        )
        ui = scrap.ui | ({"notes": notes} if notes else {})
        whole = msgspec.structs.replace(scrap, edges=inner, ui=ui)
        text = msgspec.json.format(msgspec.json.encode(whole), indent=2).decode()
        return Response(text, media_type="application/json")


def _given(views: Iterable[str]) -> dict[str, View]:
    pairs = (view.rpartition(":") for view in views)
    return {name: cast("View", how) for name, _, how in pairs if how in get_args(View)}
