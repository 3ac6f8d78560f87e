"""`/admin/mails`: every mail that was made, what became of it, and sending one again."""

from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response, get, post
from litestar.params import FromPath, FromQuery

from app.components.admin.mail import SANDBOX, View, mail_page, mail_state
from app.components.admin.mail_list import MAILS, mails_page, mails_region
from app.components.notice import Flash
from app.domain.accounts.roles import Permission, allows
from app.domain.notices.find import count_mails, find_mail, list_mails
from app.domain.notices.open_mail import may_open, needed_permission, open_mail
from app.domain.notices.resend import resend
from app.domain.notices.states import MailState, WrongMailState
from app.domain.notices.views import MailFilter
from app.routes.security.dependencies import Db, Frame, Me, Sealing
from app.routes.security.flashes import go
from app.routes.security.guards import requires
from app.routes.security.html import html
from app.routes.security.refusals import Forbidden

# A mail's HTML is a guest: no script, no origin, nothing fetched, framed only by us.
GLASS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
        f"form-action 'none'; frame-ancestors 'self'; sandbox {SANDBOX}"
    ),
    "X-Frame-Options": "SAMEORIGIN",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
}


class Mails(Controller):
    """The mails, for the staff."""

    path = MAILS
    guards = (requires(Permission.MAIL_READ),)
    include_in_schema = False

    @get()
    async def list(
        self,
        request: Request[Any, Any, Any],
        db: Db,
        frame: Frame,
    ) -> Response[Any]:
        wanted = _filter(request)
        async with db.snapshot() as tx:
            found = await list_mails(tx, wanted, page=_page(request))
            counts = await count_mails(tx)
        return html(mails_page(found, counts, wanted, frame=frame))

    @get("/list")
    async def refresh_list(self, request: Request[Any, Any, Any], db: Db) -> Response[Any]:
        wanted = _filter(request)
        async with db.snapshot() as tx:
            found = await list_mails(tx, wanted, page=_page(request))
        return html(mails_region(found, wanted))

    @get("/{mail_id:uuid}")
    async def show(
        self,
        *,
        db: Db,
        vault: Sealing,
        me: Me,
        frame: Frame,
        mail_id: FromPath[UUID],
        view: FromQuery[str] = "",
    ) -> Response[Any]:
        """Show a mail; a body with credentials is opened only when it is asked for."""
        async with db.transaction() as tx:
            mail = await find_mail(tx, mail_id)
            opens = may_open(mail.code, me.role)
            wanted: View = "none" if mail.carries_credentials else "html"
            if view == "html":
                wanted = "html"
            elif view == "text":
                wanted = "text"
            text = ""
            if wanted == "text" and opens:
                text = (await open_mail(tx, vault, mail_id, me)).text
        return html(
            mail_page(
                mail,
                view=wanted,
                text=text,
                may_open=opens,
                may_send=allows(me.role, Permission.MAIL_CHANGE),
                frame=frame,
            )
        )

    @get("/{mail_id:uuid}/state")
    async def refresh_state(self, db: Db, mail_id: FromPath[UUID]) -> Response[Any]:
        async with db.snapshot() as tx:
            return html(mail_state(await find_mail(tx, mail_id)))

    @get("/{mail_id:uuid}/body")
    async def body(
        self,
        db: Db,
        vault: Sealing,
        me: Me,
        mail_id: FromPath[UUID],
    ) -> Response[str]:
        """Return the HTML itself, for the frame on the mail's page."""
        async with db.transaction() as tx:
            mail = await find_mail(tx, mail_id)
            if not may_open(mail.code, me.role):
                raise Forbidden(needed_permission(mail.code).value)
            opened = await open_mail(tx, vault, mail_id, me)
        return behind_glass(opened.html)

    @post(
        "/{mail_id:uuid}/send-again",
        guards=[requires(Permission.MAIL_CHANGE)],
        status_code=200,
    )
    async def send_again(
        self,
        request: Request[Any, Any, Any],
        db: Db,
        me: Me,
        mail_id: FromPath[UUID],
    ) -> Response[Any]:
        here = f"{MAILS}/{mail_id}"
        try:
            async with db.transaction() as tx:
                await resend(tx, mail_id, me)
        except WrongMailState as wrong:
            return go(request, here, Flash("warning", wrong.message))
        return go(request, here, Flash("success", "The mail is on its way again."))


def behind_glass(document: str) -> Response[str]:
    """Return the HTML of a mail so that it can do nothing but be looked at."""
    return Response(document, headers=GLASS, media_type="text/html; charset=utf-8")


def _filter(request: Request[Any, Any, Any]) -> MailFilter:
    """Read the query; what it cannot mean is taken as not asked for."""
    query = request.query_params
    state, order = query.get("state", ""), query.get("order", "")
    try:
        of_order = UUID(order) if order else None
    except ValueError:
        of_order = None
    known = state in {one.value for one in MailState}
    return MailFilter(
        state=MailState(state) if known else None,
        code=query.get("code", "")[:80],
        order=of_order,
        search=query.get("search", "")[:200],
    )


def _page(request: Request[Any, Any, Any]) -> int:
    text = request.query_params.get("page", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 1
