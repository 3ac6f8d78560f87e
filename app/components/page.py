"""Whole pages: the portal's, the admin's, and the plain one for signing in and errors."""

import json
from collections.abc import Sequence
from datetime import UTC

import htpy as h

from app.components.assets import asset_url
from app.components.brand import mark, wordmark
from app.components.form import csrf_field
from app.components.frame import PageFrame
from app.components.icon import icon
from app.components.live import live_indicator
from app.components.nav import PORTAL_NAV, PUBLIC_NAV, admin_nav, nav_link
from app.components.notice import flash_messages

SIGN_IN, SIGN_UP, SIGN_OUT = "/sign-in", "/sign-up", "/sign-out"

# Statuses at which htmx leaves the page as it is; our js tells the user instead.
# 422 and 409 are swapped: they carry the form with its errors.
_HTMX = json.dumps(
    {
        "includeIndicatorCSS": False,
        "history": "reload",
        "noSwap": [204, 304, 401, 403, 404, 429, "5xx"],
        "defaultTimeout": 15_000,
    }
)


def portal_page(
    title: str, *children: h.Node, frame: PageFrame, active: str | None = None, head: h.Node = None
) -> h.Element:
    """Return a page for clients: navigation on top, at the bottom of a phone's screen.

    `active` is the key of a `PORTAL_NAV` item; `head` is for a gateway's script.
    """
    items = PORTAL_NAV if frame.account else PUBLIC_NAV
    bar = h.header(".sw-header")[
        h.div(".sw-header-inner")[
            wordmark(frame.brand, "/"),
            h.nav(".sw-nav", aria_label="Main")[[nav_link(item, active) for item in items]]
            if frame.account or active
            else None,
            h.div(".sw-header-end")[
                live_indicator(), theme_button(), _account_menu(frame, admin=False)
            ],
        ]
    ]
    body = h.body(
        _body_attributes(frame), class_=["sw-portal", {"has-tabbar": frame.account is not None}]
    )[
        _skip_link(),
        bar,
        h.main("#main.sw-main", tabindex="-1")[flash_messages(frame.flashes, frame.csrf), children],
        _footer(frame),
    ]
    return _document(title, body, frame, head)


def admin_page(
    title: str, *children: h.Node, frame: PageFrame, active: str | None = None
) -> h.Element:
    """Return a page for the provider's people: navigation at the side, folded away on a phone.

    The navigation has what `frame.allowed` opens.

    `active` is the key of an `ADMIN_NAV` item.
    """
    groups = [
        h.div(".sw-side-group")[
            h.p(".sw-side-title")[name], [nav_link(item, active) for item in items]
        ]
        for name, items in admin_nav(frame.allowed)
    ]
    side = h.nav(".sw-side", aria_label="Main")[
        h.div(".sw-side-inner")[
            h.div(".sw-side-head")[
                wordmark(frame.brand, "/admin"), h.span(".sw-side-tag")["Admin"]
            ],
            groups,
        ]
    ]
    # On a phone the same navigation is in a <details>, which needs no js and no focus trap.
    fold = h.details(".sw-fold")[
        h.summary[icon("menu"), h.span(".visually-hidden")["Menu"]],
        h.nav(aria_label="Menu")[groups],
    ]
    bar = h.header(".sw-topbar")[
        fold,
        h.a(".sw-brand.sw-topbar-brand", href="/admin", aria_label=frame.brand)[mark()],
        h.span(".sw-topbar-title", aria_hidden="true")[title],
        h.div(".sw-header-end")[live_indicator(), theme_button(), _account_menu(frame, admin=True)],
    ]
    body = h.body(".sw-admin", _body_attributes(frame))[
        _skip_link(),
        side,
        h.div(".sw-admin-column")[
            bar,
            h.main("#main.sw-main", tabindex="-1")[
                flash_messages(frame.flashes, frame.csrf), children
            ],
        ],
    ]
    return _document(title, body, frame)


def workbench_page(
    title: str, *children: h.Node, frame: PageFrame, bar: h.Node, head: h.Node = None
) -> h.Element:
    """Return a page that fills the window, for the provider's people at work on one thing.

    It does without Tabler's sheet: see `static/bench.css`.
    `bar` is what its head holds beside the way back and the account; messages lie over the page.
    """
    body = h.body(".sw-bench", _body_attributes(frame))[
        h.a(".sw-skip", href="#canvas")["Skip to the canvas"],
        h.header(".sw-bench-bar")[
            bar,
            h.div(".sw-header-end")[
                live_indicator(), theme_button(), _account_menu(frame, admin=True)
            ],
        ],
        h.main("#main.sw-bench-main", tabindex="-1")[children],
        h.div(".sw-bench-flashes")[flash_messages(frame.flashes, frame.csrf)],
    ]
    return _document(title, body, frame, head, sheets=("fonts.css", "bench.css"))


def plain_page(title: str, *children: h.Node, frame: PageFrame) -> h.Element:
    """Return a page with nothing but one column: sign-in, sign-up, errors."""
    body = h.body(".sw-plain", _body_attributes(frame))[
        _skip_link(),
        h.header(".sw-plain-head")[wordmark(frame.brand, "/"), theme_button()],
        h.main("#main.sw-plain-main", tabindex="-1")[
            flash_messages(frame.flashes, frame.csrf), children
        ],
        _footer(frame),
    ]
    return _document(title, body, frame)


def page_head(
    title: str,
    *,
    lede: h.Node = None,
    eyebrow: h.Node = None,
    status: h.Node = None,
    actions: h.Node = None,
) -> h.Element:
    """Return a page's heading; `eyebrow` is a small line or a way back above it."""
    return h.div(".sw-page-head")[
        h.div[
            h.p(".sw-eyebrow")[eyebrow] if eyebrow is not None else None,
            h.div(".sw-title-line")[h.h1[title], status],
            h.p(".sw-lede")[lede] if lede is not None else None,
        ],
        h.div(".sw-actions")[actions] if actions is not None else None,
    ]


def theme_button() -> h.Element:
    """Return the switch from system to light to dark; js shows it and keeps a cookie."""
    return h.button(
        "#theme.btn.btn-quiet.btn-square", type="button", hidden=True, aria_label="Theme: system"
    )[
        icon("sun-moon", cls="when-auto"),
        icon("sun", cls="when-light"),
        icon("moon", cls="when-dark"),
    ]


def _document(
    title: str,
    body: h.Element,
    frame: PageFrame,
    head: h.Node = None,
    *,
    sheets: Sequence[str] = ("vendor.css",),
) -> h.Element:
    now = frame.now.astimezone(UTC).isoformat() if frame.now else None
    return h.html(lang="en", data_bs_theme=None if frame.theme == "auto" else frame.theme)[
        h.head[
            h.meta(charset="utf-8"),
            h.meta(
                name="viewport", content="width=device-width, initial-scale=1, viewport-fit=cover"
            ),
            h.title[f"{title} · {frame.brand}"],
            h.meta(name="htmx-config", content=_HTMX),
            h.meta(name="slipway-now", content=now) if now else None,
            h.link(rel="icon", type="image/svg+xml", href=asset_url("mark.svg")),
            h.link(
                rel="preload",
                as_="font",
                type="font/woff2",
                crossorigin=True,
                href=asset_url("inter-latin.woff2"),
            ),
            [h.link(rel="stylesheet", href=asset_url(sheet)) for sheet in sheets],
            h.link(rel="stylesheet", href=asset_url("slipway.css")),
            h.script(src=asset_url("htmx.js"), defer=True),
            h.script(src=asset_url("slipway.js"), defer=True),
            head,
        ],
        body,
    ]


def _body_attributes(frame: PageFrame) -> dict[str, h.Attribute]:
    """Give every htmx request of the page its CSRF header."""
    if not frame.csrf:
        return {}
    return {"hx-headers:inherited": json.dumps({"x-csrftoken": frame.csrf})}


def _skip_link() -> h.Element:
    return h.a(".sw-skip", href="#main")["Skip to content"]


def _account_menu(frame: PageFrame, *, admin: bool) -> h.Node:
    if frame.account is None:
        return [
            h.a(".btn.btn-quiet", href=SIGN_IN)["Sign in"],
            h.a(".btn.btn-primary", href=SIGN_UP)["Sign up"],
        ]
    other = ("/", "Client portal") if admin else ("/admin", "Admin")
    return h.details(".sw-menu")[
        h.summary(aria_label=f"Account of {frame.account.email}")[
            h.span(".sw-avatar", aria_hidden="true")[frame.account.email[:1].upper()]
        ],
        h.div(".sw-menu-panel")[
            h.p(".sw-menu-who")[frame.account.email],
            h.a(".sw-menu-item", href="/account")[icon("settings"), "Account"],
            h.a(".sw-menu-item", href=other[0])[icon("arrow-up-right"), other[1]]
            if frame.staff
            else None,
            h.form(method="post", action=SIGN_OUT)[
                csrf_field(frame.csrf),
                h.button(".sw-menu-item", type="submit")[icon("log-out"), "Sign out"],
            ],
        ],
    ]


def _footer(frame: PageFrame) -> h.Element:
    return h.footer(".sw-footer")[
        h.span[frame.brand],
        h.span["All times in UTC unless relative"],
    ]
