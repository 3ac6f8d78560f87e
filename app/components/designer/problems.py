"""What keeps a draft from running: a list that leads to each node, and words beside the fields."""

from collections.abc import Collection, Sequence
from uuid import UUID

import htpy as h

from app.components.designer.names import draft_url
from app.components.designer.patch import partial
from app.components.icon import icon
from app.flows.document import Retry, Timeout
from app.flows.drafts.form import fields_of
from app.flows.drafts.parts import places
from app.flows.drafts.pins import pin_problem
from app.flows.drafts.ports import title, type_of
from app.flows.drafts.sheet import Sheet
from app.flows.validate import Problem

MOST = 100
_POLICIES = (
    *(f"retry.{name}" for name in Retry.__struct_fields__),
    *(f"timeout.{name}" for name in Timeout.__struct_fields__),
    "idempotency", "on_failure", "compensate",
)  # fmt: skip


def problems(draft: UUID, sheet: Sheet, found: Sequence[Problem]) -> h.Element:
    """Return the list in its place, which asks for it again when our js says that it may differ."""
    return h.details(
        {
            "hx-get": draft_url(draft, "/problems"),
            "hx-trigger": "check delay:300ms",
            "hx-include": "#panel-node",
            "hx-sync": "this:replace",
        },
        id="problems",
        class_="fl-problems",
    )[problem_list(sheet, found)]


def problem_list(sheet: Sheet, found: Sequence[Problem]) -> h.Fragment:
    """Return the list, errors first; `data-bad` is what our js marks on the canvas."""
    wrong = sum(problem.is_error for problem in found)
    warned = len(found) - wrong
    found = sorted(found, key=lambda problem: not problem.is_error)
    say = f"{wrong} to mend" if wrong else f"{warned} to think over" if warned else "Can run"
    return h.fragment[
        h.summary(".btn.btn-sm.btn-outline", data_count=wrong)[
            icon("triangle-alert" if found else "circle-check"), h.span[say]
        ],
        h.div(".fl-problems-list")[
            h.ul[
                [
                    h.li[
                        h.button(
                            type="button",
                            data_pick=problem.node,
                            data_bad=problem.node if problem.is_error else None,
                        )[
                            icon("circle-alert" if problem.is_error else "info"),
                            h.strong[title(sheet, problem.node) if problem.node else "The flow"],
                            h.span[words(problem)],
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


def beside_fields(sheet: Sheet, found: Sequence[Problem], node: str) -> h.Fragment:
    """Return the partials of the open form: each message beside its field, the rest on top.

    A problem within a parameter stands beside the innermost field that has a place of its own,
    and under the parameter where that is given as JSON.
    """
    mine = [problem for problem in found if problem.node == node]
    wrong: dict[str, list[Problem]] = {}
    rest: list[Problem] = []
    params = _params(sheet, node)
    shown = {*_POLICIES, *(place for places_ in params.values() for place in places_)}
    inside: dict[str, list[Problem]] = {}
    for problem in mine:
        field = beside(problem.field, shown)
        (wrong.setdefault(field, []) if field else rest).append(problem)
        whole = beside(problem.field, params)
        if whole and field != whole:
            inside.setdefault(whole, []).append(problem)
    parts = [
        partial(_target(field), _lines(field, there), swap="innerHTML")
        for field, there in wrong.items()
    ]
    parts += [
        partial(_target(f"in:{field}"), _lines(field, there), swap="innerHTML")
        for field, there in inside.items()
    ]
    if words_ := pin_problem(sheet, node):
        line = h.span(".is-warning")[icon("info"), words_]
        parts.append(partial('#panel [data-wrong="pin"]', line, swap="innerHTML"))
    parts.append(partial('#panel [data-wrong="node"]', _lines("", rest), swap="innerHTML"))
    return h.fragment[parts]


def _params(sheet: Sheet, node: str) -> dict[str, tuple[str, ...]]:
    """Return the places in each parameter of the form, by the place of the whole."""
    kind, given = type_of(sheet, node), sheet.nodes[node].params
    return {
        f"with.{field.name}": tuple(places(field, given.get(field.name), f"with.{field.name}"))
        for field in (fields_of(kind) if kind else ())
    }


def _target(field: str) -> str:
    quoted = field.replace("\\", "\\\\").replace('"', '\\"')
    return f'#panel [data-wrong="{quoted}"]'


def beside(field: str, shown: Collection[str]) -> str:
    """Return the longest of the `shown` fields that `field` is or lies in, or nothing."""
    at = field
    while at and at not in shown:
        at = at[: max(at.rfind("."), at.rfind("["), 0)]
    return at


def _lines(field: str, found: Sequence[Problem]) -> h.Fragment:
    return h.fragment[
        [
            h.span(class_=None if problem.is_error else "is-warning")[
                icon("circle-alert" if problem.is_error else "info"), _within(field, problem)
            ]
            for problem in found
        ]
    ]


def _within(field: str, problem: Problem) -> str:
    """Return the words beside a field: where in it something is wrong, and what."""
    inner = problem.field.removeprefix(field).lstrip(".") if field else ""
    where = f"{inner}: " if inner else ""
    return f"{where}{problem.message}{_place(problem)}"


def _place(problem: Problem) -> str:
    return "" if problem.at is None else f" (at character {problem.at + 1})"


def words(problem: Problem) -> str:
    """Return what is wrong, after the field in which it is."""
    if problem.field in ("edges", "nodes", "with"):
        return problem.message
    return f"{problem.field.removeprefix('with.')}: {problem.message}{_place(problem)}"
