"""The page of the serial line of a client's server."""

import htpy as h

from app.components.frame import PageFrame
from app.components.page import page_head, portal_page
from app.components.serial import serial_card
from app.domain.services.views import ServiceView


def serial_page(service: ServiceView, *, frame: PageFrame) -> h.Element:
    here = f"/services/{service.id}"
    return portal_page(
        f"Serial console of {service.hostname}",
        page_head("Serial console", eyebrow=h.a(href=here)[service.hostname]),
        serial_card(tickets=f"{here}/serial/ticket", csrf=frame.csrf),
        frame=frame,
        active="services",
    )
