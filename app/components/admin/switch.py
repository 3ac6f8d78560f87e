"""A switch that is reached: its ports and VLANs, where they differ, and changes planned first."""

from collections.abc import Sequence
from uuid import UUID

import htpy as h

from app.components.admin.dcim import ACTIVE, DEVICES
from app.components.admin.entry import entry_page, pair
from app.components.badge import badge
from app.components.button import link_button, submit_button
from app.components.card import card, stack
from app.components.choice import Option, select_field
from app.components.empty import empty
from app.components.facts import code, facts
from app.components.form import (
    Form,
    csrf_field,
    hidden_field,
    password_field,
    text_field,
    textarea_field,
)
from app.components.frame import PageFrame
from app.components.live import live_region
from app.components.notice import notice
from app.components.page import admin_page, page_head
from app.components.progress import working
from app.components.table import Column, Row, table
from app.components.time import moment
from app.domain.devices.access import Access
from app.domain.devices.ask import Said
from app.domain.devices.change import ChangeState, SwitchChangeView
from app.domain.devices.ports import Difference
from app.domain.inventory.views import DeviceView
from app.drivers.pdu.profiles import PROFILES
from app.drivers.switching.contract import SwitchPort
from app.drivers.switching.dialects import DIALECTS

ACCESS_LABELS = {
    "dialect": "Kind",
    "host": "Host",
    "port": "Port",
    "username": "User name",
    "secret": "Password",
    "more": "Password for more rights",
    "host_key": "Host key",
    "parking_vid": "VLAN of ports that nobody has",
}
CHANGE_LABELS = {"name": "Port", "untagged": "VLAN", "tagged": "Tagged VLANs"}
_PLAIN: dict[str, h.Attribute] = {"autocapitalize": "none", "spellcheck": "false"}


def access_page(device: DeviceView, form: Form, *, is_known: bool, frame: PageFrame) -> h.Element:
    """Return the form of how a switch, or a PDU, is reached."""
    if device.kind == "pdu":
        return _pdu_access_page(device, form, is_known=is_known, frame=frame)
    kept = "Leave it empty to keep the one there is; it is asked for when the host changes."
    return entry_page(
        f"Access to {device.name}",
        select_field(
            form, "dialect", ACCESS_LABELS["dialect"],
            [Option(value=name, label=one.LABEL) for name, one in DIALECTS.items()],
        ),
        pair(
            text_field(
                form, "host", ACCESS_LABELS["host"], mono=True, autocomplete="off", attrs=_PLAIN,
                placeholder="10.0.0.2",
            ),
            text_field(form, "port", ACCESS_LABELS["port"], inputmode="numeric"),
        ),
        pair(
            text_field(
                form, "username", ACCESS_LABELS["username"], autocomplete="off", attrs=_PLAIN
            ),
            password_field(
                form, "secret", ACCESS_LABELS["secret"], new=True, optional=is_known,
                help_=kept if is_known else None,
            ),
        ),
        password_field(
            form, "more", ACCESS_LABELS["more"], new=True, optional=True,
            help_="Only where the account has to ask for them (enable).",
        ),
        textarea_field(
            form, "host_key", ACCESS_LABELS["host_key"], rows=3, mono=True,
            help_="`ssh-keyscan HOST` prints it; compare it on the switch's own console. Without "
            "it nobody knows who is given the password.",
        ),
        text_field(
            form, "parking_vid", ACCESS_LABELS["parking_vid"], inputmode="numeric",
            help_="Ports are put there when their server is given back. Best one without a way "
            "anywhere.",
        ),
        form=form,
        action=f"{DEVICES}/{device.id}/access",
        confirm="Save",
        back=(device.name, f"{DEVICES}/{device.id}"),
        frame=frame,
        active=ACTIVE,
        labels=ACCESS_LABELS,
    )  # fmt: skip


def _pdu_access_page(
    device: DeviceView, form: Form, *, is_known: bool, frame: PageFrame
) -> h.Element:
    kept = "Leave it empty to keep the one there is; it is asked for when the host changes."
    labels = {**ACCESS_LABELS, "username": "SNMPv3 user", "secret": "Password or community",
              "more": "Password for encryption"}  # fmt: skip
    return entry_page(
        f"Access to {device.name}",
        select_field(
            form, "dialect", labels["dialect"],
            [Option(value=name, label=one.label) for name, one in PROFILES.items()],
        ),
        pair(
            text_field(
                form, "host", labels["host"], mono=True, autocomplete="off", attrs=_PLAIN,
                placeholder="10.0.0.3",
            ),
            text_field(form, "port", labels["port"], inputmode="numeric"),
        ),
        text_field(
            form, "username", labels["username"], optional=True, autocomplete="off", attrs=_PLAIN,
            help_="Signed by SHA. Without one SNMPv2c is spoken, which anyone in between can read.",
        ),
        pair(
            password_field(
                form, "secret", labels["secret"], new=True, optional=is_known,
                help_=kept if is_known else None,
            ),
            password_field(
                form, "more", labels["more"], new=True, optional=True,
                help_="SNMPv3 with AES-128; best given.",
            ),
        ),
        form=form,
        action=f"{DEVICES}/{device.id}/access",
        confirm="Save",
        back=(device.name, f"{DEVICES}/{device.id}"),
        frame=frame,
        active=ACTIVE,
        labels=labels,
        lede="Outlets are switched where a server's power cables lead to this PDU. The last number "
        "in a port's name is that of its outlet.",
    )  # fmt: skip


def switch_page(
    device: DeviceView,
    access: Access,
    said: Said,
    differences: Sequence[Difference],
    *,
    may_change: bool,
    frame: PageFrame,
) -> h.Element:
    return admin_page(
        f"Ports and VLANs of {device.name}",
        switch_region(device, access, said, differences, csrf=frame.csrf if may_change else ""),
        frame=frame,
        active=ACTIVE,
    )


def switch_region(
    device: DeviceView,
    access: Access,
    said: Said,
    differences: Sequence[Difference],
    *,
    csrf: str,
) -> h.Element:
    """Return what the switch says, which follows its answers; `csrf` is "" for who looks on."""
    here = f"{DEVICES}/{device.id}/switch"
    read = h.form(".sw-inline-form", method="post", action=f"{here}/read")[
        csrf_field(csrf), submit_button("Read it", busy="Asking…", symbol="refresh-cw")
    ]
    return live_region(f"device:{device.id}", f"{here}/now", id_="switch")[
        page_head(
            f"Ports and VLANs of {device.name}",
            eyebrow=h.a(href=f"{DEVICES}/{device.id}")[device.name],
            lede=["As it said ", moment(said.read_at)]
            if said.read_at
            else "It has not said yet what ports there are.",
            actions=[
                link_button("Change a port", f"{here}/change", symbol="pencil"),
                link_button("Access", f"{DEVICES}/{device.id}/access", weight="quiet"),
                read,
            ]
            if csrf
            else None,
        ),
        stack(
            notice("danger", "The switch could not be read", said.error) if said.error else None,
            working("Waiting for the switch") if said.is_waiting else None,
            [_differences(differences, here, csrf), _ports(said.state.ports), _about(access, said)]
            if said.state
            else None,
        ),
    ]


def _differences(differences: Sequence[Difference], here: str, csrf: str) -> h.Element:
    columns = (
        Column("Port"),
        Column("Written down"),
        Column("The switch says"),
        Column("Put right", narrow=True, hidden_label=True),
    )
    return card(
        table(
            columns,
            [
                Row(
                    cells=(
                        h.span(".sw-strong")[one.name],
                        one.written,
                        h.div[
                            one.found, h.span(".sw-under.sw-why")[one.note] if one.note else None
                        ],
                        _deeds(one, here, csrf) if csrf else None,
                    )
                )
                for one in differences
            ],
            caption="Differences",
            empty=empty("check", "No differences", "The record says what the switch says."),
        ),
        title="Differences",
        symbol="git-compare",
        lede="Nothing is changed by itself: accept what the switch says, or have it do what is "
        "written down.",
        actions=badge(str(len(differences)), "warning", dot=False) if differences else None,
        flush=True,
    )


def _deeds(one: Difference, here: str, csrf: str) -> h.Element:
    return h.div(".sw-actions")[
        _deed(f"{here}/accept", one, "Accept", f"Accept what the switch says of {one.name}", csrf)
        if not one.note
        else None,
        _deed(f"{here}/put-right", one, "Put right", f"Put right on the switch: {one.name}", csrf)
        if one.wanted
        else None,
    ]


def _deed(action: str, one: Difference, words: str, label: str, csrf: str) -> h.Element:
    return h.form(".sw-inline-form", method="post", action=action)[
        csrf_field(csrf),
        hidden_field("name", one.name),
        h.button(".btn.btn-outline.btn-sm", type="submit", aria_label=label, data_busy="…")[words],
    ]


def _ports(ports: Sequence[SwitchPort]) -> h.Element:
    columns = (Column("Port"), Column("Link", narrow=True), Column("VLANs"))
    return card(
        table(
            columns,
            [
                Row(
                    cells=(
                        h.span[
                            h.span(".sw-strong")[port.name],
                            h.span(".sw-under.sw-why")[port.description],
                        ],
                        badge("up", "success") if port.is_up else badge("down", "neutral"),
                        port.vlans.words if port.vlans else "no port of VLANs",
                    )
                )
                for port in ports
            ],
            caption="Ports",
        ),
        title="Ports",
        symbol="network",
        flush=True,
    )


def _about(access: Access, said: Said) -> h.Element:
    vlans = said.state.vlans if said.state else {}
    return card(
        facts(
            [
                ("Reached at", code(f"{access.username}@{access.host}:{access.port}")),
                ("Ports that nobody has", f"VLAN {access.parking_vid}"),
                (
                    "VLANs",
                    ", ".join(f"{vid} {name}" for vid, name in sorted(vlans.items())) or "none",
                ),
            ]
        ),
        title="Switch",
        symbol="network",
    )


def change_form_page(
    device: DeviceView, ports: Sequence[str], form: Form, *, frame: PageFrame
) -> h.Element:
    """Return the form of a change of one port; what it would do is shown before it is done."""
    here = f"{DEVICES}/{device.id}/switch"
    return entry_page(
        f"Change a port of {device.name}",
        select_field(
            form, "name", CHANGE_LABELS["name"], [Option(value=one, label=one) for one in ports]
        ),
        text_field(
            form, "untagged", CHANGE_LABELS["untagged"], optional=True, inputmode="numeric",
            help_="For frames without a tag.",
        ),
        text_field(
            form, "tagged", CHANGE_LABELS["tagged"], optional=True, mono=True,
            placeholder="200,300-310", help_="Empty for an access port.",
        ),
        form=form,
        action=f"{here}/change",
        confirm="Show what it would do",
        busy="Asking…",
        back=(device.name, here),
        frame=frame,
        active=ACTIVE,
        labels=CHANGE_LABELS,
        lede="Nothing is changed before you have seen the commands.",
    )  # fmt: skip


def change_page(view: SwitchChangeView, *, frame: PageFrame) -> h.Element:
    return admin_page(
        f"Change of {view.device_name}",
        change_region(view, csrf=frame.csrf),
        frame=frame,
        active=ACTIVE,
    )


def change_region(view: SwitchChangeView, *, csrf: str) -> h.Element:
    """Return a change and how far it is, which follows the worker."""
    here = change_href(view.device, view.id)
    back = f"{DEVICES}/{view.device}/switch"
    is_empty = view.plan is not None and not view.plan.changes
    return live_region(f"change:{view.id}", f"{here}/now", id_="change")[
        page_head(
            f"Change of {view.device_name}",
            eyebrow=h.a(href=back)[f"Ports and VLANs of {view.device_name}"],
            lede=_LEDES[view.state] if not is_empty else "Nothing differs: there is nothing to do.",
        ),
        stack(
            notice("danger", "The switch did not do it", view.error) if view.error else None,
            notice("success", "Done", "The switch was read again and says so.")
            if view.state is ChangeState.done
            else None,
            working(_LEDES[view.state])
            if view.state in {ChangeState.planning, ChangeState.applying}
            else None,
            _plan(view) if view.plan and view.plan.changes else None,
            h.form(method="post", action=f"{here}/confirm")[
                csrf_field(csrf),
                h.div(".sw-actions")[
                    submit_button("Change it", busy="Changing…"),
                    link_button("Leave it", back, weight="quiet"),
                ],
            ]
            if view.state is ChangeState.planned and not is_empty
            else link_button("Back to the switch", back, weight="quiet"),
        ),
    ]


def change_href(device: UUID, change: UUID) -> str:
    return f"{DEVICES}/{device}/switch/changes/{change}"


_LEDES = {
    ChangeState.planning: "The switch is asked what would differ.",
    ChangeState.planned: "Nothing is changed yet. This is what the switch would be told.",
    ChangeState.applying: "The switch is being changed.",
    ChangeState.done: "The switch was changed.",
    ChangeState.failed: "The switch was not changed.",
}


def _plan(view: SwitchChangeView) -> h.Element:
    plan = view.plan
    assert plan is not None  # noqa: S101 - looked at by who calls
    return stack(
        card(
            table(
                (Column("Port"), Column("Now"), Column("Then")),
                [
                    Row(
                        cells=(
                            h.span(".sw-strong")[one.port], one.before.words, one.after.words
                        )
                    )
                    for one in plan.changes
                ],
                caption="What differs",
            ),
            title="What differs",
            symbol="git-compare",
            flush=True,
        ),
        card(
            h.pre(".sw-code", tabindex="0")["\n".join(plan.commands)],
            title="Commands",
            symbol="square-terminal",
        ),
    )  # fmt: skip
