"""Take prefixes and addresses in from a file: choose it, see what it would do, write it."""

from collections.abc import Sequence

import htpy as h

from app.components.admin.address_space import ACTIVE, PREFIXES
from app.components.admin.sheet_import import sent_form
from app.components.badge import badge
from app.components.button import link_button, submit_button
from app.components.card import card, stack
from app.components.choice import Option, select_field
from app.components.form import Form, field_frame, form_element, textarea_field
from app.components.frame import PageFrame
from app.components.notice import notice
from app.components.page import admin_page, page_head
from app.components.table import Column, Row, table
from app.components.tone import Tone
from app.domain.addresses.arrive import Arrival
from app.domain.addresses.sheet_row import AddressSeedRow, Outcome, SheetRow
from app.domain.addresses.states import PrefixStatus
from app.domain.inventory.views import DatacentreView

IMPORT = f"{PREFIXES}/import"
FILE, DOCUMENT, DATACENTRE = "file", "document", "datacentre"
SHOWN = 50
"""Rows of a preview that are listed."""
_LABELS = {FILE: "File", DOCUMENT: "Its content", DATACENTRE: "Datacentre"}


def import_page(form: Form, sites: Sequence[DatacentreView], *, frame: PageFrame) -> h.Element:
    file = h.input(
        form.wiring(FILE, help_=True),
        type="file",
        accept=".csv,.json,text/csv,application/json",
        class_="form-control",
    )
    return _page(
        h.div(".sw-decide.sw-decide-wide")[
            card(
                form_element(
                    form,
                    IMPORT,
                    field_frame(
                        form,
                        FILE,
                        "File",
                        file,
                        help_="CSV or JSON: what Slipway exported, or the prefixes or IP addresses "
                        "of NetBox or phpIPAM.",
                        optional=True,
                    ),
                    textarea_field(
                        form,
                        DOCUMENT,
                        "Or its content",
                        rows=8,
                        mono=True,
                        optional=True,
                        placeholder="prefix,vrf,status,site,role,description",
                    ),
                    select_field(
                        form,
                        DATACENTRE,
                        "Datacentre",
                        [Option(value=site.code, label=site.name) for site in sites],
                        blank="None",
                        optional=True,
                        help_="Of the rows that name none.",
                    ),
                    h.div(".sw-actions")[
                        submit_button("Look at it", busy="Reading…", symbol="search"),
                        link_button("Leave it", PREFIXES, weight="quiet"),
                    ],
                    labels=_LABELS,
                    attrs={"enctype": "multipart/form-data"},
                )
            )
        ],
        frame=frame,
    )


def preview_page(
    arrival: Arrival, document: str, datacentre: str, *, frame: PageFrame
) -> h.Element:
    """Return what the file would do, with the way to do it; or every row that is in the way."""
    faults, new, differing = arrival.faults, arrival.of(Outcome.new), arrival.of(Outcome.differs)
    counts = ", ".join(
        f"{len(rows):,} {words}"
        for rows, words in (
            (new, "new"),
            (differing, "changed"),
            (arrival.of(Outcome.same), "as they are"),
        )
    )
    head = (
        notice(
            "danger",
            f"{len(faults):,} row{'' if len(faults) == 1 else 's'} cannot be taken in",
            "Nothing is written until all can. Change these, and look at it again.",
        )
        if faults
        else notice(
            "success",
            f"{arrival.prefixes:,} prefixes and {arrival.addresses:,} addresses can be taken in",
            f"{counts}. Nothing is written yet.",
        )
    )
    sent = {DOCUMENT: document, DATACENTRE: datacentre}
    return _page(
        stack(
            head,
            sent_form(IMPORT, sent, csrf=frame.csrf, is_sound=not faults),
            _rows("Rows in error", faults) if faults else None,
            _rows("What changes", differing, said="Change") if differing else None,
            _rows("What is new", new, said="As") if new else None,
            _rows("What is done otherwise than the file says", arrival.notes)
            if arrival.notes
            else None,
        ),
        frame=frame,
    )


_ERROR: tuple[str, Tone] = ("Error", "danger")
_BADGES: dict[Outcome, tuple[str, Tone]] = {
    Outcome.new: ("New", "success"),
    Outcome.differs: ("Changed", "warning"),
    Outcome.same: ("Stays", "neutral"),
}


def _rows(title: str, rows: Sequence[SheetRow], *, said: str = "Why") -> h.Element:
    """Return the first rows of a kind; `said` is the head of what is to be said of each."""
    more = len(rows) - SHOWN
    return card(
        table(
            (
                Column("What"),
                Column("Row", figures=True, narrow=True),
                Column("Kind", narrow=True),
                Column(said),
            ),
            [_row(row) for row in rows[:SHOWN]],
            caption=title,
        ),
        title=title,
        flush=True,
        footer=f"And {more:,} more." if more > 0 else None,
    )


def _row(row: SheetRow) -> Row:
    words, tone = _ERROR if row.faults else _BADGES[row.outcome]
    said = tuple(map(str, row.faults)) or row.changes or ((row.note,) if row.note else ())
    return Row(
        cells=(
            h.span(".sw-mono")[row.text or "–"],
            str(row.number),
            badge(words, tone, dot=False),
            h.div[[h.div[one] for one in said]] if said else h.span(".sw-quiet")[_summary(row)],
        )
    )


def _summary(row: SheetRow) -> str:
    """Say what a new row is to be."""
    what = row.what
    if isinstance(what, AddressSeedRow):
        return what.reason
    if what is None:
        return "–"
    status = what.status or PrefixStatus.active
    return ", ".join(filter(None, (status.value, f"VRF {what.vrf}" if what.vrf else "", what.note)))


def _page(*children: h.Node, frame: PageFrame) -> h.Element:
    return admin_page(
        "Import prefixes",
        page_head(
            "Import prefixes",
            eyebrow=h.a(href=PREFIXES)["Prefixes"],
            lede="All of a file is taken in, or nothing. What comes from elsewhere is not given to "
            "orders until you say so.",
            actions=[
                link_button("Export as JSON", f"{PREFIXES}/export/json", weight="quiet"),
                link_button("Export as CSV", f"{PREFIXES}/export/csv", weight="quiet"),
            ],
        ),
        *children,
        frame=frame,
        active=ACTIVE,
    )
