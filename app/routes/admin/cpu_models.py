"""`/admin/cpu-models`: models, and which may be delivered in place of which."""

from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import FromPath

from app.components.admin.cpu_models import cpu_page
from app.components.admin.dcim import CPUS
from app.components.form import Form
from app.components.frame import PageFrame
from app.components.notice import Flash
from app.core.database import Database
from app.core.errors import Conflict, Invalid
from app.domain.accounts.views import AccountView
from app.domain.inventory.cpu_models import (
    list_cpu_models,
    list_equivalences,
    remove_cpu,
    remove_equivalence,
    save_cpu,
    save_equivalence,
)
from app.domain.inventory.seed import CpuSeed, EquivalenceSeed
from app.routes.admin.dcim_typed import read_form
from app.routes.admin.racks import CHANGES, READS, may_change
from app.routes.security.dependencies import Db, Frame, HttpRequest, Me
from app.routes.security.flashes import go
from app.routes.security.html import html
from app.routes.security.typed import typed


class CpuModels(Controller):
    """CPU models and equivalence groups, for the staff."""

    path = CPUS
    guards = READS
    include_in_schema = False

    @get()
    async def list(self, db: Db, me: Me, frame: Frame) -> Response[Any]:
        return await _page(db, me, frame)

    @post(guards=CHANGES, status_code=200)
    async def save(self, request: HttpRequest, db: Db, me: Me, frame: Frame) -> Response[Any]:
        values = await typed(request)
        try:
            seed = read_form(values, CpuSeed)
            async with db.transaction() as tx:
                await save_cpu(tx, seed, actor=me.id, actor_label=me.email)
        except Invalid as invalid:
            form = Form(values=values, errors=invalid.fields, csrf=frame.csrf)
            return await _page(db, me, frame, model_form=form, status=422)
        return go(request, CPUS, Flash("success", f"{seed.name} is written down."))

    @post("/{cpu_id:uuid}/remove", guards=CHANGES, status_code=200)
    async def remove(
        self, request: HttpRequest, db: Db, me: Me, cpu_id: FromPath[UUID]
    ) -> Response[Any]:
        try:
            async with db.transaction() as tx:
                await remove_cpu(tx, cpu_id, actor=me.id, actor_label=me.email)
        except Conflict as conflict:
            return go(request, CPUS, Flash("warning", str(conflict)))
        return go(request, CPUS, Flash("success", "The model is gone."))

    @post("/equivalences", guards=CHANGES, status_code=200)
    async def link(self, request: HttpRequest, db: Db, me: Me, frame: Frame) -> Response[Any]:
        values = await typed(request)
        try:
            seed = read_form(values, EquivalenceSeed)
            async with db.transaction() as tx:
                await save_equivalence(tx, seed, actor=me.id, actor_label=me.email)
        except Invalid as invalid:
            form = Form(values=values, errors=invalid.fields, csrf=frame.csrf, prefix="link-")
            return await _page(db, me, frame, link_form=form, status=422)
        words = f"{seed.stand_in} may be delivered for {seed.wanted}."
        return go(request, CPUS, Flash("success", words))

    @post("/equivalences/{link_id:uuid}/remove", guards=CHANGES, status_code=200)
    async def unlink(
        self, request: HttpRequest, db: Db, me: Me, link_id: FromPath[UUID]
    ) -> Response[Any]:
        async with db.transaction() as tx:
            await remove_equivalence(tx, link_id, actor=me.id, actor_label=me.email)
        return go(request, CPUS, Flash("success", "It no longer stands in."))


async def _page(
    db: Database,
    me: AccountView,
    frame: PageFrame,
    *,
    model_form: Form | None = None,
    link_form: Form | None = None,
    status: int = 200,
) -> Response[Any]:
    async with db.snapshot() as tx:
        models = await list_cpu_models(tx)
        links = await list_equivalences(tx)
    page = cpu_page(
        models,
        links,
        model_form or Form(csrf=frame.csrf),
        link_form or Form(csrf=frame.csrf, prefix="link-"),
        may_change=may_change(me),
        frame=frame,
    )
    return html(page, status_code=status)
