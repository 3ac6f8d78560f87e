"""`/sign-in` and `/sign-out`."""

from typing import Any

from litestar import Controller, Response, get, post

from app.components.form import Form
from app.components.notice import Flash
from app.components.portal.sign_in import sign_in_page
from app.core.errors import Refusal
from app.domain.accounts.errors import AccountDisabled, TooManyAttempts, WrongCredentials
from app.domain.accounts.roles import Role, is_staff
from app.domain.accounts.sessions import end_session, end_sessions, lifetime_of
from app.domain.accounts.sign_in import SignedIn, begin_sign_in, check_password, finish_sign_in
from app.routes.security.dependencies import Db, Frame, HttpRequest, MaybeAccount, Me
from app.routes.security.errors import status_of
from app.routes.security.flashes import go
from app.routes.security.guards import signed_in
from app.routes.security.html import html
from app.routes.security.next_page import safe_next
from app.routes.security.rate_limit import SIGN_IN, limited
from app.routes.security.typed import typed
from app.routes.security.visit import SESSION_COOKIE, address_of, session_cookie


class SignIn(Controller):
    """E-mail and password for a session."""

    path = "/sign-in"
    include_in_schema = False

    @get()
    async def show(
        self, request: HttpRequest, account: MaybeAccount, frame: Frame
    ) -> Response[Any]:
        next_page = safe_next(request.query_params.get("next", ""), "")
        if account is not None:
            return go(request, next_page or home_of(account.role))
        return html(sign_in_page(Form(csrf=frame.csrf), next_page=next_page, frame=frame))

    @post(guards=[limited(SIGN_IN)], status_code=200)
    async def submit(self, request: HttpRequest, db: Db, frame: Frame) -> Response[Any]:
        values = await typed(request)
        next_page = safe_next(values.get("next", ""), "")
        try:
            done = await _sign_in(request, db, values.get("email", ""), values.get("password", ""))
        except (WrongCredentials, AccountDisabled, TooManyAttempts) as refusal:
            return _again(refusal, values, next_page, frame)
        life_s = int(lifetime_of(done.account.role).most.total_seconds())
        return go(
            request,
            next_page or home_of(done.account.role),
            cookies=[session_cookie(request.scope, done.token, max_age_s=life_s)],
        )


class SignOut(Controller):
    """End this session, or all of them."""

    path = "/sign-out"
    include_in_schema = False

    @post(status_code=200)
    async def here(self, request: HttpRequest, db: Db) -> Response[Any]:
        token = request.cookies.get(SESSION_COOKIE)
        if token:
            async with db.transaction() as tx:
                await end_session(tx, token)
        return _gone(request, "You are signed out.")

    @post("/everywhere", guards=[signed_in], status_code=200)
    async def everywhere(self, request: HttpRequest, db: Db, me: Me) -> Response[Any]:
        async with db.transaction() as tx:
            await end_sessions(tx, me.id)
        return _gone(request, "You are signed out in every browser.")


def home_of(role: Role) -> str:
    """Return where someone begins who asked for no page in particular."""
    return "/admin" if is_staff(role) else "/"


async def _sign_in(request: HttpRequest, db: Db, email: str, password: str) -> SignedIn:
    """Sign in; the attempt is committed before the password is looked at."""
    async with db.transaction() as tx:
        attempt = await begin_sign_in(tx, email=email, address=address_of(request))
    await check_password(attempt, password)
    async with db.transaction() as tx:
        return await finish_sign_in(
            tx,
            attempt,
            password,
            agent=request.headers.get("user-agent", ""),
            replaces=request.cookies.get(SESSION_COOKIE),
        )


def _again(refusal: Refusal, values: dict[str, str], next_page: str, frame: Frame) -> Response[str]:
    form = Form(values=values, errors={"": refusal.message}, csrf=frame.csrf)
    headers = {}
    if isinstance(refusal, TooManyAttempts):
        headers["Retry-After"] = str(refusal.retry_after_s)
    page = sign_in_page(form, next_page=next_page, frame=frame)
    return html(page, status_code=status_of(refusal), headers=headers)


def _gone(request: HttpRequest, words: str) -> Response[Any]:
    forget = session_cookie(request.scope, "", max_age_s=0)
    return go(request, "/sign-in", Flash("success", words), cookies=[forget])
