"""What staff switch a server with, and the page that asks whether they mean it."""

from collections.abc import Sequence

import htpy as h

from app.components.admin.dcim import SERVERS
from app.components.admin.decide import decide_page
from app.components.badge import state_badge
from app.components.button import link_button
from app.components.form import Form
from app.components.frame import PageFrame
from app.components.notice import notice
from app.components.switch_words import SWITCHES, untouched_words
from app.components.time import moment
from app.domain.inventory.views import ServerView
from app.domain.machines.errand import Deed
from app.domain.machines.order_power import Switching
from app.drivers.power import Power

PART = "switch"
_OFF = (Deed.start,)
_ON = (Deed.stop, Deed.restart, Deed.reset)


def switch_ways(server: ServerView, switching: Switching) -> h.Node:
    """Return the ways to switch it, or what is being done; None where none is open now."""
    if switching.doing is not None:
        doing = h.p(".sw-quiet", role="status")[f"{SWITCHES[switching.doing].doing} …"]
        return h.fragment[doing, _ways(server, (Deed.reset,)) if switching.can_reset else None]
    if not switching.can_switch:
        return h.p(".sw-quiet")[switching.why_not] if switching.why_not else None
    return _ways(server, {Power.OFF: _OFF, Power.ON: _ON}.get(server.power, (*_OFF, *_ON)))


def _ways(server: ServerView, deeds: Sequence[Deed]) -> h.Element:
    return h.div(".sw-actions")[
        [
            link_button(
                SWITCHES[deed].label,
                f"{SERVERS}/{server.id}/{PART}/{deed}",
                symbol=SWITCHES[deed].symbol,
                size="small",
            )
            for deed in deeds
        ]
    ]


def switch_failed(server: ServerView, switching: Switching) -> h.Element | None:
    """Say in the peer's words why the last click came to nothing, while that is news."""
    if switching.failed is None or switching.failed_at is None or switching.doing is not None:
        return None
    return notice(
        "warning",
        f"{SWITCHES[switching.failed].label}: it could not be done",
        switching.failed_why,
        " Given up ",
        moment(switching.failed_at),
        ".",
        untouched_words(server.power, switching),
    )


def switch_page(server: ServerView, deed: Deed, form: Form, *, frame: PageFrame) -> h.Element:
    """Return the question; whose server it is stands in it."""
    label, here = SWITCHES[deed].label, f"{SERVERS}/{server.id}"
    return decide_page(
        f"{label}: {server.name}",
        about=[
            h.p[_whose(server)],
            h.p[SWITCHES[deed].words(Switching(is_server=True))],
            h.p(".sw-quiet")["Power: ", state_badge(server.power)],
        ],
        form=form,
        action=f"{here}/{PART}/{deed}",
        confirm=label,
        back=(server.name, here),
        frame=frame,
        active="servers",
        weight="primary" if deed is Deed.start else "danger",
    )


def _whose(server: ServerView) -> str:
    if server.service_id is None:
        return "Nobody has it."
    return f"It is {server.hostname} of {server.account_email}."
