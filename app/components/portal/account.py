"""The account page: particulars, password, SSH keys, signed-in browsers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import htpy as h

from app.components.badge import badge
from app.components.button import submit_button
from app.components.card import card, split, stack
from app.components.confirm import confirm_button
from app.components.empty import empty
from app.components.facts import code
from app.components.form import Form, form_element, password_field, text_field, textarea_field
from app.components.frame import PageFrame
from app.components.page import page_head, portal_page
from app.components.portal.sign_up import SIGN_UP_LABELS, country_field
from app.components.table import Column, Row, table
from app.components.time import moment
from app.domain.accounts.views import AccountView, BrowserView, SshKeyView

# In this order: Edge and Opera call themselves Chrome, too, and Chrome calls itself Safari.
_BROWSERS = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
)
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountForms:
    """The three forms of the page; each keeps what was typed into it."""

    details: Form = field(default_factory=Form)
    password: Form = field(default_factory=Form)
    ssh_key: Form = field(default_factory=Form)


def account_page(
    account: AccountView,
    *,
    keys: Sequence[SshKeyView],
    browsers: Sequence[BrowserView],
    this_browser: UUID,
    countries: Mapping[str, str],
    forms: AccountForms,
    frame: PageFrame,
) -> h.Element:
    """Return the page; `this_browser` is the session that looks at it."""
    return portal_page(
        "Account",
        page_head("Account", lede=f"Signed in as {account.email}"),
        split(
            stack(
                _details(account, forms.details, countries),
                _keys(keys, forms.ssh_key),
            ),
            stack(
                _password(forms.password),
                _browsers(browsers, this_browser, frame),
            ),
        ),
        frame=frame,
        active="account",
    )


def _details(account: AccountView, form: Form, countries: Mapping[str, str]) -> h.Element:
    kept = {"name": account.name, "company": account.company, "country": account.country}
    shown = Form(
        values={**kept, **form.values}, errors=form.errors, csrf=form.csrf, prefix=form.prefix
    )
    return card(
        form_element(
            shown,
            "/account/details",
            text_field(shown, "name", SIGN_UP_LABELS["name"], autocomplete="name"),
            text_field(
                shown,
                "company",
                SIGN_UP_LABELS["company"],
                autocomplete="organization",
                optional=True,
            ),
            country_field(shown, countries),
            h.div(".sw-actions")[submit_button("Save", busy="Saving…")],
            labels=SIGN_UP_LABELS,
        ),
        title="Your details",
        lede="Written on the next invoices; those already issued stay as they are.",
        symbol="user",
    )


def _password(form: Form) -> h.Element:
    return card(
        form_element(
            form,
            "/account/password",
            password_field(form, "current", "Present password", new=False),
            password_field(form, "new", "New password", new=True, help_="At least 10 characters."),
            h.div(".sw-actions")[submit_button("Change password", busy="Changing…")],
            labels={"current": "Present password", "new": "New password"},
        ),
        title="Password",
        lede="Every other browser is signed out.",
        symbol="lock",
    )


def _keys(keys: Sequence[SshKeyView], form: Form) -> h.Element:
    rows = [
        Row(
            cells=(
                key.name,
                code(key.fingerprint),
                moment(key.created_at),
                confirm_button(
                    "Remove",
                    id_=f"remove-{key.id}",
                    title=f"Remove {key.name}?",
                    text="Servers that were installed with this key keep it.",
                    action=f"/account/ssh-keys/{key.id}/remove",
                    csrf=form.csrf,
                    confirm="Remove key",
                    small=True,
                ),
            )
        )
        for key in keys
    ]
    columns = (
        Column("Name"),
        Column("Fingerprint"),
        Column("Added"),
        Column("Remove", narrow=True, hidden_label=True),
    )
    return card(
        stack(
            table(
                columns,
                rows,
                caption="Your SSH keys",
                empty=empty(
                    "key-round",
                    "No SSH keys yet",
                    "Add one, and choose it when you order a server.",
                ),
            ),
            form_element(
                form,
                "/account/ssh-keys",
                textarea_field(
                    form,
                    "public_key",
                    "Public key",
                    rows=3,
                    mono=True,
                    placeholder="ssh-ed25519 AAAA…",
                    help_="One line, as in ~/.ssh/id_ed25519.pub.",
                ),
                text_field(
                    form,
                    "name",
                    "Name",
                    optional=True,
                    help_="Without one, the comment at the end of the key.",
                ),
                h.div(".sw-actions")[submit_button("Add key", busy="Adding…", symbol="plus")],
                labels={"public_key": "Public key", "name": "Name"},
            ),
        ),
        title="SSH keys",
        symbol="key-round",
    )


def _browsers(browsers: Sequence[BrowserView], here: UUID, frame: PageFrame) -> h.Element:
    rows = [
        Row(
            cells=(
                h.div(title=browser.agent)[
                    browser_name(browser.agent),
                    [" ", badge("this one", tone="success")] if browser.id == here else None,
                    h.div(".sw-help")[browser.address],
                ],
                moment(browser.seen_at),
            )
        )
        for browser in browsers
    ]
    return card(
        table(
            (Column("Browser"), Column("Last used")),
            rows,
            caption="Signed-in browsers",
        ),
        title="Signed-in browsers",
        symbol="monitor",
        footer=confirm_button(
            "Sign out everywhere",
            id_="sign-out-everywhere",
            title="Sign out everywhere?",
            text="Every browser is signed out, this one too.",
            action="/sign-out/everywhere",
            csrf=frame.csrf,
            confirm="Sign out everywhere",
            symbol="log-out",
        ),
    )


def browser_name(agent: str) -> str:
    """Return what people call a browser by its User-Agent: `Firefox on Linux`."""
    browser = next((name for sign, name in _BROWSERS if sign in agent), "Unknown browser")
    system = next((name for sign, name in _SYSTEMS if sign in agent), None)
    return f"{browser} on {system}" if system else browser
