"""Forms that have servers burned in, and that stop it."""

from collections.abc import Sequence

import htpy as h

from app.components.admin.dcim import SERVERS
from app.components.admin.decide import decide_page
from app.components.admin.server_form import SERVER
from app.components.badge import state_badge
from app.components.choice import Option, select_field
from app.components.form import Form, hidden_field
from app.components.frame import PageFrame
from app.components.time import about_text
from app.domain.inventory.burn_in import USUAL_MINUTES
from app.domain.inventory.views import ServerRow, ServerView

MINUTES = (30, 120, 480, USUAL_MINUTES, 2_880, 4_320, 10_080)
ABOUT = (
    "Processors and memory are put under load, what they compute is verified, and disks are read: "
    "nothing is written on them. Meanwhile it is not sold. When every part bore it, it is in stock "
    "again by itself; otherwise it goes to quarantine with the reason."
)
LABELS = {"minutes": "For how long"}


def burn_in_page(servers: Sequence[ServerRow], form: Form, *, frame: PageFrame) -> h.Element:
    """Return the decision to burn servers in: one, or several at once."""
    (first, *others) = servers
    one = f"{SERVERS}/{first.id}"
    title = f"Burn in {len(servers)} servers" if others else f"Burn in {first.name}"
    names = h.p(".sw-quiet")[", ".join(server.name for server in servers)] if others else None
    return decide_page(
        title,
        [hidden_field(SERVER, str(server.id)) for server in servers] if others else None,
        select_field(
            form,
            "minutes",
            "For how long",
            [Option(value=str(each), label=about_text(each * 60_000)) for each in MINUTES],
            value=str(USUAL_MINUTES),
        ),
        about=[h.p[ABOUT], names],
        form=form,
        action=f"{SERVERS}/many/burn-in" if others else f"{one}/burn-in",
        confirm="Burn them in" if others else "Burn it in",
        back=("Servers", SERVERS) if others else (first.name, one),
        frame=frame,
        active="servers",
        labels=LABELS,
    )


def stop_page(server: ServerView, form: Form, *, frame: PageFrame) -> h.Element:
    return decide_page(
        f"Stop the burn-in of {server.name}",
        about=[
            h.p[
                "The machine is switched off, and is then where it was before. What was found so "
                "far says nothing of it."
            ],
            h.p(".sw-quiet")[state_badge(server.state), " ", server.state_reason],
        ],
        form=form,
        action=f"{SERVERS}/{server.id}/burn-in/stop",
        confirm="Stop the burn-in",
        back=(server.name, f"{SERVERS}/{server.id}"),
        frame=frame,
        active="servers",
    )
