"""Who may call a handler: `[signed_in]`, `[requires(Permission.X)]`, `[scoped(Scope.Y)]`."""

from litestar.handlers import BaseRouteHandler

from app.core.errors import NotFound
from app.domain.accounts.roles import Permission, allows, is_staff
from app.domain.accounts.scopes import NEEDS, Scope
from app.routes.security.bearer import caller_of
from app.routes.security.refusals import Forbidden, ScopeMissing, SignInNeeded
from app.routes.security.visit import Connection, Guard, account_of


async def signed_in(connection: Connection, handler: BaseRouteHandler) -> None:  # noqa: ARG001  # Litestar's signature
    """Let only signed-in people pass; a page leads the others to `/sign-in?next=…`."""
    if await account_of(connection) is None:
        raise SignInNeeded


def requires(permission: Permission) -> Guard:
    """Let pass whose role has `permission`.

    To a client the place does not exist (404); staff are told what they lack (403).
    """

    async def guard(connection: Connection, handler: BaseRouteHandler) -> None:  # noqa: ARG001  # Litestar's signature
        account = await account_of(connection)
        if account is None:
            raise SignInNeeded
        if not is_staff(account.role):
            raise NotFound("page", connection.url.path)
        if not allows(account.role, permission):
            raise Forbidden(permission.value)

    return guard


def scoped(scope: Scope) -> Guard:
    """Let pass a program whose token holds `scope` and whose owner's role still includes it.

    To a client's token the place does not exist (404); others are told what they lack.
    """

    async def guard(connection: Connection, handler: BaseRouteHandler) -> None:  # noqa: ARG001  # Litestar's signature
        caller = await caller_of(connection)
        if not is_staff(caller.account.role):
            raise NotFound("page", connection.url.path)
        if not allows(caller.account.role, NEEDS[scope]):
            raise Forbidden(NEEDS[scope].value)
        if scope not in caller.scopes:
            raise ScopeMissing(scope.value)

    return guard
