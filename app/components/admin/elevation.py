"""A rack as one stands before it, or behind it: units from the top, filled by what is there."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import htpy as h

from app.components.admin.dcim import SERVERS, occupant_href
from app.components.admin.servers import hardware_words
from app.components.badge import STATE_TONES, badge
from app.components.tone import Tone
from app.domain.inventory.states import ServerState
from app.domain.inventory.views import DeviceView, PlannedMove, RackView, ServerRow

Face: TypeAlias = Literal["front", "rear"]
Colour: TypeAlias = Literal["state", "client", "power"]
COLOURS: Mapping[Colour, str] = {"state": "State", "client": "Client", "power": "Power"}
CLIENT_HUES = 8
POWER_STEPS = (100, 200, 300, 500)
"""Watts from which a server's shade is one darker."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposed:
    """A machine that is to stand somewhere; `is_refused` when a rule is against it."""

    name: str
    u_position: int
    u_height: int
    side: str
    is_refused: bool = False


_Occupant: TypeAlias = ServerRow | DeviceView | PlannedMove


def elevations(
    rack: RackView,
    *,
    colour: Colour = "state",
    proposed: tuple[Proposed, ...] = (),
    draggable: bool = False,
) -> h.Element:
    """Return the rack from the front and from the rear, side by side where there is room."""
    return h.div(".sw-elevations", data_rack=str(rack.id) if draggable else None)[
        [
            h.div[
                h.h3(".sw-elevation-title")[face.capitalize()],
                _face(rack, face, colour, proposed, draggable=draggable),
            ]
            for face in FACES
        ]
    ]


FACES: tuple[Face, ...] = ("front", "rear")


def _face(
    rack: RackView,
    face: Face,
    colour: Colour,
    proposed: tuple[Proposed, ...],
    *,
    draggable: bool,
) -> h.Element:
    """Return a table with a row for each unit; what is there spans the rows of its units."""
    tops: dict[int, _Occupant] = {}
    covered: set[int] = set()
    for one in (*rack.standing, *rack.moves):
        if one.u_position is not None and one.side in {"both", face}:
            tops[one.u_position + one.u_height - 1] = one
            covered.update(range(one.u_position, one.u_position + one.u_height))
    wanted = {
        unit: one
        for one in proposed
        if one.side in {"both", face}
        for unit in range(one.u_position, one.u_position + one.u_height)
    }
    hues = client_hues(rack)

    def cell(unit: int) -> h.Node:
        if unit in tops:
            one = tops[unit]
            span = range(one.u_position or 0, unit + 1)
            return _filled(
                one,
                colour,
                hues,
                is_wanted=any(each in wanted for each in span),
                draggable=draggable,
            )
        if unit in covered:
            return None
        return _wanted(wanted[unit]) if unit in wanted else _free()

    return h.table(".sw-rack", data_face=face)[
        h.caption(".visually-hidden")[f"Rack {rack.name}, {face}, from its top unit downwards"],
        h.thead(".visually-hidden")[
            h.tr[h.th(scope="col")["Unit"], h.th(scope="col")["Filled by"]]
        ],
        h.tbody[
            [
                h.tr(data_unit=unit)[h.th(scope="row")[str(unit)], cell(unit)]
                for unit in range(rack.u_height, 0, -1)
            ]
        ],
    ]


def _filled(
    one: _Occupant,
    colour: Colour,
    hues: Mapping[str, int],
    *,
    is_wanted: bool,
    draggable: bool,
) -> h.Element:
    if isinstance(one, PlannedMove):
        return h.td(
            rowspan=one.u_height, class_=["sw-rack-server", "is-planned", {"is-wanted": is_wanted}]
        )[
            h.a(href=f"{SERVERS}/{one.server}")[
                h.span(".sw-rack-name")[one.server_name], h.span(".sw-rack-state")["planned"]
            ]
        ]
    is_server = isinstance(one, ServerRow)
    return h.td(
        rowspan=one.u_height,
        class_=["sw-rack-server", _tint(one, colour, hues), {"is-wanted": is_wanted}],
        draggable="true" if draggable and is_server else None,
        data_machine=str(one.id) if draggable and is_server else None,
        data_height=one.u_height if draggable and is_server else None,
        data_side=one.side if draggable and is_server else None,
    )[
        h.a(href=occupant_href(one), draggable="false" if draggable else None)[
            h.span(".sw-rack-name")[one.name],
            h.span(".sw-rack-what")[_what(one)],
            h.span(".sw-rack-state")[_says(one, colour)],
        ]
    ]


def _wanted(one: Proposed) -> h.Element:
    mark = "is-refused" if one.is_refused else "is-proposed"
    return h.td(class_=["sw-rack-server", mark])[
        h.span(".sw-rack-cell")[
            h.span(".sw-rack-name")[one.name],
            h.span(".sw-rack-state")["refused" if one.is_refused else "proposed"],
        ]
    ]


def _free() -> h.Element:
    return h.td(".sw-rack-free")[h.span(".visually-hidden")["free"]]


def _what(one: ServerRow | DeviceView) -> str:
    return one.model if isinstance(one, DeviceView) else hardware_words(one)


def _says(one: ServerRow | DeviceView, colour: Colour) -> str:
    if colour == "power":
        return f"{one.power_draw_watts:,} W"
    if isinstance(one, DeviceView):
        return one.kind
    return one.state if colour == "state" else (one.account_email or "nobody's")


def _tint(one: ServerRow | DeviceView, colour: Colour, hues: Mapping[str, int]) -> str:
    if colour == "power":
        return f"is-power-{sum(one.power_draw_watts >= step for step in POWER_STEPS)}"
    if isinstance(one, DeviceView):
        return "is-device"
    if colour == "client":
        return f"is-hue-{hues[one.account_email]}" if one.account_email else "is-device"
    return f"tone-{state_tone(one.state)}"


def client_hues(rack: RackView) -> dict[str, int]:
    """Return a colour for each client of the rack; colours repeat after `CLIENT_HUES`."""
    clients = dict.fromkeys(one.account_email for one in rack.servers if one.account_email)
    return {client: place % CLIENT_HUES for place, client in enumerate(sorted(clients))}


def state_tone(state: ServerState) -> Tone:
    """Return a state's tone; here what is free and what runs have to be told apart."""
    own: dict[ServerState, Tone] = {
        ServerState.active: "accent",
        ServerState.provisioning: "info",
    }
    return own.get(state) or STATE_TONES.get(state, "neutral")


def legend(rack: RackView, colour: Colour) -> h.Element:
    """Return what the colours of the elevation stand for, with how many there are of each."""
    if colour == "state":
        states = dict.fromkeys(one.state for one in rack.servers)
        lines = [
            (
                badge(state.capitalize(), state_tone(state)),
                sum(one.state is state for one in rack.servers),
            )
            for state in states
        ]
    elif colour == "client":
        lines = [
            (
                h.span(class_=["sw-hue", f"is-hue-{hue}"])[client],
                sum(one.account_email == client for one in rack.servers),
            )
            for client, hue in client_hues(rack).items()
        ]
    else:
        bounds = (0, *POWER_STEPS)
        lines = [
            (
                h.span(class_=["sw-hue", f"is-power-{step}"])[
                    f"{low:,} W or more" if step else f"under {POWER_STEPS[0]} W"
                ],
                sum(
                    sum(one.power_draw_watts >= bound for bound in POWER_STEPS) == step
                    for one in rack.standing
                ),
            )
            for step, low in enumerate(bounds)
        ]
    return h.ul(".sw-legend")[[h.li[mark, h.span[f"{count:,}"]] for mark, count in lines]]
