"""The list of mails."""

from collections.abc import Mapping
from urllib.parse import urlencode

import htpy as h

from app.components.badge import badge
from app.components.button import link_button, submit_button
from app.components.card import card, stack
from app.components.empty import empty
from app.components.frame import PageFrame
from app.components.live import live_region
from app.components.nav import Tab, tabs
from app.components.page import admin_page, page_head
from app.components.pagination import pagination
from app.components.table import Column, Row, table
from app.components.time import moment
from app.components.tone import Tone
from app.domain.notices.states import MailState
from app.domain.notices.views import MailFilter, MailPage, MailView

MAILS = "/admin/mails"
TEMPLATES = "/admin/mail-templates"

TONES: dict[MailState, Tone] = {
    MailState.queued: "info",
    MailState.sent: "success",
    MailState.refused: "danger",
}

_COLUMNS = (
    Column("Subject"),
    Column("To"),
    Column("Order", figures=True, narrow=True),
    Column("State", narrow=True),
    Column("Made", narrow=True),
)


def mails_page(
    found: MailPage, counts: Mapping[MailState, int], wanted: MailFilter, *, frame: PageFrame
) -> h.Element:
    """Return the list with its tabs by state and its search."""
    links = [Tab("All", _address(wanted, state=None), sum(counts.values()))]
    links += [
        Tab(state.value.capitalize(), _address(wanted, state=state), counts[state])
        for state in (MailState.refused, MailState.queued, MailState.sent)
    ]
    search = h.form(".sw-form", method="get", action=MAILS, role="search")[
        h.input(type="hidden", name="state", value=wanted.state) if wanted.state else None,
        h.div(".sw-actions")[
            h.div(".sw-affixed")[
                h.input(
                    ".form-control",
                    type="search",
                    name="search",
                    value=wanted.search,
                    size="32",
                    placeholder="Recipient, subject or order number",
                    aria_label="Search by recipient, subject or order number",
                )
            ],
            submit_button("Search", weight="plain", symbol="search"),
        ],
    ]
    return admin_page(
        "Mail",
        page_head(
            "Mail",
            lede="Every mail that was made, kept sealed. Refused and waiting ones come first.",
            actions=link_button("Templates", TEMPLATES, symbol="pencil"),
        ),
        stack(
            tabs(links, _address(wanted, state=wanted.state), label="Mails by state"),
            search,
            mails_region(found, wanted),
        ),
        frame=frame,
        active="mail",
    )


def mails_region(found: MailPage, wanted: MailFilter) -> h.Element:
    """Return the table, which keeps itself current."""
    url = _address(wanted, state=wanted.state, page=found.page, path=f"{MAILS}/list")
    return live_region("mails", url, id_="mails")[
        card(
            table(
                _COLUMNS,
                [_row(mail) for mail in found.mails],
                caption="Mails",
                empty=empty("mail", "No mail here", "Mails appear as orders are placed."),
            ),
            flush=True,
        ),
        pagination(
            page=found.page,
            page_count=found.page_count,
            href=lambda page: _address(wanted, state=wanted.state, page=page),
        ),
    ]


def mail_badge(state: MailState) -> h.Element:
    return badge(state.value.capitalize(), TONES[state], moving=state is MailState.queued)


def _row(mail: MailView) -> Row:
    order = (
        h.a(href=f"/admin/orders/{mail.order}")[str(mail.order_number)]
        if mail.order_number is not None
        else "–"
    )
    return Row(
        cells=(
            mail.subject,
            mail.recipient,
            order,
            mail_badge(mail.state),
            moment(mail.created_at),
        ),
        href=f"{MAILS}/{mail.id}",
        id_=f"mail-{mail.id}",
        marked=mail.state is MailState.refused or bool(mail.error),
    )


def _address(
    wanted: MailFilter, *, state: MailState | None, page: int = 1, path: str = MAILS
) -> str:
    query = {
        "state": state.value if state else "",
        "code": wanted.code,
        "order": str(wanted.order or ""),
        "search": wanted.search,
        "page": str(page) if page > 1 else "",
    }
    words = urlencode({name: value for name, value in query.items() if value})
    return f"{path}?{words}" if words else path
