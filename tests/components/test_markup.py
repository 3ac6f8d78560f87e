"""What holds for the markup of every component: parsed from the gallery's pages."""

from collections import Counter
from html.parser import HTMLParser

import htpy as h
import pytest

from app.components.badge import badge
from app.components.card import card
from app.components.csp import content_security_policy
from app.components.facts import copyable
from app.components.form import Form, error_summary, text_field
from app.components.live import live_region
from app.components.notice import notice
from app.components.table import Column, Row, table
from tests.components.gallery import PAGES


class Reader(HTMLParser):
    """Collects elements with their attributes, and the text inside each script."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.script_text = ""
        self._in_script = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._in_script = tag == "script"

    def handle_data(self, data: str) -> None:
        if self._in_script:
            self.script_text += data

    def handle_endtag(self, tag: str) -> None:
        self._in_script = False


@pytest.fixture(params=list(PAGES))
def page(request: pytest.FixtureRequest) -> Reader:
    return Reader(str(PAGES[request.param]()))


def test_nothing_is_inline(page: Reader) -> None:
    """The policy would block it: style attributes and elements, handlers, script text, js: addresses."""
    assert page.elements
    for tag, attrs in page.elements:
        assert tag != "style"
        assert "style" not in attrs
        assert not [name for name in attrs if name.startswith(("on", "hx-on"))]
        assert not [
            v for v in attrs.values() if v and v.strip().lower().startswith(("javascript:", "js:"))
        ]
    assert page.script_text == ""


def test_every_script_style_and_icon_is_ours_and_hashed(page: Reader) -> None:
    loaded = [a["src"] for tag, a in page.elements if tag == "script"]
    loaded += [a["href"] for tag, a in page.elements if tag in {"link", "use"}]
    assert loaded
    assert all(address and address.startswith("/assets/") for address in loaded)


def test_ids_are_unique_and_references_lead_somewhere(page: Reader) -> None:
    ids = Counter(attrs["id"] for _, attrs in page.elements if "id" in attrs)
    assert [key for key, count in ids.items() if count > 1] == []
    for tag, attrs in page.elements:
        wanted = (attrs.get("aria-describedby") or "").split()
        wanted += (attrs.get("aria-labelledby") or "").split()
        wanted += [attrs["for"] or ""] if tag == "label" and "for" in attrs else []
        wanted += [attrs["data-dialog-open"] or ""] if "data-dialog-open" in attrs else []
        if tag == "a" and (attrs.get("href") or "").startswith("#"):
            wanted.append((attrs["href"] or "")[1:])
        assert [key for key in wanted if key not in ids] == []


def test_every_posting_form_carries_its_token(page: Reader) -> None:
    forms = [attrs for tag, attrs in page.elements if tag == "form"]
    tokens = [attrs for _, attrs in page.elements if attrs.get("name") == "_csrf_token"]
    assert all(attrs.get("method") == "post" for attrs in forms)
    assert len(tokens) == len(forms)
    assert {attrs["value"] for attrs in tokens} <= {"t0ken"}


EVIL = "\"><script>alert(1)</script><i x='"


@pytest.mark.parametrize(
    "element",
    [
        badge(EVIL),
        card(EVIL, title=EVIL, lede=EVIL, footer=EVIL),
        copyable(EVIL, label=EVIL),
        error_summary(Form(errors={EVIL: EVIL}), {EVIL: EVIL}),
        live_region(EVIL, EVIL)[EVIL],
        notice("danger", EVIL, EVIL),
        table([Column(EVIL)], [Row(cells=[EVIL], href=EVIL, id_=EVIL)], caption=EVIL),
        text_field(
            Form(values={"n": EVIL}, errors={"n": EVIL}), "n", EVIL, help_=EVIL, placeholder=EVIL
        ),
    ],
)
def test_hostile_text_stays_text(element: h.Element) -> None:
    tags = {tag for tag, _ in Reader(str(element)).elements}
    assert not tags & {"script", "i"}
    assert "&lt;script&gt;" in str(element)


def test_policy_allows_a_gateway_only_where_it_is_asked_for() -> None:
    strict = content_security_policy()
    assert "unsafe" not in strict
    assert "https" not in strict
    pay = content_security_policy(
        extra_script=("https://js.example.org",),
        extra_frame=("https://js.example.org",),
        extra_connect=("https://api.example.org",),
    )
    assert "script-src 'self' https://js.example.org;" in pay
    assert "frame-src 'self' https://js.example.org;" in pay
    assert "connect-src 'self' https://api.example.org;" in pay
    assert "style-src 'self';" in pay
