"""`/admin/mail-templates`: the words of the mails, edited with a preview beside them."""

from datetime import UTC, datetime
from typing import Any

from litestar import Controller, Request, Response, get, post
from litestar.params import FromPath, FromQuery
from redis.exceptions import RedisError

from app.components.admin.mail_editor import (
    Preview,
    mail_editor_page,
    preview_failed,
    preview_fragment,
)
from app.components.admin.mail_list import TEMPLATES
from app.components.admin.mail_templates import mail_templates_page
from app.components.form import Form
from app.components.frame import PageFrame
from app.components.notice import Flash
from app.core.errors import Invalid, NotFound
from app.core.secrets import new_token
from app.domain.accounts.roles import Permission, allows
from app.domain.accounts.views import AccountView
from app.domain.notices.edit_template import reset_template, save_template
from app.domain.notices.errors import PART_NAMES, BadTemplate, TemplateChanged
from app.domain.notices.find import find_template, list_templates
from app.domain.notices.render import Source, render_part, sample_values
from app.domain.notices.sandbox import HTML
from app.domain.notices.shipped import NAMES, install_templates
from app.domain.notices.values import names_of
from app.domain.notices.views import TemplateView
from app.routes.admin.mails import behind_glass
from app.routes.security.dependencies import Db, Frame, Me
from app.routes.security.flashes import go
from app.routes.security.guards import requires
from app.routes.security.html import html
from app.routes.security.typed import typed
from app.routes.security.visit import edge_of

PREVIEW_S = 600
REDIS_AWAY = "It is handed to its frame through Redis, which does not answer. Saving works."


class MailTemplates(Controller):
    """The templates: staff read the list, who may change mail edits them."""

    path = TEMPLATES
    guards = (requires(Permission.MAIL_READ),)
    include_in_schema = False

    @get()
    async def list(
        self,
        db: Db,
        me: Me,
        frame: Frame,
    ) -> Response[Any]:
        async with db.transaction() as tx:
            await install_templates(tx)
            found = await list_templates(tx)
        may_edit = allows(me.role, Permission.MAIL_CHANGE)
        return html(mail_templates_page(found, may_edit=may_edit, frame=frame))

    @get("/{code:str}", guards=[requires(Permission.MAIL_CHANGE)])
    async def edit(self, db: Db, frame: Frame, code: FromPath[str]) -> Response[Any]:
        async with db.transaction() as tx:
            await install_templates(tx)
            template = await find_template(tx, code)
        source = template.source
        values = {part: getattr(source, part) for part in PART_NAMES}
        return _editor(template, Form(values=values, csrf=frame.csrf), frame=frame)

    @post("/{code:str}", guards=[requires(Permission.MAIL_CHANGE)], status_code=200)
    async def save(
        self,
        request: Request[Any, Any, Any],
        db: Db,
        me: Me,
        frame: Frame,
        code: FromPath[str],
    ) -> Response[Any]:
        values = await typed(request)
        seen_at = _moment(values.get("seen", ""))
        try:
            async with db.transaction() as tx:
                await save_template(tx, code, _source(values), seen_at=seen_at, actor=me)
        except Invalid as invalid:
            errors, status = invalid.fields, 422
        except TemplateChanged as changed:
            # The page then carries the newer version's time: saving again is a decision.
            errors, status = {"": changed.message}, 409
        else:
            return go(request, f"{TEMPLATES}/{code}", Flash("success", "The template is in use."))
        async with db.snapshot() as tx:
            template = await find_template(tx, code)
        form = Form(values=values, errors=errors, csrf=frame.csrf)
        if status == 409:
            seen_at = template.updated_at
        return _editor(template, form, frame=frame, seen_at=seen_at, status=status)

    @post("/{code:str}/reset", guards=[requires(Permission.MAIL_CHANGE)], status_code=200)
    async def reset(
        self,
        request: Request[Any, Any, Any],
        db: Db,
        me: Me,
        code: FromPath[str],
        seen: FromQuery[str] = "",
    ) -> Response[Any]:
        here = f"{TEMPLATES}/{code}"
        try:
            async with db.transaction() as tx:
                await reset_template(tx, code, seen_at=_moment(seen), actor=me)
        except TemplateChanged:
            words = "Someone saved this template in the meantime; look at it before you reset it."
            return go(request, here, Flash("warning", words))
        return go(request, here, Flash("success", "The shipped template is in use again."))

    @post("/{code:str}/preview", guards=[requires(Permission.MAIL_CHANGE)], status_code=200)
    async def preview(
        self, request: Request[Any, Any, Any], me: Me, code: FromPath[str]
    ) -> Response[Any]:
        """Render what is typed; nothing is saved, and errors are an answer too."""
        values = await typed(request)
        source = _source(values)
        samples = _samples(code)
        sample = samples.get(values.get("sample", "")) or next(iter(samples.values()))
        done: dict[str, str] = {}
        errors: dict[str, str] = {}
        for part in PART_NAMES:
            try:
                done[part] = render_part(code, part, getattr(source, part), sample)
            except BadTemplate as problem:
                errors[part] = problem.hint
        address = ""
        if "body_html" in done:
            token = new_token(16)
            try:
                key = _key(me, token)
                await edge_of(request.scope).redis.set(key, done["body_html"], ex=PREVIEW_S)
            except (RedisError, OSError):
                return html(preview_failed(REDIS_AWAY))
            address = f"{TEMPLATES}/{code}/preview/{token}"
        shown = Preview(done.get("subject", ""), address, done.get("body_text", ""))
        return html(preview_fragment(Form(errors=errors), shown))

    @get("/{code:str}/preview/{token:str}", guards=[requires(Permission.MAIL_CHANGE)])
    async def previewed(
        self,
        request: Request[Any, Any, Any],
        me: Me,
        code: FromPath[str],
        token: FromPath[str],
    ) -> Response[str]:
        """Return a preview's HTML for its frame, only to the one who made it."""
        kept = await edge_of(request.scope).redis.get(_key(me, token))
        if kept is None:
            raise NotFound(f"preview of {code}", token)
        return behind_glass(kept.decode())


def _editor(
    template: TemplateView,
    form: Form,
    *,
    frame: PageFrame,
    seen_at: datetime | None = None,
    status: int = 200,
) -> Response[Any]:
    page = mail_editor_page(
        template,
        form,
        seen_at=seen_at or template.updated_at,
        names={part: names_of(template.code, part) for part in PART_NAMES},
        parts=sorted(HTML.parts),
        samples=list(_samples(template.code)),
        frame=frame,
    )
    return html(page, status_code=status)


def _samples(code: str) -> dict[str, dict[str, Any]]:
    if code not in NAMES:
        raise NotFound("mail template", code)
    return sample_values(code)


def _source(values: dict[str, str]) -> Source:
    return Source(**{part: values.get(part, "") for part in PART_NAMES})


def _key(account: AccountView, token: str) -> str:
    return f"slipway:mail-preview:{account.id}:{token}"


def _moment(text: str) -> datetime:
    """Read the version's time; what is no time matches no version."""
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
    return read if read.tzinfo else read.replace(tzinfo=UTC)
