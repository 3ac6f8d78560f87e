"""The list of servers."""

from collections.abc import Mapping, Sequence

import htpy as h

from app.components.admin.dcim import SERVERS
from app.components.admin.filters import Choice, View, Wanted, counted_views, filter_bar, listing
from app.components.admin.server_aside import failed_words, next_look
from app.components.badge import state_badge
from app.components.button import link_button, submit_button
from app.components.choice import Option
from app.components.frame import PageFrame
from app.components.page import admin_page, page_head
from app.components.table import Column, Row
from app.components.time import moment
from app.domain.inventory.power import ASKED
from app.domain.inventory.states import ServerState
from app.domain.inventory.views import DatacentreView, ServerPage, ServerRow
from app.solver.inventory import DiskFacts

DATACENTRE = "datacentre"
DRIFTING = "power"
SILENT = "silent"
MANY = "many"
NONE_CHOSEN = "Choose one server or more first."

S = ServerState
VIEWS: Mapping[str, tuple[str, tuple[ServerState, ...]]] = {
    "": ("All", ()),
    "available": ("Available", (S.available,)),
    "taken": ("With orders", (S.held, S.provisioning, S.releasing)),
    "active": ("Active", (S.active,)),
    "quarantined": ("Quarantined", (S.quarantined,)),
    "work": ("In work", (S.enrolled, S.inspecting, S.cleaning, S.maintenance, S.failed)),
}

_COLUMNS = (
    Column("Server"),
    Column("State", narrow=True),
    Column("Place"),
    Column("Hardware"),
    Column("Order", figures=True, narrow=True),
    Column("Power", narrow=True),
)


def servers_page(
    found: ServerPage,
    counts: Mapping[ServerState, int],
    sites: Sequence[DatacentreView],
    wanted: Wanted,
    *,
    drifts: int,
    silent: int,
    may_change: bool,
    frame: PageFrame,
) -> h.Element:
    places = Choice(
        name=DATACENTRE,
        label="Datacentre",
        blank="All",
        options=[Option(value=site.code, label=f"{site.name} ({site.servers})") for site in sites],
    )
    return admin_page(
        "Servers",
        page_head(
            "Servers",
            lede="Every machine, where it stands and what it does.",
            actions=[
                link_button("Import", f"{SERVERS}/import", symbol="plus") if may_change else None,
                link_button("As CSV", f"{SERVERS}/export/csv", weight="quiet"),
                link_button("As JSON", f"{SERVERS}/export/json", weight="quiet"),
            ],
        ),
        filter_bar(
            wanted,
            [
                *counted_views(VIEWS, counts),
                View(DRIFTING, "Power differs", drifts),
                *([View(SILENT, "BMC silent", silent)] if silent or wanted.view == SILENT else []),
            ],
            search="Name, serial, MAC, CPU, rack or order",
            choices=[places] if sites else [],
        ),
        servers_list(found, wanted, may_change=may_change),
        _many() if may_change else None,
        frame=frame,
        active="servers",
    )


def _many() -> h.Element:
    """Return the form whose boxes are in the rows of the list."""
    return h.form(
        ".sw-many",
        id=MANY,
        method="get",
        action=f"{SERVERS}/many",
        aria_label="The servers chosen",
        data_chooses=NONE_CHOSEN,
    )[
        h.span(".sw-quiet", role="status")["The servers chosen:"],
        submit_button("Change them", weight="plain", busy="Reading…", symbol="pencil"),
        submit_button(
            "Burn them in",
            weight="plain",
            busy="Reading…",
            symbol="zap",
            action=f"{SERVERS}/many/burn-in",
        ),
    ]


def servers_list(found: ServerPage, wanted: Wanted, *, may_change: bool) -> h.Element:
    picks = (Column("Choose", narrow=True, hidden_label=True),) if may_change else ()
    return listing(
        wanted,
        (*picks, *_COLUMNS),
        [_row(server, may_change=may_change) for server in found.items],
        topic="servers",
        caption="Servers",
        page_count=found.page_count,
        total=found.total,
        symbol="server",
        nothing=("No servers yet", "Register the hardware, and it is listed here."),
    )


def hardware_words(server: ServerRow) -> str:
    """Say `2 × EPYC 7443P, 48 cores`; the count only when there are several."""
    sockets = f"{server.cpu_count} × " if server.cpu_count > 1 else ""
    return f"{sockets}{server.cpu_model}, {server.cores} cores"


def disk_words(disks: Sequence[DiskFacts]) -> str:
    """Say `2 × 960 GB NVMe, 4 × 8 TB HDD`."""
    return ", ".join(
        f"{disk.count} × {_size(disk.capacity_gb)} {_kind(disk.kind)}" for disk in disks
    )


def _kind(kind: str) -> str:
    return "NVMe" if kind == "nvme" else kind.upper()


def _size(capacity_gb: int) -> str:
    return f"{capacity_gb / 1000:g} TB" if capacity_gb >= 1000 else f"{capacity_gb} GB"


def _pick(server: ServerRow) -> h.Element:
    return h.label(".sw-pick")[
        h.input(
            type="checkbox",
            name="server",
            value=str(server.id),
            form=MANY,
            id=f"pick-{server.id}",
            aria_label=f"Choose {server.name}",
            class_="form-check-input",
        )
    ]


def _silence(server: ServerRow) -> h.Node:
    if server.silent_since is None or server.state not in {*ASKED, ServerState.available}:
        return None
    since = h.span(".sw-under")["since ", moment(server.silent_since)]
    return h.fragment[h.span(".sw-under")["BMC silent"], since]


def _row(server: ServerRow, *, may_change: bool) -> Row:
    order = (
        h.a(href=f"/admin/orders/{server.holder}")[f"#{server.order_number}"]
        if server.holder and server.order_number
        else "–"
    )
    return Row(
        linked=1 if may_change else 0,
        cells=(
            *((_pick(server),) if may_change else ()),
            h.div[
                h.span(".sw-strong")[server.name],
                h.span(".sw-under")[server.serial],
            ],
            h.div[
                state_badge(server.state),
                h.span(".sw-under")[moment(server.state_since)],
                h.span(".sw-under.sw-clip")[lead] if (lead := failed_words(server)) else None,
                h.span(".sw-under.sw-clip")[server.state_reason] if server.state_reason else None,
                next_look(server),
            ],
            h.div[
                server.datacentre,
                h.span(".sw-under")[f"rack {server.rack}, U{server.u_position}"],
            ],
            h.div[
                hardware_words(server),
                h.span(".sw-under")[f"{server.ram_gb} GB, {disk_words(server.disks) or 'no disk'}"],
            ],
            order,
            h.div[
                state_badge(server.power),
                h.span(".sw-under.sw-clip.sw-late")["against what it should be"]
                if server.power_drifts
                else None,
                _silence(server),
            ],
        ),
        href=f"{SERVERS}/{server.id}",
        id_=f"server-{server.id}",
        marked=server.power_drifts or server.state in {ServerState.quarantined, ServerState.failed},
    )
