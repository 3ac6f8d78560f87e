"""The page of the serial line of a service's server, for staff."""

import htpy as h

from app.components.admin.client_services import SERVICES
from app.components.frame import PageFrame
from app.components.page import admin_page, page_head
from app.components.serial import serial_card
from app.domain.services.list import ServiceLine


def serial_page(service: ServiceLine, *, frame: PageFrame) -> h.Element:
    here = f"{SERVICES}/{service.id}"
    return admin_page(
        f"Serial console of {service.hostname}",
        page_head(
            "Serial console",
            eyebrow=h.a(href=here)[service.hostname],
            lede=f"This is {service.account_name}'s server.",
        ),
        serial_card(tickets=f"{here}/serial/ticket", csrf=frame.csrf),
        frame=frame,
        active="services",
    )
