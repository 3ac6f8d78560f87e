"""Navigation: the items of the portal and of the admin, and tabs within a page."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import htpy as h

from app.components.icon import IconName, icon
from app.domain.accounts.roles import Permission


@dataclass(frozen=True, slots=True)
class NavItem:
    """A place in the navigation; `key` is what a page names as `active`.

    `needs` is the permission without which it cannot be entered.
    """

    key: str
    label: str
    href: str
    symbol: IconName
    needs: Permission | None = None


PORTAL_NAV = (
    NavItem("catalogue", "Servers", "/", "server"),
    NavItem("services", "Services", "/services", "boxes"),
    NavItem("orders", "Orders", "/orders", "package"),
    NavItem("invoices", "Invoices", "/invoices", "receipt"),
    NavItem("account", "Account", "/account", "user"),
)
PUBLIC_NAV = (NavItem("catalogue", "Servers", "/", "server"),)

P = Permission
ADMIN_NAV: tuple[tuple[str, tuple[NavItem, ...]], ...] = (
    (
        "Operate",
        (
            NavItem("dashboard", "Dashboard", "/admin", "layout-dashboard", P.ADMIN),
            NavItem("orders", "Orders", "/admin/orders", "package", P.ORDERS_READ),
            NavItem("services", "Services", "/admin/services", "boxes", P.SERVICES_READ),
            NavItem("servers", "Servers", "/admin/servers", "server", P.SERVERS_READ),
            NavItem("machines", "Machines", "/admin/machines", "cpu", P.SERVICES_READ),
            NavItem("nodes", "Nodes", "/admin/nodes", "hard-drive", P.SERVERS_READ),
            NavItem("racks", "Racks", "/admin/racks", "database", P.SERVERS_READ),
            NavItem("stock", "Stock", "/admin/stock", "chart-line", P.SERVERS_READ),
            NavItem("addresses", "Addresses", "/admin/prefixes", "map-pin", P.ADDRESSES_READ),
            NavItem("reverse-dns", "Reverse DNS", "/admin/reverse-dns", "globe", P.ADDRESSES_READ),
            NavItem("runs", "Runs", "/admin/runs", "activity", P.FLOWS_READ),
            NavItem("flows", "Flows", "/admin/flows", "workflow", P.FLOWS_READ),
            NavItem(
                "connections", "Connections", "/admin/connections", "network", P.CONNECTIONS_READ
            ),
        ),
    ),
    (
        "Design",
        (NavItem("designer", "Flow editor", "/designer", "pencil", P.FLOWS_CHANGE),),
    ),
    (
        "Business",
        (
            NavItem("invoices", "Invoices", "/admin/invoices", "receipt", P.INVOICES_READ),
            NavItem("mail", "Mail", "/admin/mails", "mail", P.MAIL_READ),
            NavItem(
                "mail-templates", "Mail templates", "/admin/mail-templates", "pencil", P.MAIL_READ
            ),
        ),
    ),
    (
        "Automate",
        (NavItem("tokens", "API tokens", "/admin/tokens", "key-round", P.ADMIN),),
    ),
)


def admin_nav(allowed: Collection[Permission]) -> list[tuple[str, list[NavItem]]]:
    """Return the groups of the admin's navigation, with the places that `allowed` opens."""
    groups = [
        (name, [item for item in items if item.needs is None or item.needs in allowed])
        for name, items in ADMIN_NAV
    ]
    return [(name, items) for name, items in groups if items]


def nav_link(item: NavItem, active: str | None) -> h.Element:
    here = "page" if item.key == active else None
    return h.a(".sw-nav-link", href=item.href, aria_current=here)[
        icon(item.symbol), h.span[item.label]
    ]


@dataclass(frozen=True, slots=True)
class Tab:
    label: str
    href: str
    count: int | None = None


def tabs(items: Sequence[Tab], active: str, *, label: str = "Views") -> h.Element:
    """Return links to sibling views of a page; `active` is the address of the one shown."""
    return h.nav(".sw-tabs", aria_label=label)[
        [
            h.a(".sw-tab", href=item.href, aria_current="page" if item.href == active else None)[
                item.label,
                h.span(".sw-count")[f"{item.count:,}"] if item.count is not None else None,
            ]
            for item in items
        ]
    ]
