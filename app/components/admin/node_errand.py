"""What is done about a server at a cloud: the steps, where it stands, what stands in its way."""

from collections.abc import Mapping
from typing import Any

import htpy as h

from app.components.admin.dcim import SERVERS
from app.components.admin.nodes import NODES
from app.components.badge import badge
from app.components.button import Weight, link_button, submit_button
from app.components.card import card, split, stack
from app.components.facts import code, facts
from app.components.form import csrf_field
from app.components.frame import PageFrame
from app.components.live import live_region
from app.components.notice import notice
from app.components.page import admin_page, page_head
from app.components.time import moment
from app.components.timeline import StepState, TimelineStep, timeline
from app.components.tone import Tone
from app.domain.metal.errand import ErrandState, ErrandView
from app.domain.metal.want import Adopt, Clean, Enrol, Inspect, Step, Want, Withdraw

ERRANDS = f"{NODES}/errands"
STEPS: Mapping[Step, str] = {
    Step.known: "The cloud knows it, and its BMC answers",
    Step.taken_on: "The node is marked as this server",
    Step.inspected: "Its hardware is inspected",
    Step.offered: "It is cleaned and offered",
    Step.cleaned: "It is cleaned anew and offered",
    Step.adopted: "What runs on it is taken over",
    Step.withdrawn: "It is taken out of the cloud",
}
TONES: Mapping[ErrandState, Tone] = {
    ErrandState.working: "info",
    ErrandState.done: "success",
    ErrandState.failed: "danger",
    ErrandState.stopped: "warning",
}


def want_words(want: Want) -> str:
    match want:
        case Enrol():
            return "Enrolment"
        case Adopt():
            return "Adoption"
        case Inspect():
            return "Inspection"
        case Withdraw():
            return "Withdrawal"
        case Clean():
            return "Cleaning"


def errand_href(errand: ErrandView) -> str:
    return f"{ERRANDS}/{errand.id}"


def errand_badge(errand: ErrandView) -> h.Element:
    return badge(errand.state.capitalize(), TONES[errand.state])


def errand_page(errand: ErrandView, *, may_change: bool, frame: PageFrame) -> h.Element:
    return admin_page(
        f"{want_words(errand.wanted)} of {errand.server_name}",
        errand_region(errand, csrf=frame.csrf if may_change else ""),
        frame=frame,
        active="nodes",
    )


def errand_region(errand: ErrandView, *, csrf: str) -> h.Element:
    """Return an errand, which follows the worker; `csrf` is "" for who looks on."""
    here = errand_href(errand)
    return live_region(f"metal-errand:{errand.id}", f"{here}/now", id_="errand")[
        page_head(
            f"{want_words(errand.wanted)} of {errand.server_name}",
            eyebrow=[
                h.a(href=SERVERS)["Servers"],
                " / ",
                h.a(href=f"{SERVERS}/{errand.server}")[errand.server_name],
            ],
            status=errand_badge(errand),
            lede=["At ", errand.connection, ", asked for ", moment(errand.asked_at)],
        ),
        stack(
            _standing(errand),
            split(
                card(timeline(_steps(errand)), title="Steps", symbol="activity"),
                stack(_facts(errand), _actions(errand, csrf)),
            ),
        ),
    ]


def _standing(errand: ErrandView) -> h.Element | None:
    match errand.state:
        case ErrandState.failed:
            return notice(
                "danger",
                f"{errand.connection} did not do it",
                h.p(".sw-break")[errand.error],
                h.p(".sw-quiet")[
                    "The server went into quarantine for that. Its page says how it stands."
                ]
                if isinstance(errand.wanted, Clean)
                else None,
            )
        case ErrandState.working if errand.error:
            return notice(
                "warning",
                "It does not go on for now",
                h.p(".sw-break")[errand.error],
                h.p(".sw-quiet")["It is tried again by itself, until ", moment(errand.ends_at)],
            )
        case ErrandState.stopped:
            return notice(
                "warning",
                "It was stopped",
                errand.says
                or "What was done stays. Go on from there, or take it out of the cloud again.",
            )
        case ErrandState.done:
            return notice("success", "Done", errand.says or _DONE[errand.wanted.steps[-1]])
    return None


_DONE: Mapping[Step, str] = {
    Step.known: "Its BMC answers the cloud. It is not offered yet.",
    Step.taken_on: "It is written down which node it is.",
    Step.inspected: "Compare what was found with the record, and accept what is right.",
    Step.offered: "It can be sold once it is in stock.",
    Step.cleaned: "It is clean.",
    Step.adopted: "The cloud watches and switches it from now on; what runs on it was not touched.",
    Step.withdrawn: "The cloud knows nothing of it any more.",
}


def _steps(errand: ErrandView) -> list[TimelineStep]:
    ended = {one.step: one.at for one in errand.done}
    now = errand.next_step
    found, before = [], errand.asked_at
    for step in errand.wanted.steps:
        at = ended.get(step)
        took = None if at is None else round((at - before).total_seconds() * 1000)
        before = at or before
        found.append(
            TimelineStep(
                label=STEPS[step],
                state=_state(errand, step, now),
                elapsed_ms=took,
                note=_note(errand) if step is now and errand.state is ErrandState.working else None,
            )
        )
    return found


def _state(errand: ErrandView, step: Step, now: Step | None) -> StepState:
    if any(one.step is step for one in errand.done):
        return StepState.DONE
    if step is not now:
        return StepState.PENDING
    match errand.state:
        case ErrandState.working:
            return StepState.RUNNING
        case ErrandState.failed:
            return StepState.FAILED
        case _:
            return StepState.PENDING


def _note(errand: ErrandView) -> str | None:
    says = errand.says
    return f"{says[:1].upper()}{says[1:]}." if says and not errand.error else None


def _facts(errand: ErrandView) -> h.Element:
    want = errand.wanted
    pairs: list[tuple[str, h.Node]] = [
        ("Cloud", errand.connection),
        ("Asked for by", errand.asked_as),
    ]
    match want:
        case Enrol():
            pairs += [
                ("Name there", code(want.name)),
                ("Driver", want.driver or "by its BMC's protocol"),
                ("Resource class", want.resource_class),
                *((name.capitalize(), value) for name, value in want.interfaces.items()),
            ]
        case Adopt():
            pairs.append(("Node", code(want.node)))
    if errand.finished_at:
        pairs.append(("Ended", moment(errand.finished_at)))
    return card(facts(pairs), title="What was asked for", symbol="info")


def _actions(errand: ErrandView, csrf: str) -> h.Element | None:
    here = errand_href(errand)
    server = f"{SERVERS}/{errand.server}"
    is_inspected = any(one.step is Step.inspected for one in errand.done)
    links = [
        link_button(
            "Compare the hardware", f"{server}/discovery", symbol="git-compare", weight="primary"
        )
        if is_inspected
        else None,
    ]
    if csrf:
        links += _deeds(errand, here, csrf)
    links.append(link_button("To the server", server, weight="quiet"))
    return h.div(".sw-actions")[links]


def _deeds(errand: ErrandView, here: str, csrf: str) -> list[Any]:
    is_open = isinstance(errand.wanted, Enrol | Adopt)
    match errand.state:
        case ErrandState.working:
            return [click("Stop it", f"{here}/stop", csrf, weight="plain")]
        case ErrandState.failed if isinstance(errand.wanted, Clean):
            return []
        case ErrandState.stopped if errand.says:
            return []
        case ErrandState.failed | ErrandState.stopped:
            server = f"{SERVERS}/{errand.server}"
            is_enrol = isinstance(errand.wanted, Enrol)
            again = "Go on" if errand.state is ErrandState.stopped else "Try again"
            return [
                click(again, f"{here}/again", csrf, weight="primary"),
                link_button("Change its BMC", f"{server}/bmc") if is_enrol else None,
                link_button("Change and enrol", enrol_href(errand)) if is_enrol else None,
                link_button(
                    "Adopt a node instead",
                    f"{NODES}/adopt?connection={errand.connection}&server={errand.server_name}",
                )
                if is_enrol
                else None,
                link_button("Take it out again", f"{NODES}/withdraw?server={errand.server_name}")
                if is_open
                else None,
            ]
        case _:
            return []


def enrol_href(errand: ErrandView) -> str:
    """Return the form of an enrolment with what was typed for this one."""
    return f"{NODES}/enrol?errand={errand.id}"


def click(label: str, action: str, csrf: str, *, weight: Weight = "plain") -> h.Element:
    return h.form(".sw-inline-form", method="post", action=action)[
        csrf_field(csrf), submit_button(label, weight=weight)
    ]
