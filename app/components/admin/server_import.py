"""Take servers in from a file: choose it, see what it would do, write it."""

import htpy as h

from app.components.admin.dcim import SERVERS
from app.components.admin.entry import entry_page
from app.components.admin.sheet_import import (
    DOCUMENT,
    FILE,
    file_fields,
    lines_card,
    sent_form,
)
from app.components.card import stack
from app.components.form import Form
from app.components.frame import PageFrame
from app.components.notice import notice
from app.components.page import admin_page, page_head
from app.domain.inventory.arrive import ServersArrived

IMPORT = f"{SERVERS}/import"
LABELS = {FILE: "File", DOCUMENT: "Its content"}
_LEDE = (
    "All of a file is taken in, or nothing. A server is known by its serial number; "
    "what the file says nothing of stays as it is."
)
HEAD = "name,serial,datacentre,rack,u_position,cpu_model,ram_gb,disks,mac"


def import_page(form: Form, *, frame: PageFrame) -> h.Element:
    return entry_page(
        "Import servers",
        file_fields(
            form,
            help_="CSV or JSON. An export has every column there is; - alone empties a cell.",
            placeholder=HEAD,
        ),
        form=form,
        action=IMPORT,
        confirm="Look at it",
        busy="Reading…",
        back=("Servers", SERVERS),
        frame=frame,
        active="servers",
        labels=LABELS,
        lede=_LEDE,
        attrs={"enctype": "multipart/form-data"},
    )


def preview_page(arrived: ServersArrived, document: str, *, frame: PageFrame) -> h.Element:
    """Return what the file would do, with the way to do it; or every row that is in the way."""
    faults = arrived.faults
    counts = (
        f"{len(arrived.new):,} new, {len(arrived.changed):,} changed, "
        f"{arrived.unchanged:,} unchanged"
    )
    head = (
        notice(
            "danger",
            f"{len(faults):,} row{'' if len(faults) == 1 else 's'} cannot be taken in",
            "Nothing is written until all can. Change these, and look at it again.",
        )
        if faults
        else notice("success", f"{counts}", "Nothing is written yet.")
    )
    has_work = not faults and (arrived.new or arrived.changed)
    return admin_page(
        "Import servers",
        page_head("Import servers", eyebrow=h.a(href=SERVERS)["Servers"], lede=_LEDE),
        stack(
            head,
            sent_form(IMPORT, {DOCUMENT: document}, csrf=frame.csrf, is_sound=bool(has_work)),
            lines_card("Rows in error", faults) if faults else None,
            lines_card("New servers", arrived.new, tone="success") if arrived.new else None,
            lines_card("What changes", arrived.changed) if arrived.changed else None,
        ),
        frame=frame,
        active="servers",
    )
