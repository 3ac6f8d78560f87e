"""What only a browser can tell: the mail's looks, the policies, and the editor at work."""

import os
from pathlib import Path

import pytest
from playwright.async_api import BrowserContext, Page, expect

from app.core.database import Database
from app.core.secrets import Vault
from app.domain.accounts.roles import Role
from app.domain.notices.render import render, sample_values
from app.domain.notices.samples import SAMPLES
from app.domain.notices.send import send_mail
from app.domain.notices.shipped import shipped_source
from app.drivers.errors import Refused, Unreachable
from app.routes.security.visit import SESSION_COOKIE
from tests.chromium import WATCH, Contexts
from tests.notices.letters import PASSWORD, SENDER, StubMailer, make_mail
from tests.notices.site import signed_in

SIZES = {"desk": (1280, 900), "phone": (390, 844)}
# Where pictures go for a person to look at; nowhere unless asked.
PICTURES = os.environ.get("SLIPWAY_PICTURES")


async def picture(page: Page, name: str) -> None:
    if PICTURES:
        await page.screenshot(path=Path(PICTURES) / f"{name}.png", full_page=True)


async def enter(
    contexts: Contexts, database: Database, address: str, size: str, theme: str, role: Role
) -> BrowserContext:
    _, token = await signed_in(database, role)
    width, height = SIZES[size]
    context = await contexts(
        viewport={"width": width, "height": height},
        color_scheme=theme,
        reduced_motion="reduce",
        base_url=address,
    )
    await context.add_cookies([{"name": SESSION_COOKIE, "value": token, "url": address}])
    await context.add_init_script(WATCH)
    return context


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_mails_hold_on_every_screen(contexts: Contexts, size: str, theme: str) -> None:
    width, height = SIZES[size]
    context = await contexts(viewport={"width": width, "height": height}, color_scheme=theme)
    page = await context.new_page()
    for code, samples in SAMPLES.items():
        for number, label in enumerate(samples):
            html = render(code, shipped_source(code), sample_values(code)[label]).html
            await page.set_content(html)
            spill = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert spill <= 0, (code, label)
            background = await page.evaluate("getComputedStyle(document.body).backgroundColor")
            ink = await page.evaluate("getComputedStyle(document.querySelector('h1')).color")
            dark = (background, ink) == ("rgb(10, 16, 20)", "rgb(230, 237, 241)")
            assert dark == (theme == "dark"), (code, background, ink)
            await picture(page, f"mail-{code}-{number}-{size}-{theme}")


@pytest.mark.parametrize(("size", "theme"), [("desk", "light"), ("phone", "dark")])
async def test_a_mail_is_shown_behind_glass(
    contexts: Contexts, database: Database, vault: Vault, address: str, size: str, theme: str
) -> None:
    mailer = StubMailer()
    sent = await make_mail(database, vault, key="1")
    await send_mail(database, vault, mailer, sent, sender=SENDER)
    waiting = await make_mail(database, vault, key="2", code="payment-received")
    mailer.answer = Unreachable("127.0.0.1:25", "connection refused")
    with pytest.raises(Unreachable):
        await send_mail(database, vault, mailer, waiting, sender=SENDER)
    refused = await make_mail(database, vault, key="3", code="order-received")
    mailer.answer = Refused("mail", field="to", reason="550 5.1.1 no such mailbox")
    await send_mail(database, vault, mailer, refused, sender=SENDER)

    context = await enter(contexts, database, address, size, theme, Role.OPERATOR)
    page = await context.new_page()
    await page.goto("/admin/mails")
    await expect(page.locator("tbody tr")).to_have_count(3)
    await picture(page, f"list-{size}-{theme}")
    await page.goto(f"/admin/mails/{refused}")
    await expect(page.get_by_text("550 5.1.1 no such mailbox")).to_be_visible()
    await picture(page, f"refused-{size}-{theme}")
    await page.goto(f"/admin/mails/{sent}")
    await picture(page, f"closed-{size}-{theme}")
    await page.get_by_role("link", name="Open the mail").click()
    inner = page.frame_locator("iframe")
    await expect(inner.get_by_text(PASSWORD)).to_be_visible()
    color = await inner.locator(".button").evaluate("one => getComputedStyle(one).backgroundColor")
    assert color == ("rgb(10, 102, 120)" if theme == "light" else "rgb(92, 200, 216)")
    await picture(page, f"opened-{size}-{theme}")
    spill = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert spill <= 0
    await page.get_by_role("link", name="Text").click()
    await expect(page.get_by_label("The mail as plain text")).to_have_value(
        vault.open(await sealed_text(database, sent))
    )
    assert await page.evaluate("broken") == []


async def sealed_text(database: Database, mail: object) -> bytes:
    async with database.snapshot() as tx:
        sealed: bytes = await tx.fetchval("SELECT sealed_text FROM mail WHERE id = $1", mail)
    return sealed


@pytest.mark.parametrize(("size", "theme"), [("desk", "light"), ("phone", "dark")])
async def test_the_preview_follows_what_is_typed(
    contexts: Contexts, database: Database, address: str, size: str, theme: str
) -> None:
    context = await enter(contexts, database, address, size, theme, Role.DESIGNER)
    page = await context.new_page()
    await page.goto("/admin/mail-templates")
    await picture(page, f"templates-{size}-{theme}")
    await page.get_by_role("link", name="Service delivered").click()
    inner = page.frame_locator("#template-preview iframe")
    await expect(inner.get_by_text("sample-Kiel-4417-anchor")).to_be_visible()
    await picture(page, f"editor-{size}-{theme}")

    await page.get_by_label("Preview with").select_option("SSH keys, IPv6 only, other port")
    await expect(inner.get_by_text("ssh -p 2222 root@2001:db8:42::1")).to_be_visible()

    html = page.locator("#body_html")
    typed = "<h1>Ahoy {{ name }}</h1>\n<p>{{ hostnme }}</p>"
    await html.fill(typed)
    error = page.locator("#body_html-slot")
    await expect(error).to_contain_text("Line 2: “hostnme” is not known here.")
    await expect(error).to_contain_text("Did you mean “hostname”?")
    assert await html.input_value() == typed
    await picture(page, f"editor-error-{size}-{theme}")

    await html.press("ControlOrMeta+End")
    await html.fill(typed.replace("hostnme", "hostname"))
    await expect(inner.get_by_text("Ahoy Robin Example")).to_be_visible()
    await expect(error).to_be_empty()

    await page.locator("#subject").fill("{{ password }}")
    await expect(page.locator("#subject-slot")).to_contain_text("a subject is not")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("One thing to correct")).to_be_visible()
    assert await page.locator("#body_html").input_value() == typed.replace("hostnme", "hostname")
    await picture(page, f"editor-422-{size}-{theme}")
    await page.locator("#subject").fill("Ahoy")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("The template is in use.")).to_be_visible()
    await page.get_by_role("button", name="Reset to shipped").click()
    await page.get_by_role("button", name="Reset", exact=True).click()
    await expect(page.get_by_text("The shipped template is in use again.")).to_be_visible()
    assert await page.evaluate("broken") == []
    spill = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert spill <= 0
