"""Where a server is to stand: chosen, looked at on the elevation, and only then written."""

from collections.abc import Sequence
from uuid import UUID

import htpy as h

from app.components.admin.dcim import ACTIVE, SERVERS, SIDES
from app.components.admin.elevation import Proposed, elevations
from app.components.admin.rack import capacity
from app.components.button import link_button, submit_button
from app.components.card import card, stack
from app.components.choice import Option, select_field
from app.components.form import Form, csrf_field, hidden_field, text_field
from app.components.frame import PageFrame
from app.components.notice import notice
from app.components.page import admin_page, page_head
from app.domain.inventory.relocate import Place
from app.domain.inventory.views import RackView, ServerView
from app.solver.obstacles import Obstacle

RACK, UNIT, SIDE = "rack", "u", "side"


def place_page(
    server: ServerView,
    racks: Sequence[tuple[UUID, str]],
    rack: RackView,
    place: Place,
    found: Sequence[Obstacle],
    *,
    frame: PageFrame,
) -> h.Element:
    """Return the page of a place for a server; `racks` are those to choose from.

    It shows the rack as it would be, and says why not where a rule is against it.
    """
    is_there = place == Place(server.rack_id, server.u_position, server.side)
    proposed = Proposed(
        name=server.name,
        u_position=place.u_position,
        u_height=server.u_height,
        side=place.side,
        is_refused=bool(found),
    )
    return admin_page(
        f"Move {server.name}",
        page_head(
            f"Move {server.name}",
            eyebrow=h.a(href=f"{SERVERS}/{server.id}")[server.name],
            lede=f"It stands in rack {server.rack} at unit {server.u_position}. "
            "Nothing is written before you accept.",
        ),
        h.div(".sw-rack-layout")[
            card(
                elevations(rack, proposed=() if is_there else (proposed,)),
                title=f"Rack {rack.name}" + ("" if is_there else ", as it would be"),
                symbol="server",
            ),
            stack(
                _verdict(server, rack, place, found, frame.csrf, is_there=is_there),
                card(_choose(server, racks, place), title="Another place"),
                card(capacity(rack), title=f"Capacity of {rack.name} now"),
            ),
        ],
        frame=frame,
        active=ACTIVE,
    )


def _verdict(
    server: ServerView,
    rack: RackView,
    place: Place,
    found: Sequence[Obstacle],
    csrf: str,
    *,
    is_there: bool,
) -> h.Element:
    if is_there:
        return notice("info", "It stands here.", "Choose another place below.")
    where = f"rack {rack.name}, unit {place.u_position}"
    if found:
        reasons = h.ul(".sw-reasons")[[h.li[one.text] for one in found]]
        return notice("danger", f"It cannot stand in {where}", reasons)
    return stack(
        notice("success", f"It may stand in {where}", "Units, power, weight and ports suffice."),
        h.form(".sw-actions", method="post", action=f"{SERVERS}/{server.id}/place")[
            csrf_field(csrf),
            hidden_field(RACK, str(place.rack)),
            hidden_field(UNIT, str(place.u_position)),
            hidden_field(SIDE, place.side),
            submit_button("It stands there now", busy="Writing…", name="as", value="done"),
            submit_button(
                "Plan it as a task", busy="Writing…", weight="plain", name="as", value="task"
            ),
        ],
    )


def _choose(server: ServerView, racks: Sequence[tuple[UUID, str]], place: Place) -> h.Element:
    form = Form(values={RACK: str(place.rack), UNIT: str(place.u_position), SIDE: place.side})
    return h.form(".sw-form", method="get", action=f"{SERVERS}/{server.id}/place")[
        select_field(
            form, RACK, "Rack", [Option(value=str(id_), label=words) for id_, words in racks]
        ),
        text_field(form, UNIT, "Lowest unit", inputmode="numeric"),
        select_field(
            form, SIDE, "Depth", [Option(value=one, label=words) for one, words in SIDES.items()]
        ),
        h.div(".sw-actions")[
            submit_button("Look at it", busy="Looking…", weight="plain", symbol="search"),
            link_button("Leave it there", f"{SERVERS}/{server.id}", weight="quiet"),
        ],
    ]
