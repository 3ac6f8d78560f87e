"""What switches a client's server, virtual machine or game server, and how far that is."""

import htpy as h

from app.components.button import submit_button
from app.components.confirm import confirm_dialog, opens_dialog
from app.components.form import csrf_field
from app.components.notice import notice
from app.components.switch_words import SWITCHES, untouched_words
from app.components.time import moment
from app.domain.machines.errand import Deed
from app.domain.machines.order_power import Switching
from app.domain.services.states import ServiceState
from app.domain.services.views import ServiceView
from app.drivers.power import Power

ASKED_FIRST = (Deed.stop, Deed.restart, Deed.kill)
OF_MACHINES = (Deed.stop, Deed.restart, Deed.eject)
OF_SERVERS = (Deed.stop, Deed.restart, Deed.reset)


def switches(
    service: ServiceView, switching: Switching, beside: h.Element | None, *, csrf: str
) -> h.Element | h.Fragment | None:
    """Return the buttons that fit its power, and what is `beside` them; None where none do."""
    if not _can_switch(service, switching):
        is_told = switching.why_not and service.state is ServiceState.active
        return h.p(".sw-quiet")[switching.why_not] if is_told else None
    if switching.doing is not None:
        doing = SWITCHES.get(switching.doing)
        words = doing.doing if doing else "It is being worked on"
        told = h.p(".sw-quiet", role="status")[f"{words} …"]
        return h.fragment[told, _only_reset()] if switching.can_reset else told
    here = f"/services/{service.id}/power"
    buttons: list[h.Node] = []
    if service.power is not Power.ON:
        start = SWITCHES[Deed.start]
        buttons.append(
            h.form(method="post", action=f"{here}/{Deed.start}")[
                csrf_field(csrf), submit_button(start.label, weight="plain", symbol=start.symbol)
            ]
        )
    buttons += [
        opens_dialog(SWITCHES[deed].label, f"power-{deed}", symbol=SWITCHES[deed].symbol)
        for deed in _asked_first(switching)
        if service.power is not Power.OFF or deed is Deed.eject
    ]
    return h.div(".sw-actions")[buttons, beside]


def _only_reset() -> h.Element:
    """Return the way past a system that does not stop."""
    reset = SWITCHES[Deed.reset]
    return h.div(".sw-actions")[
        opens_dialog(reset.label, f"power-{Deed.reset}", symbol=reset.symbol)
    ]


def switch_dialogs(service: ServiceView, switching: Switching, *, csrf: str) -> h.Node:
    """Return the questions that the buttons open; they stay while the region changes."""
    # A server has no buttons while a flow is at it; they come back with the region alone.
    if not (_can_switch(service, switching) or switching.is_server):
        return None
    return h.fragment[
        [
            confirm_dialog(
                id_=f"power-{deed}",
                title=SWITCHES[deed].title,
                text=SWITCHES[deed].words(switching),
                action=f"/services/{service.id}/power/{deed}",
                csrf=csrf,
                confirm=SWITCHES[deed].label,
            )
            for deed in _dialogs(switching)
        ]
    ]


def just_done(switching: Switching) -> h.Element | None:
    """Say what was done to it lately; None while something is being done."""
    if switching.done is None or switching.done_at is None or switching.doing is not None:
        return None
    if switching.off_by_staff_at is not None:
        return None
    return h.p(".sw-quiet")[f"{SWITCHES[switching.done].done} ", moment(switching.done_at), "."]


def switched_off(service: ServiceView, switching: Switching) -> h.Element | None:
    """Say that it is off because the provider, and not its client, had it shut down."""
    at = switching.off_by_staff_at
    if at is None or switching.doing is not None or service.state is not ServiceState.active:
        return None
    return h.div(".sw-after")[
        notice(
            "info",
            "We have shut it down",
            "It is off since ",
            moment(at),
            ". You can start it again; write to us to learn why it was done.",
        )
    ]


def not_switched(service: ServiceView, switching: Switching) -> h.Element | None:
    """Say that the last click came to nothing; None while another one is under way."""
    failed = switching.failed and SWITCHES.get(switching.failed)
    if not failed or switching.doing is not None or switching.failed_at is None:
        return None
    return h.div(".sw-after")[
        notice(
            "warning",
            f"{failed.label}: it could not be done",
            "It was given up ",
            moment(switching.failed_at),
            ".",
            untouched_words(service.power, switching),
            " Try again; if it fails once more, write to us.",
        )
    ]


def _dialogs(switching: Switching) -> tuple[Deed, ...]:
    if switching.is_server:
        return OF_SERVERS
    return ASKED_FIRST if switching.is_game else OF_MACHINES


def _asked_first(switching: Switching) -> tuple[Deed, ...]:
    deeds = _dialogs(switching)
    if deeds is OF_MACHINES and not switching.has_iso:
        return OF_MACHINES[:-1]
    return deeds


def _can_switch(service: ServiceView, switching: Switching) -> bool:
    return switching.can_switch and service.state is ServiceState.active
