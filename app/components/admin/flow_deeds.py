"""Decisions about a flow: back to an old version, off in an emergency, on again."""

from collections.abc import Sequence

import htpy as h

from app.components.admin.decide import decide_page
from app.components.admin.flow import LATEST
from app.components.admin.flow_bits import FLOWS
from app.components.admin.flow_changes import changes_list
from app.components.choice import Option, radio_cards
from app.components.form import Form, hidden_field
from app.components.frame import PageFrame
from app.components.notice import notice
from app.flows.diff import Diff
from app.flows.flow_views import FlowRow, VersionRow

LIVE, FINISH, CANCEL = "live", "finish", "cancel"


def roll_back_page(
    flow: FlowRow, version: VersionRow, changes: Diff, form: Form, *, frame: PageFrame
) -> h.Element:
    """Return the question for a note, with what the step back changes."""
    return decide_page(
        f"Back to version {version.number}",
        hidden_field(LATEST, form.value(LATEST, str(flow.version))),
        about=[
            h.p[
                f"What version {version.number} says is published again, as version "
                f"{flow.version + 1}. Runs under way stay on the version that they began with."
            ],
            h.h2(".sw-scope")[f"What changes from version {flow.version}"],
            changes_list(changes),
        ],
        form=form,
        action=f"{FLOWS}/{flow.slug}/roll-back/{version.number}",
        confirm="Roll back",
        back=(flow.name, f"{FLOWS}/{flow.slug}"),
        frame=frame,
        active="flows",
        reason_help="Kept as the new version's note.",
    )


def disable_page(
    flow: FlowRow,
    form: Form,
    *,
    sorts: Sequence[str],
    may_cancel: bool,
    frame: PageFrame,
) -> h.Element:
    """Return the question for a reason, and what is to become of the runs under way.

    `sorts` are the categories that it serves.
    """
    live = f"{flow.live:,} {'run is' if flow.live == 1 else 'runs are'} under way"
    about: list[h.Node] = [
        h.p["No new run of it starts until it is enabled; what should start one is told to staff."],
        notice("warning", f"Nothing else serves {', '.join(sorts)} then") if sorts else None,
    ]
    choice = radio_cards(
        form,
        LIVE,
        f"What becomes of its runs? {live}.",
        [
            Option(value=FINISH, label="Let them finish", detail="They go on as they began."),
            Option(
                value=CANCEL,
                label="Cancel them",
                detail="Each undoes what it did, and ends.",
                off=None if may_cancel else "your role does not cancel runs",
            ),
        ],
        value=FINISH,
    )
    return decide_page(
        f"Disable {flow.name}",
        choice,
        about=about,
        form=form,
        action=f"{FLOWS}/{flow.slug}/disable",
        confirm="Disable",
        weight="danger",
        back=(flow.name, f"{FLOWS}/{flow.slug}"),
        frame=frame,
        active="flows",
        labels={LIVE: "Its runs"},
    )


def enable_page(flow: FlowRow, form: Form, *, frame: PageFrame) -> h.Element:
    off = flow.disabled
    return decide_page(
        f"Enable {flow.name}",
        about=[
            h.p[
                "Runs of it start again. Orders that were paid meanwhile begin by themselves; "
                "other events that it missed do not come again."
            ],
            h.p[f"It was disabled by {off.by}: “{off.reason}”"] if off else None,
        ],
        form=form,
        action=f"{FLOWS}/{flow.slug}/enable",
        confirm="Enable",
        back=(flow.name, f"{FLOWS}/{flow.slug}"),
        frame=frame,
        active="flows",
    )
