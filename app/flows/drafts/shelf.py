"""Drafts that this process has read lately, so that a gesture reads none of them again.

An entry counts only while the draft's row names the same revision and latest command: what a
transaction put here and then rolled back is never taken for the draft.
"""

from collections import OrderedDict
from uuid import UUID

from app.flows.drafts.sheet import Sheet

MOST = 64


class Shelf:
    def __init__(self) -> None:
        self._kept: OrderedDict[UUID, tuple[int, UUID | None, Sheet]] = OrderedDict()

    def find(self, draft: UUID, rev: int, head: UUID | None) -> Sheet | None:
        held = self._kept.get(draft)
        if held is None or held[:2] != (rev, head):
            return None
        self._kept.move_to_end(draft)
        return held[2]

    def keep(self, draft: UUID, rev: int, head: UUID | None, sheet: Sheet) -> None:
        self._kept[draft] = (rev, head, sheet)
        self._kept.move_to_end(draft)
        while len(self._kept) > MOST:
            self._kept.popitem(last=False)


SHELF = Shelf()
