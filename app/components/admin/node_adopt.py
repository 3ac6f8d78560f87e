"""Nodes of a cloud that are no server of ours yet, and the form by which one becomes one."""

from collections.abc import Sequence
from urllib.parse import urlencode

import htpy as h

from app.components.admin.dcim import SERVERS
from app.components.admin.entry import entry_page
from app.components.admin.nodes import NODES, STAGE_TONES
from app.components.badge import badge, state_badge
from app.components.button import link_button, submit_button
from app.components.card import card, stack
from app.components.choice import Option, checkbox_field, radio_cards, select_field
from app.components.empty import empty
from app.components.facts import code, facts
from app.components.form import Form, hidden_field, text_field
from app.components.frame import PageFrame
from app.components.notice import notice
from app.components.page import admin_page, page_head
from app.components.table import Column, Row, table
from app.domain.metal.propose import Stray
from app.drivers.metal.contract import Stage

ADOPT = f"{NODES}/adopt"
LABELS = {
    "server": "Server",
    "how": "What becomes of it",
    "inspect": "Inspect it",
    "connection": "Cloud",
    "search": "Part of a node's name",
}


def strays_page(
    clouds: Sequence[str],
    connection: str,
    strays: Sequence[Stray],
    *,
    fault: str,
    total: int,
    form: Form,
    frame: PageFrame,
) -> h.Element:
    """Return the nodes of a cloud that nobody here has; `fault` is why it did not answer."""
    return admin_page(
        "Adopt a node",
        page_head(
            "Adopt a node",
            eyebrow=h.a(href=NODES)["Nodes"],
            lede="What a cloud has and our inventory does not know yet. A server is proposed by "
            "its network cards, its serial number or its name.",
        ),
        stack(
            _choose(clouds, form),
            notice("danger", f"{connection} could not be asked", h.p(".sw-break")[fault])
            if fault
            else None,
            _table(connection, strays, total, form.value("server"))
            if connection and not fault
            else None,
        ),
        frame=frame,
        active="nodes",
    )


def _choose(clouds: Sequence[str], form: Form) -> h.Element:
    if not clouds:
        return empty("server", "No cloud yet", "Add a connection of kind “Bare metal” first.")
    return card(
        h.form(".sw-form", method="get", action=ADOPT)[
            select_field(
                form, "connection", LABELS["connection"],
                [Option(value=one, label=one) for one in clouds],
            ),
            text_field(
                form, "search", LABELS["search"], optional=True, autocomplete="off", kind="search",
            ),
            hidden_field("server", form.value("server")) if form.value("server") else None,
            h.div(".sw-actions")[submit_button("Ask the cloud", busy="Asking…", weight="plain")],
        ]
    )  # fmt: skip


def _table(connection: str, strays: Sequence[Stray], total: int, typed: str) -> h.Element:
    rows = [
        Row(
            cells=(
                h.div[h.span(".sw-strong")[one.node.name], h.span(".sw-under")[one.node.driver]],
                h.div[
                    badge(one.node.state, STAGE_TONES.get(one.node.stage, "neutral")),
                    h.span(".sw-under.sw-why")[one.node.error] if one.node.error else None,
                ],
                h.div[[h.div[code(mac)] for mac in one.macs[:4]] or "none"],
                _proposal(one),
                link_button(
                    "Adopt …",
                    f"{ADOPT}/{one.node.id}?{urlencode(_query(connection, one, typed))}",
                    size="small",
                ),
            ),
            id_=f"node-{one.node.id}",
        )
        for one in strays
    ]
    columns = (
        Column("Node"),
        Column("State", narrow=True),
        Column("Network cards"),
        Column("May be"),
        Column("Deed", hidden_label=True, narrow=True),
    )
    nothing = empty(
        "circle-check", "Nothing to adopt", "Every node there that fits is a server of ours."
    )
    more = total - len(strays)
    return card(
        table(
            columns,
            rows,
            caption=f"Nodes of {connection} that are no server of ours",
            empty=nothing,
        ),
        h.p(".sw-quiet.sw-pending")[f"{more:,} more: type a part of the name to see them."]
        if more > 0
        else None,
        title=f"At {connection}",
        symbol="server",
        flush=True,
    )


def _query(connection: str, one: Stray, typed: str) -> dict[str, str]:
    server = one.proposal.server.name if one.proposal else typed
    return {"connection": connection, "server": server}


def _proposal(one: Stray) -> h.Node:
    if one.proposal is None:
        return h.span(".sw-quiet")["nothing says so"]
    server = one.proposal.server
    return h.div[
        h.a(href=f"{SERVERS}/{server.id}")[server.name],
        h.span(".sw-under.sw-why")[one.proposal.words],
    ]


def adopt_page(connection: str, stray: Stray, form: Form, *, frame: PageFrame) -> h.Element:
    """Return the form for one node: which server it is, and what becomes of it."""
    node = stray.node
    runs = node.stage in {Stage.ACTIVE, Stage.RESCUED}
    taken = f"{node.instance} has it" if node.instance else None
    return entry_page(
        f"Adopt {node.name}",
        facts(
            [
                ("Cloud", connection),
                ("Node", code(node.id)),
                ("State there", state_badge(node.state)),
                ("Network cards", ", ".join(stray.macs) or "none"),
                ("Proposed", stray.proposal.server.name + ": " + stray.proposal.words
                 if stray.proposal else "nothing says which server it is"),
            ]
        ),
        hidden_field("connection", connection),
        text_field(
            form, "server", LABELS["server"], autocomplete="off",
            help_="By its name in our inventory.",
            attrs={"autocapitalize": "none", "spellcheck": "false"},
        ),
        radio_cards(
            form, "how", LABELS["how"],
            [
                Option(
                    value="link", label="Only write down which server it is",
                    detail="Nothing is changed at the cloud but a mark on the node.",
                ),
                Option(
                    value="running", label="Take over what runs on it",
                    detail="The cloud calls it active without touching it. The service that has "
                    "the server has the node from then on.",
                ),
                Option(
                    value="offer", label="Have it cleaned and offered",
                    detail="The cloud erases its disks. The server must be out of stock.",
                    off=taken or ("something runs on it" if runs else None),
                ),
            ],
            value="link",
        ),
        checkbox_field(
            form, "inspect", "Inspect its hardware too",
            help_="Unless what runs is taken over. The server must be out of stock.",
        ),
        form=form,
        action=f"{ADOPT}/{node.id}",
        confirm="Adopt it",
        busy="Asking…",
        back=("Adopt a node", f"{ADOPT}?{urlencode({'connection': connection})}"),
        frame=frame,
        active="nodes",
        labels=LABELS,
    )  # fmt: skip
