"""People for tests."""

from app.core.database import Database
from app.domain.accounts.create_user import create_user
from app.domain.accounts.details import Details
from app.domain.accounts.roles import Role
from app.domain.accounts.sign_in import SignedIn, begin_sign_in, check_password, finish_sign_in
from app.domain.accounts.views import AccountView

PASSWORD = "correct horse battery"


async def make_account(
    database: Database,
    email: str = "ada@example.com",
    *,
    role: Role = Role.CLIENT,
    name: str = "Ada",
    password: str = PASSWORD,
) -> AccountView:
    async with database.transaction() as tx:
        return await create_user(
            tx,
            email=email,
            password=password,
            details=Details(name=name, country="DE"),
            role=role,
            actor_label="test",
        )


async def sign_in(
    database: Database,
    email: str = "ada@example.com",
    password: str = PASSWORD,
    *,
    address: str = "192.0.2.1",
    replaces: str | None = None,
) -> SignedIn:
    """The three steps, as the route takes them."""
    async with database.transaction() as tx:
        attempt = await begin_sign_in(tx, email=email, address=address)
    await check_password(attempt, password)
    async with database.transaction() as tx:
        return await finish_sign_in(tx, attempt, password, agent="test", replaces=replaces)
