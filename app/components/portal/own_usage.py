"""The page of what a client's virtual machine or game server used."""

import htpy as h

from app.components.frame import PageFrame
from app.components.page import page_head, portal_page
from app.components.usage import UsageFile, usage_region
from app.domain.services.views import ServiceView


def usage_page(service: ServiceView, file: UsageFile, *, frame: PageFrame) -> h.Element:
    return portal_page(
        f"Usage of {service.hostname}",
        page_head(
            "Usage",
            eyebrow=h.a(href=f"/services/{service.id}")[service.hostname],
            lede="As the provider measures it; times are UTC.",
        ),
        usage_region(file),
        frame=frame,
        active="services",
    )
