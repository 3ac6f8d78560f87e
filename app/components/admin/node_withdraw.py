"""The decision to take a server out of the cloud that has it."""

from uuid import UUID

import htpy as h

from app.components.admin.dcim import SERVERS
from app.components.admin.decide import decide_page
from app.components.admin.nodes import NODES
from app.components.form import Form, hidden_field
from app.components.frame import PageFrame


def withdraw_page(server: UUID, form: Form, *, frame: PageFrame) -> h.Element:
    name = form.value("server")
    return decide_page(
        f"Take {name} out of its cloud",
        hidden_field("server", name),
        about=[
            h.p[
                "A node that we enrolled is deleted at the cloud; one that was there before stays, "
                "without our mark. Nothing is written on the disks."
            ],
            h.p["Our flows can install on the server by its BMC from then on."],
        ],
        form=form,
        action=f"{NODES}/withdraw",
        confirm="Take it out",
        back=(name, f"{SERVERS}/{server}"),
        frame=frame,
        active="nodes",
        weight="danger",
    )
