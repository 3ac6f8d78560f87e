"""What switches a client's virtual machine or game server, and how far that is."""

from collections.abc import Mapping
from dataclasses import dataclass

import htpy as h

from app.components.button import submit_button
from app.components.confirm import confirm_dialog, opens_dialog
from app.components.form import csrf_field
from app.components.icon import IconName
from app.components.notice import notice
from app.components.time import moment
from app.domain.machines.errand import Deed
from app.domain.machines.order_power import Switching
from app.domain.services.states import ServiceState
from app.domain.services.views import ServiceView
from app.drivers.power import Power


@dataclass(frozen=True, slots=True, kw_only=True)
class _Switch:
    label: str
    doing: str
    symbol: IconName
    title: str = ""
    text: str = ""
    game_text: str = ""

    def words(self, *, is_game: bool) -> str:
        return self.game_text if is_game and self.game_text else self.text


SWITCHES: Mapping[Deed, _Switch] = {
    Deed.start: _Switch(label="Start", doing="It is being started", symbol="play"),
    Deed.stop: _Switch(
        label="Shut down",
        doing="It is being shut down",
        symbol="power",
        title="Shut it down?",
        text="Its system is asked to shut down; if it still runs after a minute, it is switched "
        "off hard. It stays off until you start it.",
        game_text="The game is asked to save and stop; if it still runs after a minute, it is "
        "ended. Players cannot connect until you start it.",
    ),
    Deed.restart: _Switch(
        label="Restart",
        doing="It is being restarted",
        symbol="rotate-ccw",
        title="Restart it?",
        text="Its system is asked to shut down, is switched off hard if it does not within a "
        "minute, and starts again.",
        game_text="The game is asked to save and stop, and starts again. Players are disconnected.",
    ),
    Deed.kill: _Switch(
        label="Kill",
        doing="It is being ended",
        symbol="zap",
        title="End it at once?",
        text="It is not asked to save: what players did since the last save is lost.",
    ),
    Deed.eject: _Switch(
        label="Take the ISO out",
        doing="The ISO is being taken out",
        symbol="arrow-up",
        title="Take the ISO out of its drive?",
        text="Do it once its system is installed: from then on it starts from its disk alone. What "
        "runs on it goes on. The ISO comes back when it is installed anew.",
    ),
}
ASKED_FIRST = (Deed.stop, Deed.restart, Deed.kill)
OF_MACHINES = (Deed.stop, Deed.restart, Deed.eject)


def switches(
    service: ServiceView, switching: Switching, beside: h.Element | None, *, csrf: str
) -> h.Element | None:
    """Return the buttons that fit its power, and what is `beside` them; None where none do."""
    if not _can_switch(service, switching):
        return None
    if switching.doing is not None:
        doing = SWITCHES.get(switching.doing)
        words = doing.doing if doing else "It is being worked on"
        return h.p(".sw-quiet", role="status")[f"{words} …"]
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


def switch_dialogs(service: ServiceView, switching: Switching, *, csrf: str) -> h.Node:
    """Return the questions that the buttons open; they stay while the region changes."""
    if not _can_switch(service, switching):
        return None
    return h.fragment[
        [
            confirm_dialog(
                id_=f"power-{deed}",
                title=SWITCHES[deed].title,
                text=SWITCHES[deed].words(is_game=switching.is_game),
                action=f"/services/{service.id}/power/{deed}",
                csrf=csrf,
                confirm=SWITCHES[deed].label,
            )
            for deed in (ASKED_FIRST if switching.is_game else OF_MACHINES)
        ]
    ]


def not_switched(switching: Switching) -> h.Element | None:
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
            ". Try again; if it fails once more, write to us.",
        )
    ]


def _asked_first(switching: Switching) -> tuple[Deed, ...]:
    if switching.is_game:
        return ASKED_FIRST
    return OF_MACHINES if switching.has_iso else OF_MACHINES[:-1]


def _can_switch(service: ServiceView, switching: Switching) -> bool:
    return switching.can_switch and service.state is ServiceState.active
