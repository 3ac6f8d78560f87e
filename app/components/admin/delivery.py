"""A delivery: machines that stand nowhere yet, shown where the solver would rack them."""

from collections.abc import Sequence
from uuid import UUID

import htpy as h

from app.components.admin.dcim import ACTIVE, DELIVERY, RACKS, dcim_tabs, units_text
from app.components.admin.elevation import Proposed, elevations
from app.components.admin.sheet_import import DOCUMENT, FILE, file_fields, lines_card
from app.components.button import link_button, submit_button
from app.components.card import card, stack
from app.components.choice import Option, select_field
from app.components.form import Form, form_element, hidden_field
from app.components.frame import PageFrame
from app.components.notice import notice
from app.components.page import admin_page, page_head
from app.components.table import Column, Row, table
from app.core.sheets import SheetLine
from app.domain.inventory.delivery import Racked
from app.domain.inventory.seed import ServerSeed
from app.domain.inventory.views import DatacentreView, RackView
from app.solver.racking import RackPlan

DATACENTRE, RACK, PLACES = "datacentre", "rack", "places"
LABELS = {FILE: "File", DOCUMENT: "Its content", DATACENTRE: "Datacentre", RACK: "Rack"}
HEAD = "name,serial,cpu_model,ram_gb,disks,mac,u_height,power_draw_watts,weight_kg"


def delivery_page(
    form: Form,
    sites: Sequence[DatacentreView],
    racks: Sequence[tuple[UUID, str]],
    faults: Sequence[SheetLine] = (),
    *,
    frame: PageFrame,
) -> h.Element:
    return _page(
        lines_card("Rows in error", faults) if faults else None,
        h.div(".sw-decide.sw-decide-wide")[
            card(
                form_element(
                    form,
                    DELIVERY,
                    file_fields(
                        form,
                        help_="CSV or JSON, one machine a row, as for an import of servers but "
                        "without places. One row racks one machine.",
                        placeholder=HEAD,
                    ),
                    select_field(
                        form,
                        DATACENTRE,
                        "Datacentre",
                        [Option(value=one.code, label=one.name) for one in sites],
                    ),
                    select_field(
                        form,
                        RACK,
                        "Only in rack",
                        [Option(value=str(id_), label=words) for id_, words in racks],
                        blank="Any of the datacentre",
                        optional=True,
                    ),
                    h.div(".sw-actions")[
                        submit_button("Find places", busy="Solving…", symbol="search")
                    ],
                    labels=LABELS,
                    attrs={"enctype": "multipart/form-data"},
                ),
            )
        ],
        frame=frame,
    )


def plan_page(
    machines: Sequence[ServerSeed],
    plan: RackPlan,
    racked: Sequence[Racked],
    racks: Sequence[RackView],
    *,
    document: str,
    datacentre: str,
    refusal: str = "",
    frame: PageFrame,
) -> h.Element:
    """Return the places that were found, on the racks as they would be, with the way to accept."""
    seeds = {machine.serial: machine for machine in machines}
    placed = {one.serial for one in racked}
    without = [machine.name for machine in machines if machine.serial not in placed]
    names = {rack.id: rack.name for rack in racks}
    confirm = form_element(
        Form(csrf=frame.csrf, errors={"": refusal} if refusal else {}),
        f"{DELIVERY}/confirm",
        hidden_field(DOCUMENT, document),
        hidden_field(DATACENTRE, datacentre),
        hidden_field(
            PLACES, ";".join(f"{one.serial}@{one.rack}@{one.u_position}" for one in racked)
        ),
        h.div(".sw-actions")[
            submit_button(f"Rack {len(racked)} machines", busy="Writing…") if racked else None,
            link_button("Another delivery", DELIVERY, weight="quiet"),
        ],
    )
    return _page(
        stack(
            _verdict(plan, without),
            confirm,
            card(
                table(
                    (Column("Machine"), Column("Rack"), Column("Units")),
                    [
                        Row(
                            cells=(
                                h.span(".sw-strong")[seeds[one.serial].name],
                                h.a(href=f"{RACKS}/{one.rack}")[names[one.rack]],
                                units_text(one.u_position, seeds[one.serial].u_height),
                            )
                        )
                        for one in racked
                    ],
                    caption="Places",
                ),
                title="Places",
                flush=True,
            )
            if racked
            else None,
            [
                card(
                    elevations(rack, proposed=_proposed(rack, racked, seeds)),
                    title=f"Rack {rack.name}, as it would be",
                )
                for rack in racks
            ],
        ),
        frame=frame,
    )


def places_text(racked: Sequence[Racked]) -> str:
    """Return places as a form carries them: `SERIAL@RACK@UNIT`, by semicolons."""
    return ";".join(f"{one.serial}@{one.rack}@{one.u_position}" for one in racked)


def _proposed(
    rack: RackView, racked: Sequence[Racked], seeds: dict[str, ServerSeed]
) -> tuple[Proposed, ...]:
    return tuple(
        Proposed(
            name=seeds[one.serial].name,
            u_position=one.u_position,
            u_height=seeds[one.serial].u_height,
            side=seeds[one.serial].side,
        )
        for one in racked
        if one.rack == rack.id
    )


def _verdict(plan: RackPlan, without: Sequence[str]) -> h.Element:
    if not without:
        return notice("success", "Every machine finds a place", "Nothing is written yet.")
    words = (
        "No plan places more."
        if plan.is_proven
        else f"At most {plan.bound} could be placed; the search was not finished."
    )
    return notice(
        "warning",
        f"{len(without)} of {len(plan.placed) + len(without)} machines find no place",
        f"{', '.join(without)}. {words} Those stay out when you accept; free a gap for them first.",
    )


def _page(*children: h.Node, frame: PageFrame) -> h.Element:
    return admin_page(
        "Delivery",
        page_head(
            "Delivery",
            lede="Where new machines go: units, both feeds, weight, cooling and switch ports of "
            "every rack are kept to.",
        ),
        dcim_tabs(DELIVERY),
        children,
        frame=frame,
        active=ACTIVE,
    )
