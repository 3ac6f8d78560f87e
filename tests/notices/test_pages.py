"""The admin's mail pages: who sees what, what is put on record, and that nothing typed is lost."""

import re

import pytest
from litestar import Litestar
from redis.asyncio import Redis

from app.core.database import Database
from app.core.secrets import Vault
from app.domain.accounts.roles import Role
from app.domain.notices.find import find_template
from app.domain.notices.send import send_mail
from app.domain.notices.shipped import install_templates, shipped_source
from app.drivers.errors import Refused
from tests.notices.letters import PASSWORD, SENDER, StubMailer, make_mail
from tests.notices.site import Visitor, visiting

EDITOR = "/admin/mail-templates/staff-notice"


async def readings(database: Database) -> int:
    async with database.snapshot() as tx:
        count: int = await tx.fetchval(
            "SELECT count(*) FROM audit_entry WHERE action = 'mail.credentials_read'"
        )
    return count


async def seen_of(visitor: Visitor) -> str:
    page = await visitor.get(EDITOR)
    assert page.status_code == 200
    return re.findall(r'name="seen" value="([^"]*)"', page.text)[0]


async def test_a_client_finds_no_such_page(app: Litestar, database: Database, vault: Vault) -> None:
    mail = await make_mail(database, vault)
    async with visiting(app, database, Role.CLIENT) as client:
        for path in ("/admin/mails", f"/admin/mails/{mail}", f"/admin/mails/{mail}/body", EDITOR):
            answer = await client.get(path)
            assert answer.status_code == 404
            assert PASSWORD not in answer.text


async def test_body_is_opened_only_when_asked_for_and_on_record(
    app: Litestar, database: Database, vault: Vault
) -> None:
    mail = await make_mail(database, vault)
    async with visiting(app, database, Role.OPERATOR) as operator:
        page = await operator.get(f"/admin/mails/{mail}")
        assert page.status_code == 200
        assert PASSWORD not in page.text
        assert "Opening it is put on record" in page.text
        assert await readings(database) == 0

        page = await operator.get(f"/admin/mails/{mail}?view=html")
        assert PASSWORD not in page.text
        assert f'src="/admin/mails/{mail}/body"' in page.text
        assert await readings(database) == 0

        body = await operator.get(f"/admin/mails/{mail}/body")
        assert PASSWORD in body.text
        assert await readings(database) == 1
        policy = body.headers["content-security-policy"]
        assert "sandbox allow-popups" in policy
        assert "allow-scripts" not in policy
        assert "allow-same-origin" not in policy
        assert "default-src 'none'" in policy
        assert body.headers["x-frame-options"] == "SAMEORIGIN"
        assert body.headers["cache-control"] == "no-store"

        page = await operator.get(f"/admin/mails/{mail}?view=text")
        assert PASSWORD in page.text
        assert await readings(database) == 2
        async with database.snapshot() as tx:
            actors = await tx.fetch("SELECT DISTINCT actor, subject FROM audit_entry")
        assert (operator.account.id, mail) in {tuple(row) for row in actors}


@pytest.mark.parametrize("role", [Role.FINANCE, Role.DESIGNER])
async def test_credentials_are_closed_to_who_does_not_manage_services(
    app: Litestar, database: Database, vault: Vault, role: Role
) -> None:
    mail = await make_mail(database, vault)
    other = await make_mail(database, vault, key="2", code="payment-received")
    async with visiting(app, database, role) as staff:
        for view in ("", "?view=html", "?view=text"):
            page = await staff.get(f"/admin/mails/{mail}{view}")
            assert page.status_code == 200
            assert "closed to you" in page.text
            assert PASSWORD not in page.text
        assert (await staff.get(f"/admin/mails/{mail}/body")).status_code == 403
        assert "€211.82" in (await staff.get(f"/admin/mails/{other}/body")).text
    assert await readings(database) == 0


async def test_refused_mail_shows_the_servers_words_and_is_sent_again(
    app: Litestar, database: Database, vault: Vault
) -> None:
    mail = await make_mail(database, vault)
    mailer = StubMailer()
    mailer.answer = Refused("mail", field="to", reason="550 no <such> mailbox")
    await send_mail(database, vault, mailer, mail, sender=SENDER)
    async with visiting(app, database, Role.OWNER) as owner:
        page = await owner.get(f"/admin/mails/{mail}")
        assert "550 no &lt;such&gt; mailbox" in page.text
        answer = await owner.post(f"/admin/mails/{mail}/send-again")
        assert (answer.status_code, answer.headers["location"]) == (303, f"/admin/mails/{mail}")
        state = await owner.get(f"/admin/mails/{mail}/state")
        assert "Queued" in state.text
        answer = await owner.post(f"/admin/mails/{mail}/send-again")
        page = await owner.get(f"/admin/mails/{mail}")
        assert "already on its way" in page.text
    async with visiting(app, database, Role.FINANCE) as finance:
        page = await finance.get("/admin/mail-templates")
        assert EDITOR not in page.text
        assert "send-again" not in (await finance.get(f"/admin/mails/{mail}")).text


@pytest.mark.parametrize(
    "query", ["", "?state=refused", "?state=nonsense&page=x&order=7", "?search=%25&page=99"]
)
async def test_list_takes_any_query(
    app: Litestar, database: Database, vault: Vault, query: str
) -> None:
    await make_mail(database, vault)
    async with visiting(app, database, Role.OPERATOR) as operator:
        page = await operator.get(f"/admin/mails{query}")
        assert page.status_code == 200
        assert (await operator.get(f"/admin/mails/list{query}")).status_code == 200
        assert ("ada@example.com" in page.text) == (query in {"", "?state=nonsense&page=x&order=7"})


async def test_template_is_saved_audited_and_reset(app: Litestar, database: Database) -> None:
    async with visiting(app, database, Role.DESIGNER) as designer:
        assert EDITOR in (await designer.get("/admin/mail-templates")).text
        seen = await seen_of(designer)
        words = {"subject": "Look: {{ title }}", "body_html": "<p>{{ title }}</p>"}
        answer = await designer.post(
            EDITOR, seen=seen, body_text="{{ title }}\r\n{{ link }}", **words
        )
        assert answer.status_code == 303
        async with database.snapshot() as tx:
            template = await find_template(tx, "staff-notice")
            assert template.source.body_text == "{{ title }}\n{{ link }}"
            assert template.updated_by == "designer@example.com"
            entry = await tx.fetchrow("SELECT * FROM audit_entry WHERE action LIKE 'mail_temp%'")
        assert entry is not None
        assert entry["actor"] == designer.account.id
        assert "Look: {{ title }}" in entry["after"]
        assert shipped_source("staff-notice").subject in entry["before"]

        answer = await designer.post(f"{EDITOR}/reset?seen=yesterday")
        assert answer.status_code == 303
        assert "look at it before you reset it" in (await designer.get(EDITOR)).text
        seen = await seen_of(designer)
        await designer.client.post(
            f"{EDITOR}/reset", params={"seen": seen}, data={"_csrf_token": designer._csrf}
        )
        async with database.snapshot() as tx:
            assert (await find_template(tx, "staff-notice")).is_shipped


async def test_a_bad_template_is_not_saved_and_nothing_typed_is_lost(
    app: Litestar, database: Database
) -> None:
    async with visiting(app, database, Role.DESIGNER) as designer:
        seen = await seen_of(designer)
        answer = await designer.post(
            EDITOR,
            seen=seen,
            subject="{{ titel }}",
            body_html="<p>one</p>\n<p>{{ paragraphs[0 }}</p>",
            body_text="precious <words> & {{ title }}",
        )
    assert answer.status_code == 422
    assert "“titel” is not known here. Did you mean “title”?" in answer.text
    assert "Line 2: " in answer.text
    assert "precious &lt;words&gt; &amp; {{ title }}" in answer.text
    assert "{{ paragraphs[0 }}" in answer.text
    async with database.snapshot() as tx:
        assert (await find_template(tx, "staff-notice")).is_shipped


async def test_two_who_edit_do_not_overwrite_each_other_unawares(
    app: Litestar, database: Database
) -> None:
    words = {"body_html": "<p>{{ title }}</p>", "body_text": "{{ title }}"}
    async with visiting(app, database, Role.DESIGNER) as designer:
        seen = await seen_of(designer)
        assert (await designer.post(EDITOR, seen=seen, subject="First", **words)).status_code == 303
        answer = await designer.post(EDITOR, seen=seen, subject="Second", **words)
        assert answer.status_code == 409
        assert "Someone else saved this template" in answer.text
        assert "Second" in answer.text
        newer = re.findall(r'name="seen" value="([^"]*)"', answer.text)[0]
        assert newer != seen
        assert (
            await designer.post(EDITOR, seen=newer, subject="Second", **words)
        ).status_code == 303
    async with database.snapshot() as tx:
        assert (await find_template(tx, "staff-notice")).source.subject == "Second"


async def test_preview_shows_what_is_typed_and_only_to_its_author(
    app: Litestar, database: Database
) -> None:
    async with database.transaction() as tx:
        await install_templates(tx)
    async with visiting(app, database, Role.DESIGNER) as designer:
        await designer.get(EDITOR)
        answer = await designer.post(
            f"{EDITOR}/preview",
            htmx=True,
            subject="S {{ title }}",
            body_html="<p>H {{ title }}</p>",
            body_text="{{ tilte }}",
            sample="Title only",
        )
        assert answer.status_code == 200
        assert "S The mail server answers again" in answer.text
        assert "Text cannot be rendered" in answer.text
        assert "“tilte” is not known here" in answer.text
        (address,) = re.findall(r'src="([^"]*/preview/[^"]*)"', answer.text)
        framed = await designer.get(address)
        assert "H The mail server answers again" in framed.text
        assert "sandbox" in framed.headers["content-security-policy"]
        assert (await designer.get(f"{EDITOR}/preview/other")).status_code == 404
    async with visiting(app, database, Role.OWNER) as owner:
        assert (await owner.get(address)).status_code == 404
    async with database.snapshot() as tx:
        assert (await find_template(tx, "staff-notice")).is_shipped


async def test_preview_without_redis_says_so(
    app: Litestar, database: Database, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object, **__: object) -> None:
        raise ConnectionRefusedError

    async with visiting(app, database, Role.DESIGNER) as designer:
        await designer.get(EDITOR)
        monkeypatch.setattr(redis, "set", away)
        answer = await designer.post(
            f"{EDITOR}/preview", htmx=True, subject="S", body_html="<p>H</p>", body_text="T"
        )
    assert answer.status_code == 200
    assert "There is no preview at the moment" in answer.text


async def test_unknown_template(app: Litestar, database: Database) -> None:
    async with visiting(app, database, Role.DESIGNER) as designer:
        await designer.get(EDITOR)
        for path in ("/admin/mail-templates/nothing", "/admin/mail-templates/layout"):
            assert (await designer.get(path)).status_code == 404
            assert (await designer.post(f"{path}/preview", htmx=True)).status_code == 404
