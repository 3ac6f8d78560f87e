"""The page of the screen of a service's virtual machine, for staff."""

import htpy as h

from app.components.admin.client_services import SERVICES
from app.components.console import console_card
from app.components.frame import PageFrame
from app.components.page import admin_page, page_head
from app.domain.services.list import ServiceLine


def console_page(service: ServiceLine, *, frame: PageFrame) -> h.Element:
    here = f"{SERVICES}/{service.id}"
    return admin_page(
        f"Console of {service.hostname}",
        page_head(
            "Console",
            eyebrow=h.a(href=here)[service.hostname],
            lede=f"This is {service.account_name}'s machine.",
        ),
        console_card(tickets=f"{here}/console/ticket", csrf=frame.csrf),
        frame=frame,
        active="services",
    )
