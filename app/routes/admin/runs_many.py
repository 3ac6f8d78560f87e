"""`/admin/runs/many`: what a person does to several runs at once."""

from collections import Counter
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from litestar import Controller, Response, get, post

from app.components.admin.run_bits import RUNS
from app.components.admin.runs import RUN, cancel_many_page
from app.components.form import Form
from app.components.notice import Flash
from app.core.errors import Invalid
from app.core.paging import PAGE_SIZE
from app.domain.accounts.roles import Permission
from app.flows.find import find_run_rows
from app.flows.steer import By, Fate, cancel_if_open, retry_many
from app.routes.admin.reasons import reason_of
from app.routes.security.dependencies import Db, Frame, HttpRequest, Me
from app.routes.security.flashes import go
from app.routes.security.guards import requires
from app.routes.security.html import html
from app.routes.security.next_page import safe_next
from app.routes.security.typed import typed


class ManyRuns(Controller):
    """The boxes of the list."""

    path = RUNS
    guards = (requires(Permission.RUNS_CHANGE),)
    include_in_schema = False

    @post("/many", status_code=200)
    async def choose(self, request: HttpRequest, db: Db, me: Me) -> Response[Any]:
        """Retry the runs chosen, or ask for the reason to cancel them."""
        values, chosen = await typed(request), await _chosen(request)
        back = safe_next(values.get("back", ""), RUNS)
        if not chosen:
            return go(request, back, Flash("warning", "Choose one run or more first."))
        if values.get("deed") == "cancel":
            query = urlencode([*((RUN, str(run)) for run in chosen), ("back", back)])
            return go(request, f"{RUNS}/cancel?{query}")
        async with db.transaction() as tx:
            fates = await retry_many(tx, chosen, by=By(me.id, me.email))
            started = [run for run, fate in fates.items() if fate is Fate.started]
            for row in await find_run_rows(tx, started):
                tx.publish(f"order:{row.order_id}")
        return go(request, back, *_told(Counter(fates.values())))

    @get("/cancel")
    async def ask_to_cancel(self, request: HttpRequest, db: Db, frame: Frame) -> Response[Any]:
        chosen = _uuids(request.query_params.getall(RUN, []))
        back = safe_next(request.query_params.get("back", ""), RUNS)
        async with db.snapshot() as tx:
            runs = [row for row in await find_run_rows(tx, chosen) if row.is_live]
        if not runs:
            return go(request, back, Flash("warning", "None of these runs is under way any more."))
        return html(cancel_many_page(runs, Form(csrf=frame.csrf), back=back, frame=frame))

    @post("/cancel", status_code=200)
    async def cancel(self, request: HttpRequest, db: Db, me: Me, frame: Frame) -> Response[Any]:
        """Ask the runs to undo what they did and end; workers do it."""
        values, chosen = await typed(request), await _chosen(request)
        back = safe_next(values.get("back", ""), RUNS)
        try:
            reason = reason_of(values)
        except Invalid as invalid:
            async with db.snapshot() as tx:
                runs = [row for row in await find_run_rows(tx, chosen) if row.is_live]
            form = Form(values=values, errors=invalid.fields, csrf=frame.csrf)
            return html(cancel_many_page(runs, form, back=back, frame=frame), status_code=422)
        stopped = 0
        async with db.transaction() as tx:
            # In the order of their ids, as everybody who locks several runs does.
            for row in sorted(await find_run_rows(tx, chosen), key=lambda row: row.id):
                by = By(me.id, me.email)
                stopped += await cancel_if_open(tx, row.id, by=by, reason=reason)
                tx.publish(f"order:{row.order_id}")
        if not stopped:
            return go(request, back, Flash("warning", "They have all ended already."))
        return go(request, back, Flash("success", f"{_count(stopped)} being stopped."))


async def _chosen(request: HttpRequest) -> list[UUID]:
    form = await request.form()
    return _uuids(form.getall(RUN, []))


def _uuids(texts: Sequence[object]) -> list[UUID]:
    """Return the ids among what was sent, once each, as many as a page of the list has."""
    found = []
    for text in texts:
        try:
            found.append(UUID(str(text)))
        except ValueError:
            continue
    return list(dict.fromkeys(found))[:PAGE_SIZE]


def _told(fates: Counter[Fate]) -> list[Flash]:
    flashes = []
    if retried := fates[Fate.started]:
        flashes.append(Flash("success", f"{_count(retried)} tried again."))
    if doubtful := fates[Fate.in_doubt]:
        words = f"{doubtful} in doubt: say on their own pages what became of their steps."
        flashes.append(Flash("warning", words))
    if rest := fates.total() - retried - doubtful:
        flashes.append(Flash("info", f"{rest} left as they were: no step of them is halted."))
    return flashes


def _count(runs: int) -> str:
    return "1 run is" if runs == 1 else f"{runs} runs are"
