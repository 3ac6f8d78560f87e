"""A server that is on or off against what it should be, and the page that has it switched."""

from datetime import datetime

import htpy as h

from app.components.admin.dcim import SERVERS
from app.components.button import link_button, submit_button
from app.components.card import card
from app.components.form import csrf_field, hidden_field
from app.components.frame import PageFrame
from app.components.notice import notice
from app.components.page import admin_page, page_head
from app.components.time import moment
from app.domain.inventory.power import ASKED
from app.domain.inventory.reconcile_power import PATIENCE_S
from app.domain.inventory.states import ServerState
from app.domain.inventory.views import ServerView
from app.drivers.power import Power

DEED = "reconcile-power"
TAKE = "take-power"


def power_notice(
    server: ServerView, *, may_change: bool, is_rejected: bool, csrf: str
) -> h.Element | None:
    """Say that its power is not what it should be, or not known; None when all is well.

    `is_rejected`: the page says already why its BMC tells nothing.
    """
    if server.silent_since is not None:
        if is_rejected or server.bmc_url is None:
            return None
        if server.state is ServerState.available:
            return _free_and_silent(server.silent_since, server.silence)
        if server.state not in ASKED:
            return None
        return notice(
            "info",
            "Whether it is on or off is not known",
            h.p["Its BMC has not told since ", moment(server.silent_since), f": {server.silence}"],
            h.p(".sw-quiet")["It is asked again by itself, at least every 5 minutes."],
        )
    wanted = server.power_to_put_right
    if wanted is None:
        return None
    return notice(
        "warning",
        f"It is {server.power} and should be {wanted}",
        _facts(server),
        h.div(".sw-actions")[
            link_button(f"{_verb(server)} …", f"{SERVERS}/{server.id}/{DEED}", size="small"),
            h.form(".sw-inline-form", method="post", action=f"{SERVERS}/{server.id}/{TAKE}")[
                csrf_field(csrf),
                hidden_field("seen", server.power),
                submit_button(
                    f"{server.power.capitalize()} is right", weight="plain", size="small"
                ),
            ],
        ]
        if may_change
        else None,
    )


def _free_and_silent(since: datetime, words: str | None) -> h.Element:
    return notice(
        "info",
        "Its BMC does not answer",
        h.p["Since ", moment(since), f": {words}"],
        h.p(".sw-quiet")[
            "It is asked again by itself. After a quarter of an hour the server is put into "
            "quarantine, unless most others are silent too; it is sold again when its BMC answers."
        ],
    )


def taken_way(server: ServerView, *, may_change: bool, csrf: str) -> h.Node:
    """Return what was taken for right, and the way back to what its service says."""
    words = f"{server.power_taken}, as was taken for right until its service changes"
    if not may_change:
        return words
    return [
        words,
        h.form(".sw-inline-form", method="post", action=f"{SERVERS}/{server.id}/{TAKE}/back")[
            csrf_field(csrf),
            submit_button("Go by its service again", weight="quiet", size="small"),
        ],
    ]


def reconcile_page(server: ServerView, *, by_cloud: bool, frame: PageFrame) -> h.Element:
    """Return the page that asks whether it is to be switched, by its BMC or by its cloud."""
    here = f"{SERVERS}/{server.id}"
    verb = _verb(server)
    return admin_page(
        f"{verb}: {server.name}",
        page_head(f"{verb}: {server.name}", eyebrow=h.a(href=here)[server.name]),
        h.div(".sw-decide")[
            card(
                h.div(".sw-decide-about")[
                    h.p[f"It is {server.power} and should be {server.power_wanted}."],
                    _facts(server),
                    h.p[_means(server, by_cloud=by_cloud)],
                ],
                h.form(method="post", action=f"{here}/{DEED}")[
                    csrf_field(frame.csrf),
                    h.div(".sw-actions")[
                        submit_button(
                            verb,
                            weight="primary" if server.power is Power.OFF else "danger",
                            symbol="power",
                        ),
                        link_button("Keep it as it is", here, weight="quiet"),
                    ],
                ],
            )
        ],
        frame=frame,
        active="servers",
    )


def _verb(server: ServerView) -> str:
    return "Switch it on" if server.power is Power.OFF else "Switch it off"


def _facts(server: ServerView) -> h.Element:
    since, seen = server.power_drift_since, server.power_seen_at
    return h.p[
        f"Its service is {server.service_state}.",
        [f" First seen {server.power} ", moment(since)] if since else None,
        [", last ", moment(seen), "."] if seen else None,
    ]


def _means(server: ServerView, *, by_cloud: bool) -> str:
    if server.power is Power.OFF:
        return "Its client may have switched it off, or it has failed. It starts from its disk."
    patience = "5 min" if by_cloud else f"{PATIENCE_S:g} s"
    return (
        f"Its system is asked to stop; if it still runs after {patience}, its power is taken away."
    )
