"""How the queues and the servers are: the part of the dashboard that changes less."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import htpy as h

from app.components.admin.run_bits import length_ms
from app.components.admin.server_aside import failed_words, next_look
from app.components.card import card, stack
from app.components.live import live_region
from app.components.progress import progress
from app.components.time import duration_text, moment
from app.domain.inventory.states import ServerState
from app.domain.inventory.views import ServerRow, SilentBmc
from app.domain.notices.states import MailState
from app.domain.orders.figures import Backlog

HEALTH_URL = "/admin/dashboard/health"
SLOW_QUEUE = timedelta(seconds=30)
MANY_MAILS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """The queues, and the servers where the role may see them."""

    at: datetime
    backlog: Backlog
    mails: dict[MailState, int]
    servers: dict[ServerState, int] | None
    quarantined: tuple[ServerRow, ...]
    silent: int
    """Servers of clients whose BMC has said nothing for a while."""
    silent_bmcs: tuple[SilentBmc, ...]
    """The first of them."""
    drifts: int
    """Servers that are on or off against what they should be."""
    node_drifts: int
    """Nodes of clouds that are not what they should be."""


def health_region(health: Health) -> h.Element:
    """Return what changes less: fetched again at most every 5 s."""
    return live_region(
        "dashboard servers nodes mails", HEALTH_URL, id_="health", at_most_every_ms=5_000
    )[
        stack(
            _behind(health),
            _silent(health) if health.silent else None,
            _quarantined(health) if health.servers is not None else None,
        )
    ]


def _behind(health: Health) -> h.Element:
    """Show the queues: mails, and what follows commits."""
    waiting, refused = health.mails[MailState.queued], health.mails[MailState.refused]
    age = health.at - health.backlog.oldest_at if health.backlog.oldest_at else timedelta()
    late = age > SLOW_QUEUE
    return card(
        h.ul(".sw-health")[
            _health(
                "Mails waiting",
                f"{waiting:,}",
                "/admin/mails?state=queued",
                warn=waiting > MANY_MAILS,
            ),
            _health(
                "Mails refused", f"{refused:,}", "/admin/mails?state=refused", warn=refused > 0
            ),
            _health(
                "Outbox",
                f"{health.backlog.outbox:,} open"
                + (f", oldest {duration_text(length_ms(age))}" if health.backlog.oldest_at else ""),
                None,
                warn=late,
            ),
        ],
        h.p(".sw-quiet.sw-health-note")[
            "The outbox is behind: is a worker running, and can it reach Redis?"
        ]
        if late
        else None,
        title="Queues",
        symbol="hourglass",
    )


def _health(label: str, value: str, href: str | None, *, warn: bool) -> h.Element:
    figure = h.span(class_=["sw-health-value", {"is-warning": warn}])[value]
    return h.li[h.span[h.a(href=href)[label] if href else label], figure]


def _silent(health: Health) -> h.Element:
    """Name the servers of clients of which nobody knows whether they run."""
    one = health.silent == 1
    return card(
        h.ul(".sw-aside-list")[
            [
                h.li(id=f"silent-{bmc.server}")[
                    h.div(".sw-trail-head")[
                        h.a(href=f"/admin/servers/{bmc.server}")[bmc.name],
                        moment(bmc.silent_since),
                    ],
                    h.p(".sw-why")[bmc.silence],
                ]
                for bmc in health.silent_bmcs
            ]
        ],
        title="1 BMC is silent" if one else f"{health.silent:,} BMCs are silent",
        lede=f"{'A client has its server' if one else 'Clients have their servers'}: whether "
        f"{'it runs' if one else 'they run'} is not known.",
        symbol="triangle-alert",
        footer=h.a(href="/admin/servers?view=silent")["Look at it" if one else "Look at them all"],
    )


def _quarantined(health: Health) -> h.Element:
    counts = health.servers or {}
    total = sum(counts.values())
    aside = counts.get(ServerState.quarantined, 0)
    body: list[h.Node] = [
        progress(
            counts.get(ServerState.available, 0),
            total,
            label=f"{counts.get(ServerState.available, 0):,} of {total:,} servers are free",
        )
        if total
        else h.p(".sw-quiet")["No server is written down yet."]
    ]
    if health.drifts:
        count = "1 server is" if health.drifts == 1 else f"{health.drifts:,} servers are"
        body.append(
            h.p[h.a(href="/admin/servers?view=power")[f"{count} on or off against what should be"]]
        )
    if health.node_drifts:
        count = (
            "1 node of a cloud is not as it should be"
            if health.node_drifts == 1
            else f"{health.node_drifts:,} nodes of clouds are not as they should be"
        )
        body.append(h.p[h.a(href="/admin/nodes?view=differs")[count]])
    if health.quarantined:
        body.append(
            h.ul(".sw-aside-list")[
                [
                    h.li(id=f"quarantined-{server.id}")[
                        h.div(".sw-trail-head")[
                            h.a(href=f"/admin/servers/{server.id}")[server.name],
                            moment(server.state_since),
                        ],
                        h.p(".sw-strong")[lead] if (lead := failed_words(server)) else None,
                        h.p(".sw-why")[server.state_reason],
                        next_look(server),
                    ]
                    for server in health.quarantined
                ]
            ]
        )
    more = aside - len(health.quarantined)
    return card(
        stack(*body),
        title=f"{aside:,} in quarantine" if aside else "Servers",
        symbol="server",
        footer=h.a(href="/admin/servers?view=quarantined")[f"and {more:,} more"]
        if more > 0
        else None,
    )
