"""What switching a server, virtual machine or game server is called, for clients and staff."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.components.icon import IconName
from app.domain.machines.errand import Deed
from app.domain.machines.order_power import Switching
from app.drivers.power import Power


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """What a deed is called, and what is said before, while and after it is done."""

    label: str
    doing: str
    done: str = ""
    symbol: IconName
    title: str = ""
    text: str = ""
    game_text: str = ""
    server_text: str = ""

    def words(self, switching: Switching) -> str:
        of_kind = (self.game_text if switching.is_game else "") or (
            self.server_text if switching.is_server else ""
        )
        return of_kind or self.text


SWITCHES: Mapping[Deed, Switch] = {
    Deed.start: Switch(
        label="Start", doing="It is being started", done="It was started", symbol="play"
    ),
    Deed.stop: Switch(
        label="Shut down",
        doing="It is being shut down",
        done="It was shut down",
        symbol="power",
        title="Shut it down?",
        text="Its system is asked to shut down; if it still runs after a minute, it is switched "
        "off hard. It stays off until you start it.",
        game_text="The game is asked to save and stop; if it still runs after a minute, it is "
        "ended. Players cannot connect until you start it.",
        server_text="Its system is asked to shut down; if it still runs after five minutes, its "
        "power is taken away. It stays off until you start it.",
    ),
    Deed.restart: Switch(
        label="Restart",
        doing="It is being restarted",
        done="It was restarted",
        symbol="rotate-ccw",
        title="Restart it?",
        text="Its system is asked to shut down, is switched off hard if it does not within a "
        "minute, and starts again.",
        game_text="The game is asked to save and stop, and starts again. Players are disconnected.",
        server_text="Its system is asked to shut down, loses its power if it does not within five "
        "minutes, and starts again. One that hangs is sooner back by a reset.",
    ),
    Deed.reset: Switch(
        label="Reset",
        doing="It is being reset",
        done="It was reset",
        symbol="zap",
        title="Press its reset button?",
        text="Its system is not asked: what it has not written to its disks is lost. For one that "
        "does not answer any more.",
    ),
    Deed.kill: Switch(
        label="Kill",
        doing="It is being ended",
        symbol="zap",
        title="End it at once?",
        text="It is not asked to save: what players did since the last save is lost.",
    ),
    Deed.eject: Switch(
        label="Take the ISO out",
        doing="The ISO is being taken out",
        symbol="arrow-up",
        title="Take the ISO out of its drive?",
        text="Do it once its system is installed: from then on it starts from its disk alone. What "
        "runs on it goes on. The ISO comes back when it is installed anew.",
    ),
}


def untouched_words(power: Power | None, switching: Switching) -> str:
    """Say of a server that was told nothing how it is, as far as that is known; "" of others."""
    if not switching.is_untouched:
        return ""
    return f" Nothing was done to it{as_it_was(power)}."


def as_it_was(power: Power | None) -> str:
    """Return `: it runs as before`, or is off; "" where that is not known."""
    match power:
        case Power.ON:
            return ": it runs as before"
        case Power.OFF:
            return ": it is off as before"
        case _:
            return ""
