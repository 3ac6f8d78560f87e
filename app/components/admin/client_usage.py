"""The page of what a service's virtual machine or game server used, for staff."""

import htpy as h

from app.components.admin.client_services import SERVICES
from app.components.frame import PageFrame
from app.components.page import admin_page, page_head
from app.components.usage import UsageFile, usage_region
from app.domain.services.list import ServiceLine


def usage_page(service: ServiceLine, file: UsageFile, *, frame: PageFrame) -> h.Element:
    return admin_page(
        f"Usage of {service.hostname}",
        page_head(
            "Usage",
            eyebrow=h.a(href=f"{SERVICES}/{service.id}")[service.hostname],
            lede=f"{service.product_name} of {service.account_name}; times are UTC.",
        ),
        usage_region(file),
        frame=frame,
        active="services",
    )
