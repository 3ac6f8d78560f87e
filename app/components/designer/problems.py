"""What keeps a draft from running: a list that leads to each node, and words beside the fields."""

from collections.abc import Sequence

import htpy as h

from app.components.designer.patch import partial
from app.components.icon import icon
from app.flows.drafts.ports import title
from app.flows.drafts.sheet import Sheet
from app.flows.validate import Problem

MOST = 100


def problems(sheet: Sheet, found: Sequence[Problem]) -> h.Element:
    """Return the list; `data-node` is what our js marks on the canvas."""
    return h.details("#problems.fl-problems", data_count=len(found))[
        h.summary(class_=["btn btn-sm", "btn-outline"])[
            icon("triangle-alert" if found else "circle-check"),
            h.span[f"{len(found)} to mend" if found else "Can run"],
        ],
        h.div(".fl-problems-list")[
            h.ul[
                [
                    h.li[
                        h.button(type="button", data_pick=problem.node, data_bad=problem.node)[
                            h.strong[title(sheet, problem.node) if problem.node else "The flow"],
                            h.span[_words(problem)],
                        ]
                    ]
                    for problem in found[:MOST]
                ]
            ]
            if found
            else h.p(".sw-quiet")["Nothing keeps this flow from being published."],
            h.p(".sw-quiet")[f"and {len(found) - MOST} more"] if len(found) > MOST else None,
        ],
    ]


def beside_fields(found: Sequence[Problem], node: str) -> h.Fragment:
    """Return the partials of the open form: each message beside its field, the rest on top."""
    mine = [problem for problem in found if problem.node == node]
    wrong: dict[str, list[str]] = {}
    for problem in mine:
        wrong.setdefault(problem.field, []).append(problem.message)
    parts = [
        partial(f'#panel [data-wrong="{field}"]', _lines(messages), swap="innerHTML")
        for field, messages in wrong.items()
    ]
    rest = [
        problem.message
        for problem in mine
        if problem.field in ("edges", "with", "type", "within", "id")
    ]
    parts.append(partial('#panel [data-wrong="node"]', _lines(rest), swap="innerHTML"))
    return h.fragment[parts]


def _lines(messages: Sequence[str]) -> h.Fragment:
    return h.fragment[[h.span[icon("circle-alert"), message] for message in messages]]


def _words(problem: Problem) -> str:
    field = problem.field.removeprefix("with.")
    return (
        problem.message
        if problem.field in ("edges", "nodes", "with")
        else f"{field}: {problem.message}"
    )
