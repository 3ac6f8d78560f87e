"""Planned moves: the tasks to be done, and plans that free a gap or balance power."""

from collections.abc import Mapping, Sequence
from uuid import UUID

import htpy as h

from app.components.admin.dcim import ACTIVE, MOVES, RACKS, SERVERS, dcim_tabs, units_text
from app.components.admin.elevation import Proposed, elevations
from app.components.button import submit_button
from app.components.card import card, card_grid, stack
from app.components.choice import Option, select_field
from app.components.empty import empty
from app.components.form import Form, csrf_field, form_element, hidden_field, text_field
from app.components.frame import PageFrame
from app.components.notice import notice
from app.components.page import admin_page, page_head
from app.components.table import Column, Row, table
from app.components.time import moment
from app.domain.inventory.plan_moves import Task
from app.domain.inventory.views import DatacentreView, RackView, ServerRow
from app.solver.moves import Move

LABELS = {
    "datacentre": "Datacentre",
    "u_height": "Free units on end",
    "rack": "In rack",
    "percent": "At most of each feed",
    "reason": "What for",
}
PLACES, REASON = "places", "reason"


def moves_page(
    tasks: Sequence[Task],
    sites: Sequence[DatacentreView],
    racks: Sequence[tuple[UUID, str]],
    form: Form,
    *,
    may_change: bool,
    frame: PageFrame,
) -> h.Element:
    return _page(
        stack(
            _tasks(tasks, frame.csrf if may_change else ""),
            _forms(form, sites, racks) if may_change else None,
        ),
        frame=frame,
    )


def _tasks(tasks: Sequence[Task], csrf: str) -> h.Element:
    columns = (
        Column("Server"),
        Column("From"),
        Column("To"),
        Column("What for"),
        Column("Done", narrow=True, hidden_label=True),
    )
    rows = [
        Row(
            cells=(
                h.div[
                    h.a(".sw-strong", href=f"{SERVERS}/{task.server}")[task.server_name],
                    h.span(".sw-under")[task.created_by, ", ", moment(task.created_at)],
                ],
                _place(task.from_rack, task.from_rack_name, task.from_u, task.u_height),
                _place(task.to_rack, task.to_rack_name, task.to_u, task.u_height),
                task.reason,
                _deeds(task, csrf) if csrf else None,
            )
        )
        for task in tasks
    ]
    return card(
        table(
            columns,
            rows,
            caption="Planned moves",
            empty=empty(
                "arrow-right",
                "Nothing is to be moved",
                "Plan a move on a server's page, or let the solver make a plan below.",
            ),
        ),
        title="To be done",
        lede="The new place of each is kept free until it is done or dropped.",
        flush=True,
    )


def _place(rack: UUID, name: str, unit: int, u_height: int) -> h.Element:
    return h.div[h.a(href=f"{RACKS}/{rack}")[name], h.span(".sw-under")[units_text(unit, u_height)]]


def _deeds(task: Task, csrf: str) -> h.Element:
    here = f"{MOVES}/{task.id}"
    return h.div(".sw-row-actions.sw-actions")[
        h.form(".sw-inline-form", method="post", action=f"{here}/done")[
            csrf_field(csrf), submit_button("Done", size="small", weight="plain", busy="…")
        ],
        h.form(".sw-inline-form", method="post", action=f"{here}/drop")[
            csrf_field(csrf), submit_button("Drop", size="small", weight="quiet", busy="…")
        ],
    ]


def _forms(
    form: Form, sites: Sequence[DatacentreView], racks: Sequence[tuple[UUID, str]]
) -> h.Element:
    where = select_field(
        form,
        "datacentre",
        "Datacentre",
        [Option(value=one.code, label=one.name) for one in sites],
    )
    power = Form(values=form.values, csrf=form.csrf, prefix="power-", errors={})
    return card_grid(
        card(
            form_element(
                form,
                f"{MOVES}/plan",
                hidden_field("goal", "gap"),
                where,
                text_field(form, "u_height", "Free units on end", inputmode="numeric", after="U"),
                select_field(
                    form,
                    "rack",
                    "In rack",
                    [Option(value=str(id_), label=words) for id_, words in racks],
                    blank="Whichever takes the fewest moves",
                    optional=True,
                ),
                submit_button("Find the fewest moves", busy="Solving…", weight="plain"),
                labels=LABELS,
            ),
            title="Free a gap",
            lede="Only servers that nobody has are moved.",
        ),
        card(
            form_element(
                power,
                f"{MOVES}/plan",
                hidden_field("goal", "power"),
                select_field(
                    power,
                    "datacentre",
                    "Datacentre",
                    [Option(value=one.code, label=one.name) for one in sites],
                ),
                text_field(
                    power,
                    "percent",
                    "At most of each feed",
                    inputmode="numeric",
                    after="%",
                    value="80",
                    help_="Feeds above this are relieved, and no other is brought above it.",
                ),
                submit_button("Find the fewest moves", busy="Solving…", weight="plain"),
                labels=LABELS,
            ),
            title="Balance power",
        ),
        least_width="large",
    )


def plan_page(
    moves: Sequence[Move],
    servers: Mapping[UUID, ServerRow],
    racks: Sequence[RackView],
    *,
    reason: str,
    frame: PageFrame,
) -> h.Element:
    """Return the moves of a plan on the racks that take them, with the way to accept them."""
    names = {str(rack.id): rack.name for rack in racks}
    if not moves:
        return _page(notice("success", "Nothing has to be moved", reason), frame=frame)
    rows = [
        Row(
            cells=(
                h.span(".sw-strong")[servers[move.machine].name],
                f"{servers[move.machine].rack}, U{move.from_u}",
                f"{names[move.to_rack]}, U{move.to_u}",
            )
        )
        for move in moves
    ]
    places = ";".join(f"{move.machine}@{move.to_rack}@{move.to_u}" for move in moves)
    many = "1 move does it" if len(moves) == 1 else f"{len(moves)} moves do it"
    return _page(
        stack(
            notice("info", many, "In any order; each goes straight to a place that is free now."),
            card(
                table((Column("Server"), Column("From"), Column("To")), rows, caption="Moves"),
                title=reason,
                flush=True,
            ),
            form_element(
                Form(csrf=frame.csrf),
                f"{MOVES}/accept",
                hidden_field(PLACES, places),
                text_field(Form(), REASON, "What for", value=reason, help_="Shown with each task."),
                submit_button("Make tasks of them", busy="Writing…"),
                labels=LABELS,
            ),
            [
                card(
                    elevations(
                        rack,
                        proposed=tuple(
                            Proposed(
                                name=servers[move.machine].name,
                                u_position=move.to_u,
                                u_height=servers[move.machine].u_height,
                                side=servers[move.machine].side,
                            )
                            for move in moves
                            if move.to_rack == str(rack.id)
                        ),
                    ),
                    title=f"Rack {rack.name}, as it would be",
                )
                for rack in racks
                if any(move.to_rack == str(rack.id) for move in moves)
            ],
        ),
        frame=frame,
    )


def _page(*children: h.Node, frame: PageFrame) -> h.Element:
    return admin_page(
        "Moves",
        page_head("Moves", lede="Servers that somebody is to carry to another place."),
        dcim_tabs(MOVES),
        children,
        frame=frame,
        active=ACTIVE,
    )
