"""One mail: what became of it, and its body behind glass."""

from typing import Literal

import htpy as h

from app.components.admin.mail_list import MAILS, mail_badge
from app.components.button import link_button
from app.components.card import card, split, stack
from app.components.confirm import confirm_button
from app.components.empty import empty
from app.components.facts import code, facts
from app.components.frame import PageFrame
from app.components.live import live_region
from app.components.nav import Tab, tabs
from app.components.notice import notice
from app.components.page import admin_page, page_head
from app.components.time import moment
from app.domain.notices.states import MailState
from app.domain.notices.views import MailView

View = Literal["none", "html", "text"]

# The frame's own policy is in its answer's headers; this is the second lock.
SANDBOX = "allow-popups allow-popups-to-escape-sandbox"


def mail_page(
    mail: MailView,
    *,
    view: View,
    text: str,
    may_open: bool,
    may_send: bool,
    frame: PageFrame,
) -> h.Element:
    """Return the page of a mail; `text` is its plain text where `view` is "text"."""
    again = (
        confirm_button(
            "Send again",
            id_="send-again",
            title="Send this mail again?",
            text=f"{mail.recipient} gets it once more, as it was made. It is tried at once.",
            action=f"{MAILS}/{mail.id}/send-again",
            csrf=frame.csrf,
            confirm="Send again",
            weight="primary",
            symbol="refresh-cw",
        )
        if may_send and mail.state is not MailState.queued
        else None
    )
    return admin_page(
        mail.subject,
        page_head(
            mail.subject,
            eyebrow=h.a(href=MAILS)["Mail"],
            lede=f"To {mail.recipient}",
            actions=again,
        ),
        split(_body(mail, view, text, may_open=may_open), mail_state(mail)),
        frame=frame,
        active="mail",
    )


def mail_state(mail: MailView) -> h.Element:
    """Return what became of the mail; it keeps itself current."""
    return live_region(f"mail:{mail.id}", f"{MAILS}/{mail.id}/state", id_="mail-state")[
        stack(_trouble(mail), card(facts(_facts(mail)), title="Delivery"))
    ]


def _trouble(mail: MailView) -> h.Element | None:
    if mail.state is MailState.refused:
        return notice(
            "danger",
            "The mail server refused it",
            h.p[mail.error],
            h.p["Correct what it names, then send the mail again."],
        )
    if mail.error:
        return notice(
            "warning",
            "It could not be handed over yet",
            h.p[mail.error],
            h.p["It is tried again by itself until the mail server takes it."],
        )
    return None


def _facts(mail: MailView) -> list[tuple[str, h.Node]]:
    order = (
        h.a(href=f"/admin/orders/{mail.order}")[f"Order {mail.order_number}"]
        if mail.order_number is not None
        else "none"
    )
    pairs: list[tuple[str, h.Node]] = [
        ("State", mail_badge(mail.state)),
        ("Template", mail.template),
        ("Order", order),
        ("Made", moment(mail.created_at)),
        ("Sent", moment(mail.sent_at) if mail.sent_at else "not yet"),
        ("Tries", str(mail.attempts)),
    ]
    if mail.state is MailState.queued and mail.next_try_at is not None:
        pairs.append(("Next try", moment(mail.next_try_at)))
    return [*pairs, ("Reference", code(str(mail.id)))]


def _body(mail: MailView, view: View, text: str, *, may_open: bool) -> h.Element:
    here = f"{MAILS}/{mail.id}"
    if not may_open:
        return card(
            empty(
                "lock",
                "The body is closed to you",
                "It carries a client's credentials. A role that manages services can open it.",
            )
        )
    if view == "none":
        return card(
            empty(
                "key-round",
                "This mail carries credentials",
                "Opening it is put on record with your name.",
                link_button("Open the mail", f"{here}?view=html", symbol="eye"),
            )
        )
    shown: h.Node
    if view == "html":
        shown = mail_frame(f"{here}/body", title="The mail as it looks", height=860)
    else:
        shown = text_pane(text)
    bar = tabs(
        [Tab("HTML", f"{here}?view=html"), Tab("Text", f"{here}?view=text")],
        f"{here}?view={view}",
        label="Parts of the mail",
    )
    return h.div(".sw-stack")[bar, card(shown, flush=view == "html")]


def mail_frame(src: str, *, title: str, height: int) -> h.Element:
    """Return the frame in which a mail's HTML is shown, apart from the page and its session."""
    frame = h.iframe(
        src=src,
        title=title,
        sandbox=SANDBOX,
        referrerpolicy="no-referrer",
        width="100%",
        height=str(height),
        frameborder="0",
    )
    return h.div(".sw-stack")[frame]


def text_pane(text: str) -> h.Element:
    """Return plain text, wrapped and selectable, as a text-only mail client shows it."""
    return h.textarea(
        ".form-control.sw-mono",
        readonly=True,
        rows=str(min(max(text.count("\n") + 2, 6), 60)),
        aria_label="The mail as plain text",
        spellcheck="false",
    )["\n" + text]
