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
from app.components.time import moment
from app.domain.machines.order_power import Switching
from app.domain.services.ask import Asked, System
from app.domain.services.states import ServiceState
from app.domain.services.views import ServiceView
from app.drivers.deploy.live import Purpose

TYPED = "typed"
DOING = {
    Purpose.INSTALL: "A system is being installed on the server",
    Purpose.RESCUE: "The server is being booted into the rescue system",
}
ASKED = {
    Asked.reinstall: "Asked for: a system is installed anew",
    Asked.rescue: "Asked for: the server is booted into the rescue system",
    Asked.unrescue: "Asked for: the server is booted from its disk",
}
_AS_ALWAYS = "Get in as always: the same address, password and keys."
_AT_CLOUD = "Get in as the user rescue, with the password below; keys do not open it."


def work_notice(service: ServiceView) -> h.Element | None:
    """Say what is being done to the server or was asked for, or that it runs its rescue system."""
    if service.work is not None and service.state is ServiceState.active:
        stage = service.work.stage or "the machine starts"
        return h.div(".sw-after")[
            notice("info", DOING[service.work.purpose], f"{stage}, {service.work.percent} %")
        ]
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
    if service.rescue_since is not None:
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
    return None


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
