"""The shipped templates: they render, say the same twice, and bring their own styles."""

import re
from html.parser import HTMLParser
from typing import Any

import pytest

from app.core.database import Database
from app.domain.notices.render import Rendered, check_source, render, sample_values
from app.domain.notices.samples import SAMPLES
from app.domain.notices.shipped import NAMES, install_templates, shipped_source
from app.domain.notices.values import VALUES, BadValues, complete, names_of
from tests.notices.letters import PASSWORD, delivered

CASES = [(code, label) for code, samples in SAMPLES.items() for label in samples]


class Words(HTMLParser):
    """The words that a reader of the HTML sees."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.skip = 0

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        hidden = tag in {"style", "title"} or ("class", "preheader") in attrs
        if hidden or (self.skip and tag == "div"):
            self.skip += 1

    def handle_endtag(self, tag: str) -> None:
        if self.skip and tag in {"style", "title", "div"}:
            self.skip -= 1

    def handle_data(self, data: str) -> None:
        if not self.skip:
            self.words.append(data)


def seen(mail: Rendered) -> str:
    reader = Words()
    reader.feed(mail.html)
    return " ".join(" ".join(reader.words).split())


def leaves(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [leaf for one in value.values() for leaf in leaves(one)]
    if isinstance(value, list):
        return [leaf for one in value for leaf in leaves(one)]
    return [str(value)] if value not in ("", None) else []


def test_every_code_has_values_a_name_and_samples() -> None:
    assert set(NAMES) == set(VALUES) == set(SAMPLES)


@pytest.mark.parametrize("code", NAMES)
def test_shipped_template_has_no_problem(code: str) -> None:
    assert check_source(code, shipped_source(code)) == {}


@pytest.mark.parametrize(("code", "label"), CASES)
def test_text_and_html_say_the_same(code: str, label: str) -> None:
    values = sample_values(code)[label]
    mail = render(code, shipped_source(code), values)
    html, text = seen(mail), " ".join(mail.text.split())
    facts = [" ".join(leaf.split()) for leaf in leaves(values)]
    for fact in facts:
        if fact != values["portal_url"]:  # in the HTML it may be a link's address only
            assert (fact in html) == (fact in text), fact
    # Whatever the mail is about is in both of them.
    assert sum(fact in text for fact in facts) >= len(facts) - 1
    assert values["portal_url"] not in text or values["portal_url"] in mail.html


@pytest.mark.parametrize(("code", "label"), CASES)
def test_styles_are_within_and_nothing_is_fetched(code: str, label: str) -> None:
    html = render(code, shipped_source(code), sample_values(code)[label]).html
    assert "<h1 style=" in html
    assert "prefers-color-scheme: dark" in html
    assert "<img" not in html
    assert not re.search(r"<link|@import|url\(|src=", html)
    assert all(url.startswith("https://") for url in re.findall(r'href="([^"]*)"', html))


def test_delivery_mail_lets_the_client_in() -> None:
    mail = render(
        "service-delivered", shipped_source("service-delivered"), delivered(ssh_port=2222)
    )
    for body in (seen(mail), mail.text):
        for fact in ("203.0.113.24", "2001:db8:42::1", "web1.example.com", "Debian 13", PASSWORD):
            assert fact in body
        assert "ssh -p 2222 root@203.0.113.24" in body
        assert "https://web1.example.com:10000/" in body


def test_delivery_mail_with_keys_names_their_fingerprints_and_no_password() -> None:
    values = sample_values("service-delivered")["SSH keys, IPv6 only, other port"]
    mail = render("service-delivered", shipped_source("service-delivered"), values)
    for body in (seen(mail), mail.text):
        assert "laptop SHA256:9sFm0vJ2m1Yw1tPq0bYw8cC2oLr5xDk3h0a6zUeW4iE" in body
        assert "password" not in body.lower()
        assert "ssh -p 2222 root@2001:db8:42::1" in body


def test_a_panel_named_without_its_scheme_does_not_hold_up_the_mail() -> None:
    values = complete("service-delivered", delivered(panel_url="203.0.113.24:10000"))
    mail = render("service-delivered", shipped_source("service-delivered"), values)
    assert 'href="https://203.0.113.24:10000"' in mail.html


def test_a_clients_words_are_text_in_the_html() -> None:
    values = delivered(name="<b>Ada</b><script>alert(1)</script>", hostname="a&b.example.com")
    html = render("service-delivered", shipped_source("service-delivered"), values).html
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert "a&amp;b.example.com" in html


def test_a_line_end_in_a_value_makes_no_header() -> None:
    values = delivered(hostname="a.example.com\r\nBcc: all@example.com")
    mail = render("service-delivered", shipped_source("service-delivered"), values)
    assert mail.subject == "Your server a.example.com Bcc: all@example.com is ready"


def test_missing_value_is_named() -> None:
    with pytest.raises(BadValues, match="order_number"):
        complete("service-delivered", {"name": "Ada"})
    with pytest.raises(BadValues, match=r"no-such-code.*there is no such template"):
        complete("no-such-code", {})


def test_password_is_no_name_of_the_subject() -> None:
    assert "password" in names_of("service-delivered", "body_text")
    assert "password" not in names_of("service-delivered", "subject")


async def test_installing_keeps_what_an_admin_edited(database: Database) -> None:
    async with database.transaction() as tx:
        assert await install_templates(tx) == len(NAMES)
        await tx.execute("UPDATE mail_template SET subject = 'Mine' WHERE code = 'staff-notice'")
        await tx.execute("DELETE FROM mail_template WHERE code = 'order-refunded'")
    async with database.transaction() as tx:
        assert await install_templates(tx) == 1
        rows = await tx.fetch("SELECT code, subject FROM mail_template")
    subjects = {row["code"]: row["subject"] for row in rows}
    assert set(subjects) == set(NAMES)
    assert subjects["staff-notice"] == "Mine"
    assert subjects["order-refunded"] == shipped_source("order-refunded").subject
