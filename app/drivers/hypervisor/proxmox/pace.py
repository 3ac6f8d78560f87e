"""How long tasks at a cluster usually take, learned from those that were watched.

A task is looked at first when it is usually over, then in small steps that grow. What is not
known is looked at as if nothing had been learned: a process that just began, or that goes on with
another one's task.
"""

import time
from typing import TypeVar
from weakref import WeakKeyDictionary

import msgspec

from app.drivers.http.client import HttpClient
from app.drivers.hypervisor.contract import Working

K = TypeVar("K")
V = TypeVar("V")
MOST_WATCHED = 4_096
MOST_USUAL = 4_096
FIRST_STEP_S, STEP, LONGEST_STEP_S = 0.025, 0.1, 5.0
"""The next look comes after a tenth of the time that has passed, within these bounds."""
SOONER = 0.92
"""What is over at the first look is looked at sooner the next time."""
COPY = "qmclone"
QUICK_S = 2.0
"""PVE gives up on a lock after 10 s. Of what takes so long, waiting included, two do no harm."""


class _Watched(msgspec.Struct):
    asked_s: float
    ran_s: float = 0.0
    """How old it was when it was last seen running."""


class Pace:
    """That of one process, by cluster, node and kind of task."""

    def __init__(self) -> None:
        self._watched: dict[str, _Watched] = {}
        self._usual_s: dict[tuple[str, str, str], float] = {}

    def at_once(self, cluster: str, node: str) -> int:
        """Return how many copies a node is asked for at once: the next waits at its lock.

        Two where all that is known to be copied there is quick. `node` may be the name of a storage
        that all nodes share, of which nothing is known: one.
        """
        copies = [
            usual_s
            for (where, there, kind), usual_s in self._usual_s.items()
            if (where, there) == (cluster, node) and kind.startswith(COPY)
        ]
        return 2 if copies and max(copies) < QUICK_S else 1

    def running(self, upid: str) -> None:
        if (seen := self._watched.get(upid)) is not None:
            seen.ran_s = time.monotonic() - seen.asked_s

    def over(self, cluster: str, upid: str) -> None:
        """Learn from a task that ended well: it did between the last two looks at it."""
        seen = self._watched.pop(upid, None)
        if seen is None:
            return
        kind, took_s = _kind(cluster, upid), time.monotonic() - seen.asked_s
        usual_s = self._usual_s.pop(kind, None)
        if not seen.ran_s:
            found_s = SOONER * (took_s if usual_s is None else min(usual_s, took_s))
        else:
            between_s = (seen.ran_s + took_s) / 2
            found_s = between_s if usual_s is None else (usual_s + between_s) / 2
        _keep(self._usual_s, kind, found_s, most=MOST_USUAL)

    def forget(self, upid: str) -> None:
        """Learn nothing from a task that failed, which may be at once."""
        self._watched.pop(upid, None)

    def paced(self, cluster: str, found: Working) -> Working:
        """Return when to look at the task in the memo, if one is waited for."""
        upid = found.memo.get("task")
        if upid is None:
            return found
        now_s = time.monotonic()
        if upid not in self._watched and not found.memo.get("looks"):
            _keep(self._watched, upid, _Watched(now_s), most=MOST_WATCHED)
        seen, usual_s = self._watched.get(upid), self._usual_s.get(_kind(cluster, upid))
        if seen is None or usual_s is None:
            return found
        age_s = now_s - seen.asked_s
        step_s = max(usual_s - age_s, STEP * age_s, FIRST_STEP_S)
        return msgspec.structs.replace(found, again_s=min(step_s, LONGEST_STEP_S))


def _kind(cluster: str, upid: str) -> tuple[str, str, str]:
    """Return what tasks it is alike: `UPID:NODE:PID:PSTART:START:TYPE:ID:USER:`.

    Copies of the same template are; their id is its. Any task may be of a machine of its own.
    """
    _, node, _, _, _, kind, owner, *_ = [*upid.split(":"), *[""] * 7]
    return cluster, node, f"{kind} {owner}" if kind == COPY else kind


def _keep(kept: dict[K, V], key: K, value: V, *, most: int) -> None:
    kept[key] = value
    while len(kept) > most:
        del kept[next(iter(kept))]


_PACES: WeakKeyDictionary[HttpClient, Pace] = WeakKeyDictionary()


def pace_of(http: HttpClient) -> Pace:
    """Return what was learned by who calls through this client, so by this process."""
    return _PACES.setdefault(http, Pace())
