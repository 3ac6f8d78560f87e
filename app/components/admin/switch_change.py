"""A change of a switch: asked for, planned and shown, then made."""

from collections.abc import Sequence
from uuid import UUID

import htpy as h

from app.components.admin.dcim import ACTIVE, DEVICES
from app.components.admin.entry import entry_page
from app.components.button import link_button, submit_button
from app.components.card import card, stack
from app.components.choice import Option, select_field
from app.components.form import (
    Form,
    csrf_field,
    text_field,
)
from app.components.frame import PageFrame
from app.components.live import live_region
from app.components.notice import notice
from app.components.page import admin_page, page_head
from app.components.progress import working
from app.components.table import Column, Row, table
from app.domain.devices.change import ChangeState, SwitchChangeView
from app.domain.inventory.views import DeviceView
from app.drivers.switching.contract import SwitchPlan

CHANGE_LABELS = {"name": "Port", "untagged": "VLAN", "tagged": "Tagged VLANs"}
_PLAIN: dict[str, h.Attribute] = {"autocapitalize": "none", "spellcheck": "false"}


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
            _plan(view.plan) if view.plan and view.plan.changes else None,
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


def _plan(plan: SwitchPlan) -> h.Element:
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
