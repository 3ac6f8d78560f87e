"""A rack as one stands before it: units from the top, servers coloured by their state."""

from collections import Counter

import htpy as h

from app.components.admin.servers import SERVERS, hardware_words
from app.components.badge import STATE_TONES, badge
from app.components.card import card, split, stack
from app.components.frame import PageFrame
from app.components.page import admin_page, page_head
from app.components.progress import quota
from app.components.tone import Tone
from app.domain.inventory.states import ServerState
from app.domain.inventory.views import RackView, ServerRow


def rack_page(rack: RackView, *, frame: PageFrame) -> h.Element:
    counts = Counter(server.state for server in rack.servers)
    used_u = sum(server.u_height for server in rack.servers)
    legend = h.ul(".sw-legend")[
        [
            h.li[badge(state.capitalize(), _tone(state)), h.span[f"{count:,}"]]
            for state, count in counts.most_common()
        ]
    ]
    power = (
        quota(rack.power_draw_watts, rack.power_budget_watts, label="Power", unit="W")
        if rack.power_budget_watts
        else h.p(".sw-quiet")[f"{rack.power_draw_watts:,} W; no budget is written down."]
    )
    return admin_page(
        f"Rack {rack.name}",
        page_head(
            f"Rack {rack.name}",
            eyebrow=h.a(href=f"{SERVERS}?datacentre={rack.datacentre}")[rack.datacentre],
            lede=f"{len(rack.servers)} servers in {rack.u_height} units",
        ),
        split(
            card(elevation(rack), title="Elevation", symbol="server"),
            stack(
                card(
                    stack(quota(used_u, rack.u_height, label="Units"), power),
                    title="Capacity",
                ),
                card(legend, title="States") if counts else None,
            ),
        ),
        frame=frame,
        active="servers",
    )


def elevation(rack: RackView) -> h.Element:
    """Return a table with a row for each unit; a server spans the rows of its units."""
    tops = {server.u_position + server.u_height - 1: server for server in rack.servers}
    covered = {
        unit
        for server in rack.servers
        for unit in range(server.u_position, server.u_position + server.u_height - 1)
    }
    return h.table(".sw-rack")[
        h.caption(".visually-hidden")[f"Rack {rack.name} from its top unit downwards"],
        h.thead(".visually-hidden")[h.tr[h.th(scope="col")["Unit"], h.th(scope="col")["Server"]]],
        h.tbody[
            [
                h.tr[
                    h.th(scope="row")[str(unit)],
                    None if unit in covered else _unit(tops.get(unit)),
                ]
                for unit in range(rack.u_height, 0, -1)
            ]
        ],
    ]


def _unit(server: ServerRow | None) -> h.Element:
    if server is None:
        return h.td(".sw-rack-free")[h.span(".visually-hidden")["free"]]
    return h.td(rowspan=server.u_height, class_=["sw-rack-server", f"tone-{_tone(server.state)}"])[
        h.a(href=f"{SERVERS}/{server.id}")[
            h.span(".sw-rack-name")[server.name],
            h.span(".sw-rack-what")[hardware_words(server)],
            h.span(".sw-rack-state")[server.state],
        ]
    ]


def _tone(state: ServerState) -> Tone:
    """Return a state's tone; here what is free and what runs have to be told apart."""
    own: dict[ServerState, Tone] = {
        ServerState.active: "accent",
        ServerState.provisioning: "info",
    }
    return own.get(state) or STATE_TONES.get(state, "neutral")
