"""What a server's BMC or its cloud says of its hardware, against what is written down."""

from collections import Counter

import htpy as h

from app.components.admin.dcim import SERVERS
from app.components.admin.node_card import inspect_form
from app.components.admin.servers import disk_words
from app.components.badge import badge
from app.components.button import submit_button
from app.components.card import card, stack
from app.components.empty import empty
from app.components.facts import facts
from app.components.form import csrf_field, hidden_field
from app.components.frame import PageFrame
from app.components.live import live_region
from app.components.notice import notice
from app.components.page import admin_page, page_head
from app.components.progress import working
from app.components.table import Column, Row, table
from app.components.time import moment
from app.domain.inventory.discover import Comparison, Difference
from app.domain.inventory.views import ServerView
from app.drivers.bmc.contract import Inventory
from app.solver.inventory import DiskFacts
from app.solver.want import DiskKind

FACT = "fact"


def discovery_page(
    server: ServerView,
    comparison: Comparison | None,
    *,
    cloud: str,
    may_change: bool,
    frame: PageFrame,
) -> h.Element:
    """Return the page; `cloud` is which one has the server, "" for none."""
    return admin_page(
        f"Hardware of {server.name}",
        discovery_region(server, comparison, cloud=cloud, csrf=frame.csrf if may_change else ""),
        frame=frame,
        active="servers",
    )


def discovery_region(
    server: ServerView, comparison: Comparison | None, *, cloud: str, csrf: str
) -> h.Element:
    """Return the comparison, which follows what the BMC answers; `csrf` is "" for who looks on."""
    here = f"{SERVERS}/{server.id}/discovery"
    read = h.form(".sw-inline-form", method="post", action=here)[
        csrf_field(csrf),
        submit_button("Read its BMC", busy="Asking…", symbol="refresh-cw"),
    ]
    return live_region(f"server:{server.id}", f"{here}/now", id_="discovery")[
        page_head(
            f"Hardware of {server.name}",
            eyebrow=h.a(href=f"{SERVERS}/{server.id}")[server.name],
            lede=[f"As {comparison.told_by or 'its BMC'} said ", moment(comparison.read_at)]
            if comparison and comparison.read_at
            else "Its BMC has not said yet what hardware there is.",
            actions=[
                read if server.bmc_url else None,
                inspect_form(server.name, f"Have {cloud} inspect it", csrf) if cloud else None,
            ]
            if csrf
            else None,
        ),
        stack(
            _standing(server, comparison, cloud),
            [_differences(comparison, here, csrf), _told(comparison.found)]
            if comparison and comparison.found
            else None,
        ),
    ]


def _standing(server: ServerView, comparison: Comparison | None, cloud: str) -> h.Element | None:
    if not server.bmc_url and not cloud:
        return notice("info", "It has no BMC", "Write one down by an import of servers first.")
    if comparison is None:
        return None
    if comparison.error:
        return notice("danger", "The BMC could not be read", comparison.error)
    return working("Waiting for the BMC") if comparison.is_waiting else None


def _differences(comparison: Comparison, here: str, csrf: str) -> h.Element:
    columns = (
        Column("What"),
        Column("Written down"),
        Column(f"{comparison.told_by} found" if comparison.told_by else "Its BMC says"),
        Column("Accept", narrow=True, hidden_label=True),
    )
    return card(
        table(
            columns,
            [
                Row(
                    cells=(
                        h.span(".sw-strong")[one.label],
                        one.written or "nothing",
                        h.div[
                            one.found, h.span(".sw-under.sw-why")[one.note] if one.note else None
                        ],
                        _accept(one, here, csrf) if csrf and not one.note else None,
                    )
                )
                for one in comparison.differences
            ],
            caption="Differences",
            empty=empty(
                "check",
                "No differences",
                f"The record says what {comparison.told_by or 'the BMC'} says.",
            ),
        ),
        title="Differences",
        symbol="git-compare",
        actions=badge(str(len(comparison.differences)), "warning", dot=False)
        if comparison.differences
        else None,
        flush=True,
    )


def _found(one: Difference) -> h.Element:
    return h.div[one.found, h.span(".sw-under.sw-why")[one.note] if one.note else None]


def _accept(one: Difference, here: str, csrf: str) -> h.Element:
    return h.form(".sw-inline-form", method="post", action=f"{here}/accept")[
        csrf_field(csrf),
        hidden_field(FACT, one.fact),
        h.button(
            ".btn.btn-outline.btn-sm",
            type="submit",
            aria_label=f"Accept {one.label}",
            data_busy="…",
        )["Accept"],
    ]


def _disks(found: Inventory) -> str | None:
    """Say `2 × 960 GB NVMe`, as the server's page does; None where it does not tell them all."""
    alike = Counter((DiskKind(one.kind), one.capacity_gb) for one in found.drives or ())
    disks = [
        DiskFacts(kind=kind, capacity_gb=size, count=number)
        for (kind, size), number in sorted(alike.items())
    ]
    return disk_words(disks) if disks else None


def _told(found: Inventory) -> h.Element:
    pairs: list[tuple[str, h.Node]] = [
        ("Maker and model", " ".join(filter(None, (found.manufacturer, found.model))) or None),
        ("Serial number", found.serial),
        ("UUID", found.uuid),
        ("BIOS", found.bios_version),
        ("Memory", f"{found.memory_gib:,} GiB" if found.memory_gib else None),
        ("CPU", f"{found.cpu_count or '?'} × {found.cpu_model}" if found.cpu_model else None),
        ("Disks", _disks(found)),
        ("Network cards", ", ".join(f"{nic.name} {nic.mac}" for nic in found.nics) or None),
    ]
    return card(
        facts((name, value or "not said") for name, value in pairs),
        title="All that it says",
        symbol="cpu",
    )
