"""The decisions about a delivered service: suspend it, rescue it, install it anew, end it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import htpy as h

from app.components.admin.client_services import SERVICES
from app.components.admin.decide import decide_page
from app.components.button import Weight, link_button
from app.components.choice import Option, select_field
from app.components.form import Form, text_field
from app.components.frame import PageFrame
from app.components.icon import IconName
from app.components.notice import notice
from app.domain.catalog.kind import ProductKind
from app.domain.services.ask import System
from app.domain.services.list import ServiceLine
from app.domain.services.states import ServiceState

TYPED = "typed"
OS = "os"
SERVERS = frozenset({ProductKind.SERVER})
SYSTEMS = SERVERS | {ProductKind.MACHINE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """One thing that a person does to a service."""

    slug: str
    label: str
    trigger: str
    """The event that it is; the flow bound to that makes it so."""
    states: frozenset[ServiceState]
    """In which it can be done."""
    means: tuple[str, ...]
    done: str
    symbol: IconName
    weight: Weight = "primary"
    of: frozenset[ProductKind] = frozenset(ProductKind)
    """The kinds of products that it is done to."""
    in_rescue: bool | None = None
    """Whether it is done to one that runs its rescue system; None: to any."""
    is_final: bool = False
    """Cannot be taken back: the host name must be typed."""


DEEDS: Mapping[str, Deed] = {
    deed.slug: deed
    for deed in (
        Deed(
            slug="suspend",
            label="Suspend",
            trigger="service.suspended",
            states=frozenset({ServiceState.active}),
            means=(
                "The client cannot use it until it is unsuspended.",
                "Its server, data and addresses are kept.",
            ),
            done="The service is suspended.",
            symbol="pause",
        ),
        Deed(
            slug="unsuspend",
            label="Unsuspend",
            trigger="service.unsuspended",
            states=frozenset({ServiceState.suspended}),
            means=("The client can use it again.",),
            done="The service is active again.",
            symbol="play",
        ),
        Deed(
            slug="rescue",
            label="Rescue",
            trigger="service.rescue",
            states=frozenset({ServiceState.active}),
            means=(
                "Its server is switched off hard and booted into the rescue system.",
                "The disks stay as they are; the client gets in as always.",
            ),
            done="The server is being booted into the rescue system.",
            symbol="wrench",
            of=SERVERS,
            in_rescue=False,
        ),
        Deed(
            slug="unrescue",
            label="End rescue",
            trigger="service.unrescue",
            states=frozenset({ServiceState.active}),
            means=("Its server is booted from its disk again.",),
            done="The server is being booted from its disk.",
            symbol="rotate-ccw",
            of=SERVERS,
            in_rescue=True,
        ),
        Deed(
            slug="reinstall",
            label="Reinstall",
            trigger="service.reinstall",
            states=frozenset({ServiceState.active}),
            means=(
                "The client loses all data on its disks.",
                "Addresses, keys and the first password stay.",
            ),
            done="It is being installed anew.",
            symbol="refresh-cw",
            weight="danger",
            of=SYSTEMS,
            is_final=True,
        ),
        Deed(
            slug="terminate",
            label="Terminate",
            trigger="service.terminated",
            states=frozenset({ServiceState.active, ServiceState.suspended}),
            means=(
                "The client loses it for good, with all data on it.",
                "Its server and addresses are given back. This cannot be taken back.",
            ),
            done="The service is terminated.",
            symbol="trash-2",
            weight="danger",
            is_final=True,
        ),
    )
}


def deed_buttons(service: ServiceLine) -> h.Fragment:
    """Return a link to each decision that the service's state allows."""
    return h.fragment[
        [
            link_button(deed.label, f"{SERVICES}/{service.id}/{deed.slug}", symbol=deed.symbol)
            for deed in DEEDS.values()
            if service.state in deed.states
            and service.kind in deed.of
            and deed.in_rescue in {None, service.rescue_since is not None}
        ]
    ]


def deed_page(
    deed: Deed,
    service: ServiceLine,
    form: Form,
    *,
    flow: str | None,
    frame: PageFrame,
    systems: Sequence[System] = (),
) -> h.Element:
    """Return the page that says what will happen; `flow` is the name of that which does it.

    `systems` are those of which one is to be chosen.
    """
    return decide_page(
        f"{deed.label} {service.hostname}",
        select_field(
            form,
            OS,
            "System",
            [Option(value=one.code, label=one.label) for one in systems],
            value=service.os_code,
        )
        if systems
        else None,
        text_field(form, TYPED, f"Type {service.hostname} to confirm", autocomplete="off")
        if deed.is_final
        else None,
        about=[
            h.ul[[h.li[words] for words in (f"It is {service.account_name}'s.", *deed.means)]],
            h.p["The flow ", h.strong[flow], " makes it so."] if flow else _unserved(deed),
        ],
        form=form,
        action=f"{SERVICES}/{service.id}/{deed.slug}",
        confirm=deed.label,
        weight=deed.weight,
        back=(service.hostname, f"{SERVICES}/{service.id}"),
        frame=frame,
        active="services",
        labels={TYPED: "Host name", OS: "System"},
    )


def _unserved(deed: Deed) -> h.Element:
    return notice(
        "warning",
        f"No enabled flow serves {deed.trigger} for its product: the state changes here, the "
        "machine has to be seen to by hand. Bind a flow first to have it done.",
    )
