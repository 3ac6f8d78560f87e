"""`/account`: particulars, password, SSH keys."""

from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import FromPath

from app.components.form import Form
from app.components.notice import Flash
from app.components.portal.account import AccountForms, account_page
from app.core.errors import Invalid
from app.domain.accounts.change import change_details, change_password
from app.domain.accounts.countries import country_names
from app.domain.accounts.details import Details
from app.domain.accounts.sessions import list_browsers
from app.domain.accounts.ssh_keys import add_ssh_key, list_ssh_keys, remove_ssh_key
from app.routes.security.dependencies import Db, Frame, HttpRequest, Me
from app.routes.security.flashes import go
from app.routes.security.guards import signed_in
from app.routes.security.html import html
from app.routes.security.rate_limit import PASSWORD, limited
from app.routes.security.refusals import SignInNeeded
from app.routes.security.typed import typed
from app.routes.security.visit import session_of

HERE = "/account"


class Account(Controller):
    """One's own account."""

    path = HERE
    guards = (signed_in,)
    include_in_schema = False

    @get()
    async def show(self, request: HttpRequest, db: Db, frame: Frame) -> Response[Any]:
        return await _page(request, db, frame)

    @post("/details", status_code=200)
    async def save_details(
        self, request: HttpRequest, db: Db, me: Me, frame: Frame
    ) -> Response[Any]:
        values = await typed(request)
        details = Details(
            name=values.get("name", ""),
            company=values.get("company", ""),
            country=values.get("country", ""),
        )
        try:
            async with db.transaction() as tx:
                await change_details(tx, me, details)
        except Invalid as invalid:
            return await _page(request, db, frame, details=(values, invalid.fields))
        return go(request, HERE, Flash("success", "Your details are saved."))

    @post("/password", guards=[limited(PASSWORD)], status_code=200)
    async def save_password(
        self, request: HttpRequest, db: Db, me: Me, frame: Frame
    ) -> Response[Any]:
        values = await typed(request)
        session = await session_of(request)
        try:
            async with db.transaction() as tx:
                others = await change_password(
                    tx,
                    me,
                    current=values.get("current", ""),
                    new=values.get("new", ""),
                    keep=session.id if session else None,
                )
        except Invalid as invalid:
            return await _page(request, db, frame, password=({}, invalid.fields))
        return go(request, HERE, Flash("success", f"Your password is changed.{_others(others)}"))

    @post("/ssh-keys", status_code=200)
    async def add_key(self, request: HttpRequest, db: Db, me: Me, frame: Frame) -> Response[Any]:
        values = await typed(request)
        try:
            async with db.transaction() as tx:
                key = await add_ssh_key(
                    tx, me, name=values.get("name", ""), text=values.get("public_key", "")
                )
        except Invalid as invalid:
            return await _page(request, db, frame, ssh_key=(values, invalid.fields))
        return go(request, HERE, Flash("success", f"The key {key.name} is in your list."))

    @post("/ssh-keys/{key_id:uuid}/remove", status_code=200)
    async def remove_key(
        self,
        request: HttpRequest,
        db: Db,
        me: Me,
        key_id: FromPath[UUID],
    ) -> Response[Any]:
        async with db.transaction() as tx:
            key = await remove_ssh_key(tx, me, key_id)
        return go(request, HERE, Flash("success", f"The key {key.name} is removed."))


Refused = tuple[dict[str, str], dict[str, str]]  # what was typed, what is wrong with it


def _others(count: int) -> str:
    if count == 0:
        return ""
    return (
        " 1 other browser is signed out."
        if count == 1
        else f" {count} other browsers are signed out."
    )


async def _page(
    request: HttpRequest,
    db: Db,
    frame: Frame,
    *,
    details: Refused = ({}, {}),
    password: Refused = ({}, {}),
    ssh_key: Refused = ({}, {}),
) -> Response[Any]:
    """Return the page, with 422 when one of its forms was refused."""
    session = await session_of(request)
    if session is None:
        raise SignInNeeded
    async with db.snapshot() as tx:
        keys = await list_ssh_keys(tx, session.account.id)
        browsers = await list_browsers(tx, session.account.id)
    refused = {"details": details, "password": password, "ssh_key": ssh_key}
    forms = {
        name: Form(values=values, errors=errors, csrf=frame.csrf, prefix=f"{name}-")
        for name, (values, errors) in refused.items()
    }
    page = account_page(
        session.account,
        keys=keys,
        browsers=browsers,
        this_browser=session.id,
        countries=country_names(),
        forms=AccountForms(**forms),
        frame=frame,
    )
    return html(page, status_code=422 if any(form.errors for form in forms.values()) else 200)
