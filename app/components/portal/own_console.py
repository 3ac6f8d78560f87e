"""The page of the screen of a client's virtual machine."""

import htpy as h

from app.components.console import console_card
from app.components.frame import PageFrame
from app.components.page import page_head, portal_page
from app.domain.services.views import ServiceView


def console_page(service: ServiceView, *, frame: PageFrame) -> h.Element:
    here = f"/services/{service.id}"
    return portal_page(
        f"Console of {service.hostname}",
        page_head("Console", eyebrow=h.a(href=here)[service.hostname]),
        console_card(tickets=f"{here}/console/ticket", csrf=frame.csrf),
        frame=frame,
        active="services",
    )
