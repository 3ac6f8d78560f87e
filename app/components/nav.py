"""Navigation: the items of the portal and of the admin, and tabs within a page."""

from collections.abc import Sequence
from dataclasses import dataclass

import htpy as h

from app.components.icon import IconName, icon


@dataclass(frozen=True, slots=True)
class NavItem:
    """A place in the navigation; `key` is what a page names as `active`."""

    key: str
    label: str
    href: str
    symbol: IconName


PORTAL_NAV = (
    NavItem("catalogue", "Servers", "/", "server"),
    NavItem("services", "Services", "/services", "boxes"),
    NavItem("orders", "Orders", "/orders", "package"),
    NavItem("invoices", "Invoices", "/invoices", "receipt"),
    NavItem("account", "Account", "/account", "user"),
)
PUBLIC_NAV = (NavItem("catalogue", "Servers", "/", "server"),)

ADMIN_NAV: tuple[tuple[str, tuple[NavItem, ...]], ...] = (
    (
        "Operate",
        (
            NavItem("dashboard", "Dashboard", "/admin", "layout-dashboard"),
            NavItem("orders", "Orders", "/admin/orders", "package"),
            NavItem("services", "Services", "/admin/services", "boxes"),
            NavItem("servers", "Servers", "/admin/servers", "server"),
            NavItem("runs", "Runs", "/admin/runs", "workflow"),
        ),
    ),
    (
        "Business",
        (
            NavItem("invoices", "Invoices", "/admin/invoices", "receipt"),
            NavItem("mail", "Mail", "/admin/mails", "mail"),
            NavItem("mail-templates", "Mail templates", "/admin/mail-templates", "pencil"),
        ),
    ),
)


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
