"""A rehearsal over the canvas: its progress, its score, and what each node survived."""

from collections.abc import Sequence
from datetime import datetime

import htpy as h

from app.components.designer.node_state import NodeState, Tone
from app.components.icon import icon
from app.flows.drafts.ports import title
from app.flows.drafts.sheet import Sheet
from app.flows.drafts.trial import Trial
from app.flows.dryrun.given import FaultKind
from app.flows.dryrun.judge import Verdict
from app.flows.dryrun.rehearse import Case, Rehearsal
from app.flows.dryrun.result import Ended

GOOD = 100
FAIR = 60
FAULTS = {
    FaultKind.timeout: "Time-out",
    FaultKind.refusal: "Refusal",
    FaultKind.refusal_always: "Refusal in every round",
    FaultKind.transient: "Passing error",
    FaultKind.transient_always: "Lasting error",
    FaultKind.crash_before: "Crash before the call",
    FaultKind.crash_after: "Crash after the call",
    FaultKind.unanswered: "No answer from outside",
}
VERDICTS: dict[Verdict, tuple[str, Tone]] = {
    Verdict.survived: ("survived", "success"),
    Verdict.clean: ("undone clean", "success"),
    Verdict.halts: ("halts for a person", "warning"),
    Verdict.bad: ("bad", "danger"),
}


def rehearsal(sheet: Sheet, trial: Trial, now: datetime) -> h.Node:
    """Return the report, or how far it is."""
    if trial.report is not None:
        return _report(sheet, trial.report)
    if trial.is_stalled(now):
        return h.p(".fl-verdict.tone-warning")["It stopped half-way. Start it again."]
    return [
        h.p(role="status")[f"{trial.done} of {trial.known} faults tried so far…"],
        h.progress(aria_label="Faults tried", max=max(trial.known, 1), value=trial.done),
    ]


def _report(sheet: Sheet, report: Rehearsal) -> h.Node:
    if report.baseline is not Ended.succeeded:
        return h.p(".fl-verdict.tone-danger")[
            "Without any fault it does not come to its end, so that there is nothing to rehearse. "
            "See its dry run."
        ]
    tone = "success" if report.score == GOOD else "warning" if report.score >= FAIR else "danger"
    worst = [case for case in report.cases if case.verdict is Verdict.bad]
    halts = [case for case in report.cases if case.verdict is Verdict.halts]
    return [
        h.p(class_=f"fl-score tone-{tone}")[
            h.strong[f"{report.score} %"],
            h.span[f"of {len(report.cases)} faults survived or undone clean"],
        ],
        h.p(".sw-quiet")["There were more faults than time."] if report.is_cut else None,
        h.p(".sw-quiet")[lost] if (lost := points_lost(report)) else None,
        _cases(sheet, "Bad", worst),
        _cases(sheet, "Halts for a person", halts),
    ]


def points_lost(report: Rehearsal) -> str:
    """Say what is missing to 100, and how bad that is; empty when nothing is."""
    lost = [case for case in report.cases if case.verdict in (Verdict.halts, Verdict.bad)]
    halts = sum(case.verdict is Verdict.halts for case in lost)
    if not lost:
        return ""
    said = (
        f"{GOOD - report.score} points are missing: {len(lost)} of {len(report.cases)} faults are "
        "not survived."
    )
    if halts:
        which = "each" if halts == len(lost) else str(halts)
        said += (
            f" At {which} of them it stops for a person, by design: staff are told and can retry, "
            "or cancel, which gives back all that it took. More retries or an error branch would "
            "let it go on by itself."
        )
    if bad := len(lost) - halts:
        said += f" At {bad} of them it goes wrong: see what stays taken, and mend the flow."
    return said


def _cases(sheet: Sheet, words: str, cases: Sequence[Case]) -> h.Node:
    if not cases:
        return None
    return [
        h.h3[f"{words} ({len(cases)})"],
        h.ul(".fl-effects")[
            [
                h.li[
                    h.button(type="button", data_pick=case.node)[
                        h.span[f"{FAULTS[case.fault]} at {title(sheet, case.node)}"],
                        h.small[case.why],
                    ]
                ]
                for case in cases
            ]
        ],
    ]


def rehearsal_states(sheet: Sheet, report: Rehearsal | None) -> list[NodeState]:
    """Return the sign of each node that was rehearsed: how many faults it takes well."""
    cases: dict[str, list[Case]] = {}
    for case in report.cases if report else ():
        cases.setdefault(case.node, []).append(case)
    return [_state(node, found) for node, found in cases.items() if node in sheet.nodes]


def _state(node: str, cases: list[Case]) -> NodeState:
    good = sum(VERDICTS[case.verdict][1] == "success" for case in cases)
    is_bad = any(case.verdict is Verdict.bad for case in cases)
    tone: Tone = "danger" if is_bad else "success" if good == len(cases) else "warning"
    return NodeState(
        node=node, tone=tone, words=f"{good} of {len(cases)}", title="Faults survived or undone"
    )


def cases_of(report: Rehearsal, node: str) -> h.Node:
    """Return what became of each fault at one node."""
    cases = [case for case in report.cases if case.node == node]
    if not cases:
        return h.p(".sw-quiet")["Nothing that could go wrong here was come to."]
    return h.ul(".fl-cases")[
        [
            h.li(class_=f"tone-{VERDICTS[case.verdict][1]}")[
                icon("circle-check" if VERDICTS[case.verdict][1] == "success" else "circle-alert"),
                h.div[
                    h.strong[f"{FAULTS[case.fault]}: {VERDICTS[case.verdict][0]}"],
                    h.p[case.why],
                    h.p(".sw-quiet")[f"after {case.behind}"] if case.behind else None,
                ],
            ]
            for case in cases
        ]
    ]
