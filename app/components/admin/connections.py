"""The list of connections."""

from collections.abc import Sequence

import htpy as h

from app.components.badge import badge
from app.components.button import link_button
from app.components.card import card
from app.components.empty import empty
from app.components.frame import PageFrame
from app.components.icon import IconName, icon
from app.components.notice import notice
from app.components.page import admin_page, page_head
from app.components.table import Column, Row, table
from app.components.time import moment
from app.core.plug_ins import Fault
from app.domain.connections.kinds import Auth, HttpFacts, Kind, Trust
from app.domain.connections.provider_fields import is_known, providers
from app.domain.connections.views import ConnectionRow

CONNECTIONS = "/admin/connections"
SYMBOLS: dict[Kind, IconName] = {
    Kind.HTTP: "webhook",
    Kind.SSH: "square-terminal",
    Kind.DNS: "globe",
    Kind.CHAT: "message-square",
    Kind.HYPERVISOR: "box",
    Kind.GAME: "gamepad-2",
    Kind.METAL: "server",
}
ABOUT: dict[Kind, str] = {
    Kind.HTTP: "Anything that is called over HTTP: panels, licences, monitoring, billing.",
    Kind.SSH: "A machine on which flows run commands.",
    Kind.DNS: "A server that takes signed updates (RFC 2136): Knot, BIND, PowerDNS.",
    Kind.CHAT: "A channel of Slack, Mattermost, Teams or Discord.",
    Kind.HYPERVISOR: "Where flows make virtual machines.",
    Kind.GAME: "A panel at which flows make game servers.",
    Kind.METAL: "A cloud that installs our servers and has their BMCs: OpenStack Ironic.",
}

_COLUMNS = (
    Column("Name"),
    Column("Leads to"),
    Column("Called by"),
    Column("Last change", narrow=True),
)


def connections_page(
    rows: Sequence[ConnectionRow], *, may_change: bool, frame: PageFrame
) -> h.Element:
    """Return all connections; who `may_change` them can add one."""
    return admin_page(
        "Connections",
        page_head(
            "Connections",
            lede="The peers that flows call, and how they know us. Flows name them; their secrets "
            "are sealed and in no flow.",
            actions=link_button(
                "Add a connection", f"{CONNECTIONS}/new", weight="primary", symbol="plus"
            )
            if may_change
            else None,
        ),
        card(
            table(
                _COLUMNS,
                [_row(row) for row in rows],
                caption="Connections",
                empty=empty(
                    "network",
                    "No connections yet",
                    "Add the API, host, name server or chat that a flow is to call.",
                ),
            ),
            flush=True,
        ),
        frame=frame,
        active="connections",
    )


def _row(row: ConnectionRow) -> Row:
    return Row(
        cells=(
            h.div[
                h.span(".sw-strong")[row.name],
                h.span(".sw-under")[icon(SYMBOLS[row.kind]), " ", row.kind.label],
            ],
            h.div[
                h.span(".sw-mono.sw-clip")[row.facts.place],
                [h.span(".sw-under")[warning] for warning in warnings_of(row)],
            ],
            ", ".join(row.flows) or h.span(".sw-quiet")["no flow"],
            moment(row.updated_at),
        ),
        href=f"{CONNECTIONS}/{row.id}",
        id_=f"connection-{row.id}",
    )


def warnings_of(row: ConnectionRow) -> list[h.Element]:
    """Return what is unsafe about a connection, as badges."""
    if not is_known(row.kind, row.facts):
        return [badge("Plug-in missing", "danger")]
    if not isinstance(row.facts, HttpFacts):
        return []
    if row.facts.base_url.startswith("http://"):
        secret = row.facts.auth is not Auth.NONE
        return [badge("Not encrypted", "warning")] if secret else []
    is_open = row.facts.trust is Trust.OFF
    return [badge("Certificate not checked", "warning")] if is_open else []


def _provider_links(kind: Kind) -> h.Node:
    """Return the providers of a kind, each leading to its own form; those of plug-ins too."""
    known = providers(kind)
    if not known:
        return None
    links = [
        h.a(href=f"{CONNECTIONS}/new/{kind}?provider={name}")[one.label]
        for name, one in known.items()
    ]
    return h.p[[[", " if i else None, link] for i, link in enumerate(links)]]


def faults_notice(faults: Sequence[Fault]) -> h.Node:
    """Return what is wrong with installed plug-ins; None when nothing is."""
    if not faults:
        return None
    title = "A plug-in is faulty" if len(faults) == 1 else f"{len(faults)} faults of plug-ins"
    return notice(
        "warning",
        title,
        h.ul[(h.li(".sw-break")[fault.words] for fault in faults)],
    )


def choose_kind_page(faults: Sequence[Fault] = (), *, frame: PageFrame) -> h.Element:
    """Return the first question, what is at the other end; `faults` are those of plug-ins."""
    return admin_page(
        "Add a connection",
        page_head(
            "Add a connection",
            eyebrow=h.a(href=CONNECTIONS)["Connections"],
            lede="What is at the other end?",
        ),
        h.div(".sw-stack")[
            faults_notice(faults),
            h.div(".sw-grid.sw-grid-regular")[
                [
                    card(
                        h.div(".sw-stack")[
                            h.p[ABOUT[kind]],
                            _provider_links(kind),
                            link_button(f"Add: {kind.label}", f"{CONNECTIONS}/new/{kind}"),
                        ],
                        title=kind.label,
                        symbol=SYMBOLS[kind],
                    )
                    for kind in Kind
                ]
            ],
        ],
        frame=frame,
        active="connections",
    )
