"""What a client can ask for: the server installed anew, or booted into the rescue system."""

from collections.abc import Sequence

import htpy as h

from app.components.button import link_button, submit_button
from app.components.card import card
from app.components.choice import Option, select_field
from app.components.confirm import confirm_dialog, opens_dialog
from app.components.form import Form, form_element, text_field
from app.components.frame import PageFrame
from app.components.live import live_region
from app.components.notice import notice
from app.components.page import page_head, portal_page
from app.components.switch_words import as_it_was
from app.components.time import moment
from app.domain.machines.order_power import Switching
from app.domain.services import untouched
from app.domain.services.ask import Asked, System
from app.domain.services.states import ServiceState
from app.domain.services.views import ServiceView, Work
from app.drivers.deploy.live import Purpose

TYPED = "typed"
DOING = {
    Purpose.INSTALL: "A system is being installed on the server",
    Purpose.RESCUE: "The server is being booted into the rescue system",
}
WANTED = {
    Purpose.INSTALL: "A system is to be installed on the server",
    Purpose.RESCUE: "The server is to be booted into the rescue system",
}
MISSED = {
    Purpose.INSTALL: "No system was installed anew",
    Purpose.RESCUE: "The rescue system was not started",
}
ASKED = {
    Asked.reinstall: "Asked for: a system is installed anew",
    Asked.rescue: "Asked for: the server is booted into the rescue system",
    Asked.unrescue: "Asked for: the server is booted from its disk",
}
_AS_ALWAYS = "Get in as always: the same address, password and keys."
_AT_CLOUD = "Get in as the user rescue, with the password below; keys do not open it."


def work_notice(service: ServiceView) -> h.Node:
    """Say what is being done to the server, was asked for or came to nothing, or of its rescue."""
    if service.work is not None and service.state is ServiceState.active:
        return h.div(".sw-after")[notice("info", *_progress(service, service.work))]
    if service.asked is not None and service.state is ServiceState.active:
        # Until a machine has said its first word, nobody else tells that the click was heard.
        return h.div(".sw-after")[
            notice(
                "info",
                ASKED[service.asked.what],
                "This page tells how it goes on. Asked for ",
                moment(service.asked.at),
                ".",
            )
        ]
    return h.fragment[_missed_notice(service), _rescue_notice(service)]


def _rescue_notice(service: ServiceView) -> h.Element | None:
    if service.rescue_since is None:
        return None
    return h.div(".sw-after")[
        notice(
            "warning",
            "The rescue system runs",
            "Since ",
            moment(service.rescue_since),
            ". Your disks are not mounted. "
            + (_AT_CLOUD if service.is_at_cloud else _AS_ALWAYS)
            + " The host key is another one.",
        )
    ]


def _progress(service: ServiceView, work: Work) -> tuple[str, str]:
    """Return what is being done, and how far it is: a share only once the machine is at it."""
    waits = "We wait for the server's management controller to answer."
    match work.stage:
        case "":
            return WANTED[work.purpose], "It begins in a moment."
        case untouched.UNTOUCHED:
            as_before = f"Nothing was done to your server yet{as_it_was(service.power)}."
            return WANTED[work.purpose], f"{waits} {as_before}"
        case untouched.AWAITED:
            return DOING[work.purpose], f"{waits} It goes on by itself then."
        case _:
            return DOING[work.purpose], f"{work.stage}, {work.percent} %"


def _missed_notice(service: ServiceView) -> h.Element | None:
    """Say that what was asked for came to nothing, and how the server is."""
    missed = service.missed
    if missed is None or service.state is not ServiceState.active:
        return None
    how_it_is = " We were told, and look at it. Write to us if it is urgent."
    if missed.stage == untouched.UNTOUCHED:
        how_it_is = (
            " The server's management controller did not answer as it should. Nothing was done to "
            f"your server{as_it_was(service.power)}. Ask again later, or write to us."
        )
    return h.div(".sw-after")[
        notice(
            "warning", MISSED[missed.purpose], "It was given up ", moment(missed.at), ".", how_it_is
        )
    ]


def asks(service: ServiceView, served: frozenset[str], switching: Switching) -> h.Element:
    """Return what can be asked for now, as it is now; the region follows what is done."""
    topics = f"service:{service.id} order:{service.order_id}"
    return live_region(topics, f"/services/{service.id}/asks", id_="asks")[
        _asks_card(service, served, is_at_work=switching.is_at_work)
    ]


def ask_dialogs(service: ServiceView, served: frozenset[str], *, csrf: str) -> h.Node:
    """Return the questions that the buttons open; they stay while the region changes."""
    if service.server_id is None:
        return None
    here = f"/services/{service.id}"
    dialogs: list[h.Node] = []
    if Asked.rescue in served:
        dialogs.append(
            confirm_dialog(
                id_="rescue",
                title="Restart the server into the rescue system?",
                text="What runs on it is switched off hard. The disks stay as they are; mount what "
                f"you need. {_AT_CLOUD if service.is_at_cloud else _AS_ALWAYS}",
                action=f"{here}/rescue",
                csrf=csrf,
                confirm="Start the rescue system",
            )
        )
    if Asked.unrescue in served:
        dialogs.append(
            confirm_dialog(
                id_="unrescue",
                title="Restart the server from its disk?",
                text="The rescue system goes off, with all that is in its memory.",
                action=f"{here}/unrescue",
                csrf=csrf,
                confirm="Restart from the disk",
            )
        )
    return h.fragment[dialogs]


def _asks_card(
    service: ServiceView, served: frozenset[str], *, is_at_work: bool
) -> h.Element | None:
    """Return the card; None where no flow would do any of it."""
    is_server, is_machine = service.server_id is not None, service.machine is not None
    if service.state is not ServiceState.active or not (is_server or is_machine):
        return None
    offers: list[h.Node] = []
    if is_server and service.rescue_since is None and Asked.rescue in served:
        offers.append(opens_dialog("Start the rescue system", "rescue", symbol="wrench"))
    if service.rescue_since is not None and Asked.unrescue in served:
        offers.append(opens_dialog("End the rescue", "unrescue", symbol="rotate-ccw"))
    if Asked.reinstall in served:
        where = f"/services/{service.id}/reinstall"
        offers.append(link_button("Install anew", where, symbol="refresh-cw"))
    if not offers:
        return None
    if service.work is not None or service.asked is not None or is_at_work:
        offers = [h.p(".sw-quiet")["Wait until what is being done to the server is over."]]
    title = "Rescue and reinstall" if is_server else "Reinstall"
    return card(h.div(".sw-actions")[offers], title=title, symbol="wrench")


def reinstall_page(
    service: ServiceView, systems: Sequence[System], form: Form, *, frame: PageFrame
) -> h.Element:
    """Return the choice of a system, and the question whether all data may go."""
    here = f"/services/{service.id}"
    return portal_page(
        f"Install {service.hostname} anew",
        page_head(f"Install {service.hostname} anew", eyebrow=h.a(href=here)[service.hostname]),
        h.div(".sw-decide")[
            card(
                h.div(".sw-decide-about")[
                    h.ul[
                        h.li["All data on its disks are lost for good."],
                        h.li["Addresses and keys stay."],
                        h.li["The password is again the one of the first delivery."]
                        if service.has_password
                        else None,
                        h.li["From an ISO you install it yourself, with a way in of your own."]
                        if any(system.is_iso for system in systems)
                        else None,
                        h.li["It takes about as long as the first delivery."],
                    ]
                ],
                form_element(
                    form,
                    f"{here}/reinstall",
                    select_field(
                        form,
                        "os",
                        "System",
                        [Option(value=system.code, label=system.label) for system in systems],
                    ),
                    text_field(
                        form, TYPED, f"Type {service.hostname} to confirm", autocomplete="off"
                    ),
                    h.div(".sw-actions")[
                        submit_button("Erase and install anew", weight="danger"),
                        link_button("Keep it as it is", here, weight="quiet"),
                    ],
                    labels={TYPED: "Host name", "os": "System"},
                ),
            )
        ],
        frame=frame,
        active="services",
    )
