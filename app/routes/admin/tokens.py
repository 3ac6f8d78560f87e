"""`/admin/tokens`: the API tokens of who is signed in."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import FromPath

from app.components.admin.tokens import LIVES, TOKENS, tokens_page
from app.components.form import Form
from app.components.notice import Flash
from app.core.errors import Invalid
from app.domain.accounts.api_tokens import MadeToken, list_tokens, make_token, revoke_token
from app.domain.accounts.roles import Permission
from app.domain.accounts.scopes import Scope, scopes_of
from app.routes.security.dependencies import Db, Frame, HttpRequest, Me
from app.routes.security.flashes import go
from app.routes.security.guards import requires
from app.routes.security.html import html
from app.routes.security.rate_limit import PASSWORD, limited


class Tokens(Controller):
    """Tokens by which programs act for a member of staff."""

    path = TOKENS
    guards = (requires(Permission.ADMIN),)
    include_in_schema = False

    @get()
    async def list(self, db: Db, me: Me, frame: Frame) -> Response[Any]:
        return await _page(db, me, frame, Form(csrf=frame.csrf))

    @post(guards=[limited(PASSWORD)], status_code=200)
    async def make(self, request: HttpRequest, db: Db, me: Me, frame: Frame) -> Response[Any]:
        """Make a token and show it in this very answer, which no cache keeps."""
        sent = await request.form()
        scopes = [text for text in sent.getall("scopes", []) if isinstance(text, str)]
        name, days = (str(sent.get(field, "")).replace("\0", "") for field in ("name", "lives"))
        typed = {"name": name, "lives": days, "scopes": scopes}
        try:
            async with db.transaction() as tx:
                made = await make_token(
                    tx,
                    me,
                    name=name,
                    scopes=scopes,
                    lives=_life(days),
                    actor=me.id,
                    actor_label=me.email,
                )
        except Invalid as invalid:
            form = Form(values=typed, errors=invalid.fields, csrf=frame.csrf)
            return await _page(db, me, frame, form)
        return await _page(db, me, frame, Form(csrf=frame.csrf), made)

    @post("/{token_id:uuid}/revoke", status_code=200)
    async def revoke(
        self, request: HttpRequest, db: Db, me: Me, token_id: FromPath[UUID]
    ) -> Response[Any]:
        async with db.transaction() as tx:
            token = await revoke_token(tx, token_id, owner=me.id, actor=me.id, actor_label=me.email)
        return go(request, TOKENS, Flash("success", f"The token {token.name} is revoked."))


def _life(days: str) -> timedelta | None:
    """Return what was chosen of the list; what is not in it is no time at all, and refused."""
    if days not in LIVES:
        return timedelta()
    return timedelta(days=int(days)) if days else None


async def _page(
    db: Db, me: Me, frame: Frame, form: Form, made: MadeToken | None = None
) -> Response[Any]:
    async with db.snapshot() as tx:
        tokens = await list_tokens(tx, me.id, limit=50)
        now = tx.now()
    allowed = scopes_of(me.role)
    page = tokens_page(
        tokens,
        scopes=[scope for scope in Scope if scope in allowed],
        form=form,
        frame=frame,
        now=now,
        made=made,
    )
    return html(page, status_code=422 if form.errors else 200)
