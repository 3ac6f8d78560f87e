"""A rehearsal of a version: which fault at which node was survived, and which was not."""

from collections.abc import Sequence

import htpy as h

from app.components.admin.flow_bits import FLOWS, score_badge
from app.components.badge import badge
from app.components.button import submit_button
from app.components.card import card, stack
from app.components.designer.trial_rehearsal import FAULTS, VERDICTS, points_lost
from app.components.empty import empty
from app.components.facts import facts
from app.components.form import csrf_field
from app.components.frame import PageFrame
from app.components.notice import notice
from app.components.page import admin_page, page_head
from app.components.time import moment
from app.flows.dryrun.judge import Verdict
from app.flows.dryrun.rehearse import Case, Rehearsal
from app.flows.dryrun.result import Ended
from app.flows.dryrun.score import RehearsalView
from app.flows.flow_views import VersionView

TOLD = (Verdict.halts, Verdict.bad)
"""Verdicts that one wants to know the reason of."""


def rehearsal_page(
    name: str,
    version: VersionView,
    found: RehearsalView | None,
    *,
    may_change: bool,
    frame: PageFrame,
) -> h.Element:
    where, number = f"{FLOWS}/{version.slug}", version.row.number
    title = f"Rehearsal of version {number}"
    return admin_page(
        title,
        page_head(
            title,
            eyebrow=h.a(href=where)[name],
            status=score_badge(found.score) if found else None,
            lede="Every step with an effect fails in every way, in memory; nothing is really done.",
            actions=_rehearse(f"{where}/rehearsal/{number}", found, frame.csrf)
            if may_change
            else None,
        ),
        _report(found)
        if found is not None
        else card(
            empty("shield-check", "Not rehearsed yet", "It takes a second or two as a rule.")
        ),
        frame=frame,
        active="flows",
    )


def _rehearse(action: str, found: RehearsalView | None, csrf: str) -> h.Element:
    return h.form(".sw-inline-form", method="post", action=action)[
        csrf_field(csrf),
        submit_button(
            "Rehearse it again" if found else "Rehearse it",
            busy="Rehearsing…",
            symbol="shield-check",
        ),
    ]


def _report(found: RehearsalView) -> h.Element:
    report = found.report
    return stack(
        h.p(".sw-quiet")["Rehearsed ", moment(found.at), f" by {found.by_label}."],
        notice("warning", "There were more faults than time; not all of them were tried")
        if report.is_cut
        else None,
        notice(
            "danger",
            "It does not come to a good end even without a fault",
            h.ul[[h.li[problem.node or "The flow", ": ", problem.message]
                  for problem in report.problems]],
        )
        if report.baseline is not Ended.succeeded
        else None,
        card(
            stack(_counts(report), h.p[lost] if (lost := points_lost(report)) else None),
            title=f"{len(report.cases)} faults",
            symbol="shield-check",
        ),
        *[_node(cases) for cases in _by_node(report)],
    )  # fmt: skip


def _counts(report: Rehearsal) -> h.Element:
    return h.div(".sw-badges")[
        [
            badge(f"{words.capitalize()}: {report.counts[verdict]}", tone)
            for verdict, (words, tone) in VERDICTS.items()
        ]
    ]


def _by_node(report: Rehearsal) -> list[Sequence[Case]]:
    nodes: dict[str, list[Case]] = {}
    for case in report.cases:
        nodes.setdefault(case.node, []).append(case)
    return list(nodes.values())


def _node(cases: Sequence[Case]) -> h.Element:
    """Return what came of each fault at one node, the bad ones with the reason."""
    found = [(verdict, [one for one in cases if one.verdict is verdict]) for verdict in VERDICTS]
    return card(
        facts(
            (VERDICTS[verdict][0].capitalize(), _faults(verdict, ones))
            for verdict, ones in found
            if ones
        ),
        title=cases[0].name,
    )


def _faults(verdict: Verdict, cases: Sequence[Case]) -> h.Element:
    tone = VERDICTS[verdict][1]
    return h.ul(class_=["sw-faults", {"is-told": verdict in TOLD}])[
        [
            h.li[
                badge(_fault(case), tone, dot=False),
                h.span(".sw-quiet")[f"{case.why[:1].upper()}{case.why[1:]}."]
                if verdict in TOLD
                else None,
            ]
            for case in cases
        ]
    ]


def _fault(case: Case) -> str:
    words = FAULTS[case.fault]
    return f"{words}, after {case.behind}" if case.behind else words
