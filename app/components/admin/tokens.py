"""API tokens of a member of staff: made, shown once, listed, revoked."""

from collections.abc import Sequence
from datetime import datetime

import htpy as h

from app.components.badge import badge
from app.components.button import link_button, submit_button
from app.components.card import card, split, stack
from app.components.choice import Option, checkbox_cards, select_field
from app.components.confirm import confirm_button
from app.components.empty import empty
from app.components.facts import code, copyable
from app.components.form import Form, form_element, text_field
from app.components.frame import PageFrame
from app.components.notice import notice
from app.components.page import admin_page, page_head
from app.components.table import Column, Row, table
from app.components.time import moment
from app.domain.accounts.api_tokens import MadeToken, TokenView
from app.domain.accounts.scopes import WORDS, Scope

TOKENS = "/admin/tokens"
LIVES = {"30": "30 days", "90": "90 days", "365": "One year", "": "Until it is revoked"}
USUAL_LIFE = "90"

_COLUMNS = (
    Column("Name"),
    Column("Scopes"),
    Column("Expires", narrow=True),
    Column("Last used", narrow=True),
    Column("Revoke", narrow=True, hidden_label=True),
)
_LABELS = {"name": "Name", "scopes": "Scopes", "lives": "Holds for"}


def tokens_page(
    tokens: Sequence[TokenView],
    *,
    scopes: Sequence[Scope],
    form: Form,
    frame: PageFrame,
    now: datetime,
    made: MadeToken | None = None,
) -> h.Element:
    """Return the page; `scopes` are those of the owner's role, `made` the token of this answer."""
    return admin_page(
        "API tokens",
        page_head(
            "API tokens",
            lede="A program with a token acts for you, within its scopes and your role.",
            actions=link_button("API documentation", "/admin/api"),
        ),
        stack(
            _made(made) if made else None,
            split(
                card(
                    table(
                        _COLUMNS,
                        [_row(one, now, frame.csrf) for one in tokens],
                        caption="Your API tokens",
                        empty=empty("key-round", "No tokens yet", "Make one for each program."),
                    ),
                    title="Your tokens",
                    flush=True,
                ),
                _maker(scopes, form),
            ),
        ),
        frame=frame,
        active="tokens",
    )


def _made(made: MadeToken) -> h.Element:
    return notice(
        "success",
        f"The token {made.view.name} is made",
        h.p[copyable(made.secret, label="Copy the token")],
        h.p["Copy it now: it is not shown again, and nobody can look it up."],
    )


def _row(token: TokenView, now: datetime, csrf: str) -> Row:
    return Row(
        cells=(
            h.div[token.name, h.div(".sw-help.text-nowrap")[code(f"{token.prefix}…")]],
            h.span[[[badge(scope, dot=False), " "] for scope in token.scopes]],
            moment(token.expires_at) if token.expires_at else "never",
            moment(token.last_used_at) if token.last_used_at else "never",
            _end(token, now, csrf),
        ),
        id_=f"token-{token.id}",
    )


def _end(token: TokenView, now: datetime, csrf: str) -> h.Node:
    if token.revoked_at is not None:
        return badge("Revoked")
    if not token.is_live(now):
        return badge("Expired")
    return confirm_button(
        "Revoke",
        id_=f"revoke-{token.id}",
        title=f"Revoke {token.name}?",
        text="Programs that use it are refused from now on.",
        action=f"{TOKENS}/{token.id}/revoke",
        csrf=csrf,
        confirm="Revoke token",
        small=True,
    )


def _maker(scopes: Sequence[Scope], form: Form) -> h.Element:
    return card(
        form_element(
            form,
            TOKENS,
            stack(
                text_field(
                    form, "name", "Name", help_="The program that will use it.", autocomplete="off"
                ),
                checkbox_cards(
                    form,
                    "scopes",
                    "Scopes",
                    [
                        Option(value=scope.value, label=scope.value, detail=WORDS[scope])
                        for scope in scopes
                    ],
                ),
                select_field(
                    form,
                    "lives",
                    "Holds for",
                    [Option(value=days, label=words) for days, words in LIVES.items()],
                    value=USUAL_LIFE,
                ),
                h.div(".sw-actions")[submit_button("Make token", busy="Making…", symbol="plus")],
            ),
            labels=_LABELS,
        ),
        title="Make a token",
        symbol="key-round",
    )
