"""Providers of machines and game servers, and those that are not what they should be."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import htpy as h

from app.components.admin.client_services import SERVICES
from app.components.badge import badge, state_badge
from app.components.button import Weight, link_button, submit_button
from app.components.card import card, stack
from app.components.empty import empty
from app.components.facts import code
from app.components.form import csrf_field
from app.components.frame import PageFrame
from app.components.live import live_region
from app.components.notice import notice
from app.components.page import admin_page, page_head
from app.components.table import Column, Row, table
from app.components.time import moment
from app.domain.connections.kinds import Kind
from app.domain.machines.drifts import MOST
from app.domain.machines.errand import REMEDIES, Deed
from app.domain.machines.judge import Drift
from app.domain.machines.views import MachineDrift, ProviderView, StrayMachine
from app.domain.machines.watch import TOPIC

MACHINES = "/admin/machines"
LABELS: Mapping[Drift, str] = {
    Drift.gone: "Gone",
    Drift.left_over: "Left over",
    Drift.not_suspended: "Not suspended",
    Drift.suspended: "Suspended",
    Drift.off: "Off",
}
SORTS: Mapping[Kind, str] = {Kind.HYPERVISOR: "virtual machines", Kind.GAME: "game servers"}
DEEDS: Mapping[Deed, str] = {
    Deed.suspend: "Suspend it there",
    Deed.unsuspend: "Release it there",
    Deed.start: "Start it",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MachinesFile:
    """All that the page shows, and what its viewer may do."""

    providers: Sequence[ProviderView]
    drifts: Sequence[MachineDrift]
    strays: Sequence[StrayMachine]
    may_change: bool
    sees_connections: bool
    csrf: str


def machines_page(file: MachinesFile, *, frame: PageFrame) -> h.Element:
    return admin_page("Machines", machines_region(file), frame=frame, active="machines")


def machines_region(file: MachinesFile) -> h.Element:
    """Return the whole page but its frame; it follows the readings."""
    return live_region(TOPIC, f"{MACHINES}/now", id_="machines")[
        page_head(
            "Machines",
            lede="What providers of virtual machines and panels of game servers say of them, "
            "every minute, against what services should have. Nothing is changed there by itself.",
        ),
        stack(
            [_warning(one) for one in file.providers],
            _drifts(file),
            _strays(file) if file.strays else None,
            _providers(file),
        ),
    ]


def _warning(one: ProviderView) -> h.Element | None:
    if one.silent_since is not None:
        return notice(
            "warning",
            f"{one.connection} does not answer",
            h.p["Since ", moment(one.silent_since), f": {one.silence}"],
            h.p(".sw-quiet")[
                "It is asked again by itself, at least every 5 minutes. Nothing of its machines "
                "is known meanwhile, and runs that need it wait."
            ],
        )
    if one.is_doubtful:
        return notice(
            "danger",
            f"{one.connection} shows {one.gone:,} of {one.planned:,} machines no more",
            "So many rarely vanish. Look what its credentials may see before you give anything "
            "back.",
        )
    return None


def _drifts(file: MachinesFile) -> h.Element:
    rows = [
        Row(
            cells=(
                h.div[h.span(".sw-strong")[one.hostname], h.span(".sw-under")[one.account_name]],
                h.div[
                    badge(LABELS[one.drift], "danger" if one.drift is Drift.gone else "warning"),
                    h.span(".sw-under.sw-why")[one.drift.words],
                    h.span(".sw-under")["not known now"] if one.silent_since else None,
                ],
                h.div[code(one.connection), h.span(".sw-under")[f"{one.number} on {one.node}"]],
                moment(one.drift_since),
                _drift_deed(one, file),
            ),
            href=f"{SERVICES}/{one.service}",
            id_=f"drift-{one.service}",
        )
        for one in file.drifts
    ]
    columns = (
        Column("Service"),
        Column("What differs"),
        Column("Machine"),
        Column("Since", narrow=True),
        Column("Deed", hidden_label=True, narrow=True),
    )
    nothing = empty(
        "circle-check", "Nothing differs", "Every machine is what its service says it should be."
    )
    return card(
        table(columns, rows, caption="Machines that differ", empty=nothing),
        _more(len(rows)),
        title="Not as they should be",
        lede="Shown once two readings in a row say so, and never while a run is at it.",
        symbol="triangle-alert",
        flush=True,
    )


def _drift_deed(one: MachineDrift, file: MachinesFile) -> h.Node:
    if not file.may_change:
        return None
    if one.is_ordered:
        return h.span(".sw-quiet")["being done"]
    here = f"{MACHINES}/services/{one.service}"
    if one.drift is Drift.gone:
        return link_button("Give back …", f"{here}/release", size="small")
    if one.drift is Drift.left_over:
        return link_button("Remove …", f"{here}/remove", size="small")
    return _click(DEEDS[REMEDIES[one.drift]], f"{here}/remedy", file.csrf)


def _strays(file: MachinesFile) -> h.Element:
    rows = [
        Row(
            cells=(
                h.div[h.span(".sw-strong")[one.name or "–"], h.span(".sw-under.sw-why")[one.why]],
                h.div[code(one.connection), h.span(".sw-under")[f"{one.number} on {one.node}"]],
                state_badge(one.power),
                moment(one.first_seen_at),
                _stray_deeds(one, file),
            ),
            id_=f"stray-{one.id}",
        )
        for one in file.strays
    ]
    columns = (
        Column("Machine"),
        Column("Where"),
        Column("Power", narrow=True),
        Column("First seen", narrow=True),
        Column("Deeds", hidden_label=True, narrow=True),
    )
    return card(
        table(columns, rows, caption="Machines that belong to nobody"),
        _more(len(rows)),
        title="With our mark, and nobody's",
        lede="They take room, and may answer on addresses that others have by now.",
        symbol="box-select",
        flush=True,
    )


def _stray_deeds(one: StrayMachine, file: MachinesFile) -> h.Node:
    if one.left_alone_at is not None:
        return h.span(".sw-quiet")["left alone"]
    if not file.may_change:
        return None
    if one.is_ordered:
        return h.span(".sw-quiet")["being done"]
    here = f"{MACHINES}/strays/{one.id}"
    return h.div(".sw-inline")[
        None if one.is_twin else link_button("Remove …", f"{here}/remove", size="small"),
        _click("Leave it", f"{here}/leave", file.csrf, weight="quiet"),
    ]


def _providers(file: MachinesFile) -> h.Element:
    rows = [
        Row(
            cells=(
                h.div[
                    h.a(href=f"/admin/connections/{one.connection_id}")[one.connection]
                    if file.sees_connections
                    else h.span(".sw-strong")[one.connection],
                    h.span(".sw-under")[SORTS[one.kind]],
                ],
                badge("Silent", "warning")
                if one.silent_since
                else badge("Answers", "success")
                if one.heard_at
                else badge("Not asked yet"),
                h.div[
                    f"@{one.in_group}, {one.weight}" if one.in_group else "–",
                    h.span(".sw-under")["drained ", moment(one.draining_since)]
                    if one.draining_since
                    else None,
                ],
                moment(one.heard_at) if one.heard_at else "–",
                f"{one.planned:,}",
                f"{one.machines:,}",
                _foreign(one),
                _click("Look now", f"{MACHINES}/providers/{one.connection}/look", file.csrf)
                if file.may_change
                else None,
            ),
            id_=f"provider-{one.connection}",
        )
        for one in file.providers
    ]
    columns = (
        Column("Provider"),
        Column("State", narrow=True),
        Column("Group, weight", narrow=True),
        Column("Last heard", narrow=True),
        Column("Of services", figures=True),
        Column("Ours there", figures=True),
        Column("Others'", figures=True),
        Column("Deed", hidden_label=True, narrow=True),
    )
    nothing = empty(
        "box",
        "No provider yet",
        "Add one under Connections, of the kind “Virtual machines” or “Game servers”.",
    )
    return card(
        table(columns, rows, caption="Providers", empty=nothing),
        title="Providers",
        symbol="box",
        flush=True,
    )


def _foreign(one: ProviderView) -> h.Node:
    if not one.foreign:
        return f"{one.foreign_machines:,}"
    more = one.foreign_machines - len(one.foreign)
    return h.details[
        h.summary[f"{one.foreign_machines:,}"],
        h.ul(".sw-plain-list")[
            [
                h.li[
                    vm.name or vm.number,
                    h.span(".sw-under")[f"{vm.number} on {vm.node}, {vm.power}"],
                ]
                for vm in one.foreign
            ],
            h.li(".sw-quiet")[f"and {more:,} more"] if more > 0 else None,
        ],
    ]


def _click(label: str, action: str, csrf: str, *, weight: Weight = "plain") -> h.Element:
    return h.form(method="post", action=action)[
        csrf_field(csrf), submit_button(label, weight=weight, size="small")
    ]


def _more(shown: int) -> h.Element | None:
    if shown < MOST:
        return None
    return h.p(".sw-quiet.sw-pending")[f"The first {MOST}; the rest follows."]
