"""A dry run of a version: the form of its input, the path taken, the effects, how long it takes."""

from collections.abc import Sequence

import htpy as h

from app.components.admin.flow_bits import FLOWS
from app.components.admin.input_form import input_labels, inputs_form
from app.components.badge import badge
from app.components.button import link_button, submit_button
from app.components.card import card, card_grid, stack
from app.components.designer.trial import ENDED
from app.components.form import Form, form_element
from app.components.frame import PageFrame
from app.components.notice import notice
from app.components.page import admin_page, page_head
from app.components.stat import stat
from app.components.table import Column, Row, table
from app.components.time import duration_text
from app.flows.dryrun.result import DryRun, EffectLine, PathStep
from app.flows.flow_views import VersionView
from app.flows.typed_input import InputField

MOST_SHOWN = 50
"""Rows of each list: a page tells what happens, the API has all of it."""
_PATH = (
    Column("Step"),
    Column("Leaves by", narrow=True),
    Column("At", figures=True, narrow=True),
    Column("Answer from", narrow=True),
)
_EFFECTS = (Column("What a real run would do"), Column("Where", narrow=True))


def dry_run_page(
    name: str,
    version: VersionView,
    fields: Sequence[InputField],
    form: Form,
    found: DryRun | None,
    *,
    frame: PageFrame,
) -> h.Element:
    where = f"{FLOWS}/{version.slug}"
    action = f"{where}/dry-run/{version.row.number}"
    title = f"Dry run of version {version.row.number}"
    return admin_page(
        title,
        page_head(
            title,
            eyebrow=h.a(href=where)[name],
            lede="What a run would do. Nothing is done and nobody is called; time passes at once.",
        ),
        stack(
            _result(found) if found is not None else None,
            card(
                form_element(
                    form,
                    action,
                    h.p(".sw-quiet")["An input that is left empty as a whole is made up."],
                    inputs_form(form, fields, action),
                    h.div(".sw-actions")[
                        submit_button("Try it", busy="Running…", symbol="play"),
                        link_button("Leave it", where, weight="quiet"),
                    ],
                    labels=input_labels(fields),
                ),
                title="Input",
            ),
        ),
        frame=frame,
        active="flows",
    )


def _result(found: DryRun) -> h.Element:
    words, tone = ENDED[found.ended]
    wrong = [one for one in found.problems if one.is_error]
    return stack(
        notice(
            "danger",
            "Something is wrong",
            h.ul[[h.li[one.node or "The flow", ": ", one.message] for one in wrong]],
        )
        if wrong
        else None,
        _figures(found, badge(words.capitalize(), tone)),
        card(
            table(
                _EFFECTS,
                [_effect(one) for one in found.effects[:MOST_SHOWN]],
                caption="Effects",
                empty=h.p(".sw-quiet.card-body")["None at all."],
            ),
            title="Effects, in order",
            symbol="zap",
            flush=True,
            footer=_rest(found.effects),
        ),
        card(
            table(_PATH, [_step(one) for one in found.path[:MOST_SHOWN]], caption="Path"),
            title="Path taken",
            symbol="workflow",
            flush=True,
            footer=_rest(found.path),
        ),
    )


def _rest(found: Sequence[object]) -> str | None:
    left = len(found) - MOST_SHOWN
    return f"and {left:,} more" if left > 0 else None


def _figures(found: DryRun, ended: h.Element) -> h.Element:
    whole = found.expected.whole if found.expected is not None else None
    unknown = len(found.expected.unknown) if found.expected is not None else 0
    return card_grid(
        stat("Ends", ended, detail=found.error or None),
        stat(
            "Takes, p50",
            "–" if whole is None else duration_text(round(whole.p50_s * 1_000)),
            detail="No run of it has ended yet"
            if whole is None
            else f"at least: {unknown} steps have no history"
            if unknown
            else f"by {whole.samples:,} runs",
        ),
        stat("Takes, p99", "–" if whole is None else duration_text(round(whole.p99_s * 1_000))),
        stat("Steps", f"{found.steps:,}"),
        least_width="small",
    )


def _effect(line: EffectLine) -> Row:
    return Row(
        cells=(
            h.div[
                h.span(".sw-strong")[line.says],
                h.span(".sw-under")["undo of " if line.is_undo else None, line.node],
            ],
            "our database" if line.where == "database" else line.where,
        )
    )


def _step(step: PathStep) -> Row:
    attempt = f", attempt {step.attempt}" if step.attempt > 1 else ""
    return Row(
        cells=(
            h.div[
                h.span(".sw-strong")[step.name],
                h.span(".sw-under")[f"{step.type}{attempt}"],
                h.span(".sw-under.sw-clip")[step.error] if step.error else None,
            ],
            step.port or step.status,
            duration_text(round(step.at_s * 1_000)),
            step.origin,
        )
    )
