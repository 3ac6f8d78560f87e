"""The dependencies that handlers ask for by name: `account`, `me`, `frame`."""

from typing import Any

from litestar import Request

from app.components.frame import PageFrame, theme_of
from app.domain.accounts.roles import PERMISSIONS, is_staff
from app.domain.accounts.views import AccountView
from app.routes.security.csrf import csrf_token
from app.routes.security.flashes import take_flashes
from app.routes.security.refusals import SignInNeeded
from app.routes.security.visit import Connection, account_of, edge_of, is_htmx, visit_of


async def provide_account(request: Request[Any, Any, Any]) -> AccountView | None:
    """Return who is signed in, if anybody is."""
    return await account_of(request)


async def provide_me(request: Request[Any, Any, Any]) -> AccountView:
    """Return who is signed in; nobody is led to the sign-in page."""
    account = await account_of(request)
    if account is None:
        raise SignInNeeded
    return account


async def provide_frame(request: Request[Any, Any, Any]) -> PageFrame:
    """Return the setting of the page, with its CSRF token and the messages brought along."""
    await account_of(request)
    return frame_of(request)


def frame_of(connection: Connection) -> PageFrame:
    """Return the setting with what is known already; nobody is looked up."""
    edge, visit = edge_of(connection.scope), visit_of(connection.scope)
    account = visit.session.account if visit.session else None
    return PageFrame(
        account=account,
        staff=account is not None and is_staff(account.role),
        allowed=PERMISSIONS[account.role] if account else frozenset(),
        theme=theme_of(connection.cookies),
        csrf=csrf_token(connection),
        # A fragment has no place for messages; they wait for the next whole page.
        flashes=() if is_htmx(connection) else take_flashes(connection),
        brand=edge.settings.company,
        now=edge.database.clock.now(),
    )
