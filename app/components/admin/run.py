"""One run as a time line: every attempt with what went in, came out or went wrong."""

from dataclasses import dataclass
from datetime import datetime

import htpy as h

from app.components.admin.attempts import json_block
from app.components.admin.level import level_body, level_path
from app.components.admin.outlook import product_href
from app.components.admin.run_bits import (
    RUNS,
    length_ms,
    place_address,
    retry_form,
    run_badge,
    subject_words,
    trouble_notice,
)
from app.components.admin.trail import trail_card
from app.components.badge import badge, state_badge
from app.components.button import link_button
from app.components.card import card, split, stack
from app.components.facts import code, facts
from app.components.frame import PageFrame
from app.components.live import live_region
from app.components.notice import notice
from app.components.page import admin_page, page_head
from app.components.time import duration_text, elapsed, moment
from app.components.tone import Tone
from app.domain.accounts.roles import Permission, Role, allows, may_decide
from app.domain.audit.views import AuditLine
from app.flows.sheet import Sheet, Stand
from app.flows.things import Kept
from app.flows.views import EventView, Trouble

_LEDGER: dict[str, Tone] = {"taken": "warning", "delivered": "success", "returned": "neutral"}

_PAGES = {
    Kept.SERVER: "/admin/servers",
    Kept.ORDER: "/admin/orders",
    Kept.SERVICE: "/admin/services",
    Kept.RUN: RUNS,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFile:
    """A run and what its viewer may do to it; `trail` is None where it may not be seen."""

    at: datetime
    sheet: Sheet
    script_at: str | None
    """Short name of the product whose script stopped it, as far as it is halted."""
    trail: tuple[AuditLine, ...] | None
    may_change: bool
    role: Role
    shows: str
    """The address of what is shown of it, with its level and page."""


def run_page(file: RunFile, *, frame: PageFrame) -> h.Element:
    title = f"Run for {subject_words(file.sheet.row)}"
    return admin_page(title, run_region(file, frame.csrf), frame=frame, active="runs")


def run_region(file: RunFile, csrf: str) -> h.Element:
    """Return the whole page but its frame."""
    sheet, row = file.sheet, file.sheet.row
    topics = f"run:{row.id}" + (f" order:{row.order_id}" if row.order_id else "")
    return live_region(topics, file.shows, id_="run", at_most_every_ms=500)[
        page_head(
            subject_words(row),
            eyebrow=h.a(href=RUNS)["Runs"],
            status=run_badge(row),
            lede=f"{row.flow_name}, version {row.version}",
            actions=_actions(file, csrf),
        ),
        stack(
            trouble_notice(row, file.at, mend=_mend(file)) or _ended_badly(file),
            _asked(file),
            split(
                stack(_steps(file), trail_card(file.trail) if file.trail is not None else None),
                stack(
                    _facts(file),
                    _values("Input", "log-in", sheet.input, "Input of the run"),
                    _values("Variables", "tag", sheet.variables, "Variables of the run"),
                    _values("Output", "log-out", sheet.output, "Output of the run"),
                    _ledger(file),
                    _children(file),
                    _story(sheet.events),
                ),
            ),
        ),
    ]


def _mend(file: RunFile) -> str | None:
    """Return the address of the product whose script is at fault, for those who may see it."""
    may_see = file.script_at and allows(file.role, Permission.SERVERS_READ)
    return product_href(file.script_at) if file.script_at and may_see else None


def _actions(file: RunFile, csrf: str) -> list[h.Node]:
    row = file.sheet.row
    here = f"{RUNS}/{row.id}"
    found: list[h.Node] = []
    if row.order_id:
        found.append(
            link_button("Order", f"/admin/orders/{row.order_id}", symbol="package", weight="quiet")
        )
    found.append(
        link_button("Over its flow", f"/designer/runs/{row.id}", symbol="workflow", weight="quiet")
    )
    if not file.may_change:
        return found
    halted = [stand for stand in file.sheet.stands if stand.asks is None]
    # What is in doubt is settled first: a retry would do it again unseen.
    if halted and not any(stand.in_doubt for stand in halted):
        found.append(link_button("Resume with other input", f"{here}/resume", symbol="pencil"))
        found.append(retry_form(row, csrf, back=here, label=f"Retry “{row.step}”"))
    if row.is_live and not row.cancel_requested:
        found.append(link_button("Cancel run", f"{here}/cancel", symbol="ban"))
    return found


def _asked(file: RunFile) -> list[h.Node]:
    """Return what a person is asked: decisions, and steps in doubt."""
    return [_question(file, stand) for stand in file.sheet.stands if stand.asks or stand.in_doubt]


def _question(file: RunFile, stand: Stand) -> h.Element:
    here = f"{RUNS}/{file.sheet.row.id}"
    if stand.asks is None:
        way = link_button(
            "Say what became of it",
            place_address(f"{here}/settle", stand.scope, stand.node),
            size="small",
        )
        words = "Neither we nor the other side can tell whether it happened."
        title = f"“{stand.step}” is in doubt"
        return notice("warning", title, h.p[words], way if file.may_change else None)
    role = str(stand.asks.get("role", ""))
    way = link_button(
        "Decide", place_address(f"{here}/decide", stand.scope, stand.node), size="small"
    )
    return notice(
        "info",
        str(stand.asks.get("title") or stand.step),
        h.p[str(stand.asks["text"])] if stand.asks.get("text") else None,
        way if may_decide(file.role, role) else h.p(".sw-quiet")[f"The role {role} decides."],
    )


def _ended_badly(file: RunFile) -> h.Element | None:
    row = file.sheet.row
    if row.error and not row.is_live and row.trouble is Trouble.none:
        return notice("danger", "It ended with an error", row.error)
    return None


def _facts(file: RunFile) -> h.Element:
    row = file.sheet.row
    spent = (row.finished_at or file.at) - row.created_at
    counter = elapsed(length_ms(spent)) if row.is_live else duration_text(length_ms(spent))
    pairs: list[tuple[str, h.Node]] = [
        ("State", run_badge(row)),
        ("Begun", moment(row.created_at)),
        ("Ended", moment(row.finished_at) if row.finished_at else "not yet"),
        ("Taken", counter),
        ("About", row.subject_kind if row.subject_kind != "nothing" else "nothing in particular"),
        ("Flow", h.a(href=f"/admin/flows/{row.flow_slug}")[row.flow_name]),
    ]
    if row.client:
        pairs.append(("Client", row.client))
    if row.parent:
        pairs.append(("Part of", h.a(href=f"{RUNS}/{row.parent}")["the run that began it"]))
    return card(facts([*pairs, ("Run", code(str(row.id)))]), title="Run", symbol="workflow")


def _values(title: str, symbol: str, values: object, label: str) -> h.Element | None:
    if not values:
        return None
    return card(json_block(values, label), title=title, symbol=symbol)  # type: ignore[arg-type]


def _steps(file: RunFile) -> h.Element:
    sheet = file.sheet
    pending = (
        h.p(".sw-quiet.sw-pending")["Still to come: ", ", ".join(sheet.pending)]
        if sheet.pending and sheet.row.is_live
        else None
    )
    return card(
        level_path(sheet),
        level_body(sheet, file.at),
        pending,
        title="Steps",
        symbol="activity",
    )


def _ledger(file: RunFile) -> h.Element | None:
    """Return what the run has taken, and whether it was delivered or given back."""
    if not file.sheet.ledger:
        return None
    return card(
        h.ul(".sw-ledger")[
            [
                h.li[
                    h.div(".sw-trail-head")[
                        h.span(".sw-trail-action")[taken.kind.replace("_", " ").capitalize()],
                        badge(taken.state.capitalize(), _LEDGER[taken.state], dot=False),
                    ],
                    _thing(file, taken.reference),
                    h.p(".sw-trail-who")[
                        taken.step, ", ", moment(taken.ended_at or taken.taken_at)
                    ],
                ]
                for taken in file.sheet.ledger
            ]
        ],
        title="Taken by the run",
        symbol="boxes",
    )


def _thing(file: RunFile, reference: str) -> h.Node:
    """Return the way to what was taken, by its name; as it is written down where it has no page."""
    thing = file.sheet.things.get(reference)
    if thing is None:
        return code(reference)
    at, _, _ = reference.rpartition(" ")
    name: h.Node = thing.name
    if thing.kept is not Kept.SERVER or allows(file.role, Permission.SERVERS_READ):
        name = h.a(href=f"{_PAGES[thing.kept]}/{thing.id}")[name]
    return h.div[name, f" at {at}" if at else None]


def _children(file: RunFile) -> h.Element | None:
    if not file.sheet.children:
        return None
    return card(
        h.ul(".sw-ledger")[
            [
                h.li[
                    h.div(".sw-trail-head")[
                        h.a(href=f"{RUNS}/{child.id}")[child.flow_name], state_badge(child.status)
                    ]
                ]
                for child in file.sheet.children
            ]
        ],
        title="Sub-flows",
        symbol="network",
    )


def _story(events: tuple[EventView, ...]) -> h.Element | None:
    if not events:
        return None
    return card(
        h.ol(".sw-trail.sw-story", tabindex="0", aria_label="Events")[
            [_event(event) for event in events]
        ],
        title="Events",
        symbol="list",
    )


def _event(event: EventView) -> h.Element:
    says = event.facts.get("says") or event.facts.get("error") or event.facts.get("note")
    return h.li[
        h.div(".sw-trail-head")[
            h.span(".sw-trail-action")[
                event.kind.capitalize(), f": {event.step}" if event.step else None
            ],
            h.time(
                datetime=event.at.isoformat(timespec="milliseconds"),
                title=event.at.isoformat(timespec="milliseconds"),
                class_="sw-time sw-quiet",
            )[event.at.strftime("%H:%M:%S")],
        ],
        h.p(".sw-trail-who")[says] if says else None,
    ]
