"""`/sign-up`."""

from typing import Any

from litestar import Controller, Response, get, post

from app.components.form import Form
from app.components.notice import Flash
from app.components.portal.sign_up import sign_up_page
from app.core.errors import Invalid
from app.domain.accounts.countries import country_names
from app.domain.accounts.sessions import end_session, lifetime_of, start_session
from app.domain.accounts.sign_up import SignUpRequest, sign_up
from app.routes.security.dependencies import Db, Frame, HttpRequest, MaybeAccount
from app.routes.security.flashes import go
from app.routes.security.html import html
from app.routes.security.next_page import safe_next
from app.routes.security.rate_limit import SIGN_UP, limited
from app.routes.security.typed import typed
from app.routes.security.visit import SESSION_COOKIE, address_of, session_cookie


class SignUp(Controller):
    """A visitor becomes a client and is signed in at once."""

    path = "/sign-up"
    include_in_schema = False

    @get()
    async def show(
        self, request: HttpRequest, account: MaybeAccount, frame: Frame
    ) -> Response[Any]:
        next_page = safe_next(request.query_params.get("next", ""), "")
        if account is not None:
            return go(request, next_page or "/")
        return html(
            sign_up_page(
                Form(csrf=frame.csrf),
                countries=country_names(),
                next_page=next_page,
                frame=frame,
            )
        )

    @post(guards=[limited(SIGN_UP)], status_code=200)
    async def submit(self, request: HttpRequest, db: Db, frame: Frame) -> Response[Any]:
        values = await typed(request)
        next_page = safe_next(values.get("next", ""), "")
        wanted = SignUpRequest(
            email=values.get("email", ""),
            password=values.get("password", ""),
            name=values.get("name", ""),
            company=values.get("company", ""),
            country=values.get("country", ""),
        )
        replaced = request.cookies.get(SESSION_COOKIE)
        try:
            async with db.transaction() as tx:
                account = await sign_up(tx, wanted)
                if replaced:
                    await end_session(tx, replaced)
                token = await start_session(
                    tx,
                    account,
                    address=address_of(request),
                    agent=request.headers.get("user-agent", ""),
                )
        except Invalid as invalid:
            form = Form(values=values, errors=invalid.fields, csrf=frame.csrf)
            page = sign_up_page(form, countries=country_names(), next_page=next_page, frame=frame)
            return html(page, status_code=422)
        life_s = int(lifetime_of(account.role).most.total_seconds())
        return go(
            request,
            next_page or "/",
            Flash("success", f"Welcome, {account.name}. Your account is ready."),
            cookies=[session_cookie(request.scope, token, max_age_s=life_s)],
        )
