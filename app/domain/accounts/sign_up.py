"""A visitor becomes a client."""

import msgspec

from app.core.database import Tx
from app.domain.accounts.create_user import create_user
from app.domain.accounts.details import Details, normal_email
from app.domain.accounts.roles import Role
from app.domain.accounts.views import AccountView


class SignUpRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What the sign-up form asks for, as it was typed."""

    email: str
    password: str
    name: str
    company: str = ""
    country: str = ""


async def sign_up(tx: Tx, request: SignUpRequest) -> AccountView:
    """Return the new client; raises `Invalid` with a message per bad field."""
    return await create_user(
        tx,
        email=request.email,
        password=request.password,
        details=Details(name=request.name, company=request.company, country=request.country),
        role=Role.CLIENT,
        actor_label=f"sign-up of {normal_email(request.email)}",
    )
