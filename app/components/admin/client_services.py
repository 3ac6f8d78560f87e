"""The list of services: what clients have."""

from collections.abc import Mapping

import htpy as h

from app.components.admin.filters import Wanted, counted_views, filter_bar, listing
from app.components.badge import state_badge
from app.components.frame import PageFrame
from app.components.money import money
from app.components.page import admin_page, page_head
from app.components.portal.cycle import PER
from app.components.table import Column, Row
from app.components.time import moment
from app.core.money import Money
from app.domain.services.list import ServiceLine, ServiceLines
from app.domain.services.states import ServiceState

SERVICES = "/admin/services"
VIEWS: Mapping[str, tuple[str, tuple[ServiceState, ...]]] = {
    "": ("All", ()),
    **{state.value: (state.value.capitalize(), (state,)) for state in ServiceState},
}

_COLUMNS = (
    Column("Service"),
    Column("Client"),
    Column("Product"),
    Column("Machine"),
    Column("State", narrow=True),
    Column("Price", figures=True, narrow=True),
)


def services_page(
    found: ServiceLines,
    counts: Mapping[ServiceState, int],
    wanted: Wanted,
    *,
    frame: PageFrame,
) -> h.Element:
    return admin_page(
        "Services",
        page_head("Services", lede="What clients have, from provisioning to the end."),
        filter_bar(
            wanted,
            counted_views(VIEWS, counts),
            search="Host name, server, provider, e-mail or order number",
        ),
        services_list(found, wanted),
        frame=frame,
        active="services",
    )


def services_list(found: ServiceLines, wanted: Wanted) -> h.Element:
    return listing(
        wanted,
        _COLUMNS,
        [_row(one) for one in found.items],
        topic="dashboard",
        caption="Services",
        page_count=found.page_count,
        total=found.total,
        symbol="boxes",
        nothing=("No services yet", "A service begins when its order is paid."),
    )


def _row(one: ServiceLine) -> Row:
    return Row(
        cells=(
            h.div[
                h.span(".sw-strong")[one.hostname],
                h.span(".sw-under")[f"order #{one.order_number}"],
            ],
            h.div[one.account_name, h.span(".sw-under")[one.account_email]],
            one.product_name,
            h.div[one.server_name or one.connection or "–", h.span(".sw-under")[one.datacentre]],
            h.div[state_badge(one.state), h.span(".sw-under")[moment(one.state_since)]],
            money(Money(one.recurring_minor, one.currency), per=PER[one.cycle]),
        ),
        href=f"{SERVICES}/{one.id}",
        id_=f"service-{one.id}",
    )
