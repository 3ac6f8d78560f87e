"""The burn-ins of a server: how the one under way goes, what each part bore, and those before."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import htpy as h

from app.components.admin.dcim import SERVERS
from app.components.badge import badge
from app.components.button import link_button
from app.components.card import card, stack
from app.components.facts import facts
from app.components.progress import progress, working
from app.components.table import Column, Row, table
from app.components.time import about_text, moment
from app.components.tone import Tone
from app.domain.inventory.burn_in import BurnIn
from app.domain.inventory.burn_in_parts import Part
from app.domain.inventory.burn_in_states import BurnInState

PARTS = (Column("Part"), Column("What was found"), Column("Result", narrow=True))
EARLIER = (Column("When"), Column("Load"), Column("Hottest", figures=True), Column("Result"))
RESULTS: dict[BurnInState, tuple[str, Tone]] = {
    BurnInState.under_way: ("under way", "accent"),
    BurnInState.stopping: ("being stopped", "warning"),
    BurnInState.passed: ("passed", "success"),
    BurnInState.failed: ("failed", "danger"),
    BurnInState.stopped: ("stopped", "neutral"),
}


def burn_in_cards(burn_ins: Sequence[BurnIn], *, at: datetime, may_change: bool) -> list[h.Element]:
    """Return the cards of a server's burn-ins, which are told the latest first."""
    latest, earlier = burn_ins[:1], burn_ins[1:]
    return [
        *(_card(one, at, may_change=may_change) for one in latest),
        *([_earlier(earlier)] if earlier else []),
    ]


def _card(latest: BurnIn, at: datetime, *, may_change: bool) -> h.Element:
    words, tone = RESULTS[latest.state]
    stops = may_change and latest.state is BurnInState.under_way
    return card(
        stack(
            _progress(latest, at) if latest.is_open else None,
            facts(_facts(latest)),
            _parts(latest.parts) if latest.parts else None,
        ),
        title="Burn-in",
        symbol="zap",
        actions=[
            badge(words, tone, moving=latest.is_open),
            link_button(
                "Stop it", f"{SERVERS}/{latest.server}/burn-in/stop", size="small", weight="quiet"
            )
            if stops
            else None,
        ],
    )


def _progress(burning: BurnIn, at: datetime) -> h.Element:
    if burning.state is BurnInState.stopping:
        return working("The machine is being switched off")
    if burning.loaded_at is None:
        return working("The machine boots")
    whole_s = burning.minutes * 60
    under_s = min(whole_s, max(0, round((at - burning.loaded_at).total_seconds())))
    return progress(under_s, whole_s, label="Under load")


def _facts(one: BurnIn) -> list[tuple[str, h.Node]]:
    pairs: list[tuple[str, h.Node]] = []
    if one.is_open and one.stage:
        pairs.append(("It is", one.stage))
    if one.loaded_at is not None:
        pairs.append(("Under load since", moment(one.loaded_at)))
    if one.is_open and one.loaded_at is not None:
        pairs.append(("Until about", moment(one.loaded_at + timedelta(minutes=one.minutes))))
    pairs.append(("Load", _load(one)))
    if one.is_open and one.celsius is not None:
        pairs.append(("Temperature", f"{one.celsius} °C, {one.hottest_celsius} °C at the hottest"))
    elif one.hottest_celsius is not None:
        pairs.append(("At the hottest", f"{one.hottest_celsius} °C"))
    if one.is_open and one.heard_at is not None:
        pairs.append(("Last heard", moment(one.heard_at)))
    if one.ended_at is not None:
        pairs.append(("Ended", moment(one.ended_at)))
    if one.error:
        pairs.append(("Why", one.error))
    pairs.append(
        ("Asked for by", [one.asked_as, h.span(".sw-under")[one.reason or "by the settings"]])
    )
    return pairs


def _load(one: BurnIn) -> str:
    return about_text(one.minutes * 60_000)


def _parts(parts: Sequence[Part]) -> h.Element:
    return table(PARTS, [_part(part) for part in parts], caption="What each part bore")


def _part(part: Part) -> Row:
    faults = [h.span(".sw-under.sw-late")[text] for text in part.faults]
    words = (
        h.details[
            h.summary[f"The words of {part.tool}"], h.pre(".sw-code", tabindex="0")[part.words]
        ]
        if part.faults and part.words and part.tool
        else None
    )
    return Row(
        cells=[
            part.label,
            h.div[", ".join(part.figures) or "nothing told", faults, words],
            badge("failed", "danger") if part.faults else badge("passed", "success"),
        ],
        marked=bool(part.faults),
    )


def _earlier(burn_ins: Sequence[BurnIn]) -> h.Element:
    return card(
        table(EARLIER, [_past(one) for one in burn_ins], caption="Earlier burn-ins"),
        title="Earlier burn-ins",
        symbol="history",
    )


def _past(one: BurnIn) -> Row:
    words, tone = RESULTS[one.state]
    heat = "–" if one.hottest_celsius is None else f"{one.hottest_celsius} °C"
    why = h.span(".sw-under")[one.error] if one.error else None
    return Row(cells=[moment(one.asked_at), _load(one), heat, h.div[badge(words, tone), why]])
