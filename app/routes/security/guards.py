"""Who may call a handler: `guards=[signed_in]`, `guards=[requires(Permission.X)]`."""

from collections.abc import Awaitable, Callable

from litestar.handlers import BaseRouteHandler

from app.core.errors import NotFound
from app.domain.accounts.roles import Permission, allows, is_staff
from app.routes.security.refusals import Forbidden, SignInNeeded
from app.routes.security.visit import Connection, account_of

Guard = Callable[[Connection, BaseRouteHandler], Awaitable[None]]


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
