"""Icons of the Lucide set, out of one sprite that holds only those named here.

To use another icon, add its Lucide name to `IconName` and run `slipway assets`.
"""

from typing import Literal, get_args

import htpy as h

from app.components.assets import asset_url

IconName = Literal[
    "activity",
    "arrow-down",
    "arrow-left",
    "arrow-right",
    "arrow-up",
    "arrow-up-right",
    "ban",
    "banknote",
    "bell",
    "box",
    "boxes",
    "calendar",
    "chart-line",
    "check",
    "chevron-down",
    "chevron-left",
    "chevron-right",
    "chevrons-up-down",
    "circle-alert",
    "circle-check",
    "circle-dashed",
    "circle-help",
    "circle-x",
    "clock",
    "copy",
    "cpu",
    "credit-card",
    "database",
    "download",
    "ellipsis",
    "external-link",
    "eye",
    "eye-off",
    "file-text",
    "git-compare",
    "globe",
    "hard-drive",
    "hourglass",
    "info",
    "key-round",
    "landmark",
    "layout-dashboard",
    "list",
    "loader-circle",
    "lock",
    "log-in",
    "log-out",
    "mail",
    "map-pin",
    "maximize",
    "memory-stick",
    "menu",
    "message-square",
    "minus",
    "monitor",
    "moon",
    "network",
    "package",
    "pause",
    "pencil",
    "play",
    "plus",
    "power",
    "receipt",
    "redo-2",
    "refresh-cw",
    "rotate-ccw",
    "search",
    "server",
    "settings",
    "shield-check",
    "shopping-cart",
    "sliders-horizontal",
    "square-terminal",
    "sticky-note",
    "sun",
    "sun-moon",
    "tag",
    "ticket",
    "timer",
    "trash-2",
    "triangle-alert",
    "undo-2",
    "user",
    "users",
    "wallet",
    "webhook",
    "workflow",
    "wrench",
    "x",
    "zap",
    "zoom-in",
]
ICONS: tuple[str, ...] = get_args(IconName)


def icon(name: IconName, *, label: str | None = None, cls: str = "") -> h.Element:
    """Return a 1em icon; without a `label` it is hidden from screen readers."""
    voice = {"role": "img", "aria-label": label} if label else {"aria-hidden": "true"}
    return h.svg({"class": ["ico", cls], "focusable": "false", **voice})[
        h.use(href=f"{asset_url('icons.svg')}#{name}")
    ]
