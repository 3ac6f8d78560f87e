"""`/designer`: drafts, flows to open, and new flows from the gallery."""

from typing import Any

from litestar import Controller, Response, get, post
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect

from app.components.designer.home import home_page, new_flow_page
from app.components.designer.names import DESIGNER, draft_url
from app.components.form import Form
from app.core.errors import Invalid
from app.flows.drafts.find import list_drafts, list_published
from app.flows.drafts.open import open_flow, open_new
from app.flows.gallery import find_template, list_templates
from app.flows.overlay import last_runs
from app.routes.designer.access import DESIGNERS, designer_of
from app.routes.security.dependencies import Db, Frame, HttpRequest, Me
from app.routes.security.html import html
from app.routes.security.typed import typed


class Home(Controller):
    """Where a designer begins."""

    path = DESIGNER
    guards = DESIGNERS
    include_in_schema = False

    @get()
    async def show(self, db: Db, frame: Frame) -> Response[Any]:
        async with db.snapshot() as tx:
            drafts, flows = await list_drafts(tx), await list_published(tx)
            runs = await last_runs(tx)
        return html(home_page(drafts, flows, list_templates(), runs, frame=frame))

    @post("/flows/{slug:str}/open", status_code=303)
    async def open(self, db: Db, me: Me, slug: FromPath[str]) -> Redirect:
        """Open a published flow's draft, which is made when there is none."""
        async with db.transaction() as tx:
            draft = await open_flow(tx, slug, by=designer_of(me))
        return Redirect(draft_url(draft), status_code=303)

    @get("/new", sync_to_thread=False)
    def ask(self, frame: Frame, template: FromQuery[str] = "") -> Response[Any]:
        document = find_template(template) if template else None
        values = {"name": document.name, "slug": ""} if document else {}
        form = Form(values=values, csrf=frame.csrf)
        return html(new_flow_page(form, template, document, frame=frame))

    @post("/new", status_code=200)
    async def make(
        self, request: HttpRequest, db: Db, me: Me, frame: Frame, template: FromQuery[str] = ""
    ) -> Response[Any]:
        values = await typed(request)
        document = find_template(template) if template else None
        try:
            async with db.transaction() as tx:
                draft = await open_new(
                    tx,
                    name=values.get("name", ""),
                    slug=values.get("slug", ""),
                    by=designer_of(me),
                    template=document,
                )
        except Invalid as invalid:
            form = Form(values=values, errors=invalid.fields, csrf=frame.csrf)
            return html(new_flow_page(form, template, document, frame=frame), status_code=422)
        return Redirect(draft_url(draft), status_code=303)
