"""Drive a dry run: do what is due, let time pass, answer those who wait, until nothing goes on."""

import asyncio
import time
from datetime import timedelta
from typing import Any

from app.flows.course import Course, Place, Token
from app.flows.dryrun.answers import Answering, recorded_answer
from app.flows.dryrun.clock import VirtualClock
from app.flows.dryrun.deed import DryDoer
from app.flows.dryrun.notebook import Notebook
from app.flows.dryrun.result import Ended

MOST_STEPS = 10_000
LONGEST_S = 5.0
LATEST = timedelta(days=200 * 365)
"""Virtual time after which a run counts as one that never ends."""
BREATH = 50
"""Steps after which others may go on in the process."""


class Limits:
    """How far a dry run goes; time is real here."""

    def __init__(self, *, most_steps: int = MOST_STEPS, longest_s: float = LONGEST_S) -> None:
        self.most_steps = most_steps
        self.ends_at = time.monotonic() + longest_s

    def are_over(self, steps: int) -> bool:
        return steps >= self.most_steps or time.monotonic() > self.ends_at


class Driver:
    """Drives one run in memory. What is done is in its notebook."""

    def __init__(
        self,
        doer: DryDoer,
        notebook: Notebook,
        answering: Answering,
        clock: VirtualClock,
        *,
        limits: Limits,
        until: str = "",
    ) -> None:
        self.doer = doer
        self.notebook = notebook
        self.answering = answering
        self.clock = clock
        self.limits = limits
        self.until = until
        self.steps = 0
        self._endless: set[Place] = set()
        """Steps that wait for a word that never comes."""

    async def drive(self, course: Course) -> Ended:
        """Return how the run ended; a failure is not undone yet."""
        while course.ending is None and course.tokens:
            token = self.pick(course.due(self.clock))
            if token is None:
                if not await self._pass_time(course):
                    return self._stand(course)
                continue
            if self.limits.are_over(self.steps) or self.clock.now() - self.clock.start > LATEST:
                return Ended.too_long
            self.steps += 1
            if self.steps % BREATH == 0:
                await asyncio.sleep(0)
            await self._do(course, token)
            if self._is_reached(course):
                return Ended.until
        if course.ending is not None and course.ending.is_failure:
            return Ended.failed
        return Ended.succeeded

    def pick(self, due: list[Token]) -> Token | None:
        """Return which of the steps that are due is done next.

        That is which ended first in the recorded run: of two that are due at once, one may end the
        other. What that run never came to is last.
        """
        return min(due, key=self._ended_at, default=None)

    def _ended_at(self, token: Token) -> tuple[bool, float]:
        one = self.answering.answers.find(token.place, token.attempt)
        if one is None or one.finished_at is None:
            return True, 0.0
        return False, one.finished_at.timestamp()

    async def _do(self, course: Course, token: Token) -> None:
        place, before = token.place, (token.signal_key, dict(token.memo))
        has_waited = token.state == "waiting"
        await self.doer.do(course, token)
        await self.doer.commit(course)
        is_same = token.place == place and (token.signal_key, token.memo) == before
        if has_waited and token.state == "waiting" and token.signal_key and is_same:
            self._endless.add(place)
        if token.state == "halted":
            self._retried(course, token)

    def _retried(self, course: Course, token: Token) -> None:
        """Go on as a person did who retried the step in the recorded run."""
        if self.answering.answers.find(token.place, token.attempt + 1) is not None:
            token.state, token.attempt = "ready", token.attempt + 1
            token.since, token.doubt, token.heard = None, False, None
            course.touch(token)

    async def _pass_time(self, course: Course) -> bool:
        """Send a word to a step that waits for one, or go on to the next time."""
        for token in list(course.tokens.values()):
            if token.state == "waiting" and token.signal_key and self._hear(course, token):
                await self.doer.commit(course)
                return True
        wakes = [
            token.wake_at
            for token in course.tokens.values()
            if token.state == "waiting"
            and token.wake_at is not None
            and token.place not in self._endless
        ]
        if not wakes:
            return False
        self.clock.move_to(min(wakes))
        return True

    def _hear(self, course: Course, token: Token) -> bool:
        """Return whether a step that waits for a signal goes on now."""
        exact = self.answering.answers.find(token.place, token.attempt)
        is_chosen = token.node in self.answering.given.choose
        if exact is not None and exact.is_finished and not is_chosen:
            kind = course.stop_of(token).kind
            if kind is not None:
                self.doer.take(course, token, recorded_answer(exact, kind))
            return True
        if exact is not None and not exact.is_failed and not is_chosen:
            self._endless.add(token.place)  # the recording ends while it waits
            return False
        if token.place in self._endless:
            return False
        if token.place not in self.notebook.signals:
            self.notebook.signals.append(token.place)
        if self.doer.is_silent(token):
            return False
        word: Any = self.answering.word(token)
        if word is None:
            return False
        token.heard = [word]
        return True

    def _is_reached(self, course: Course) -> bool:
        """Return whether the node where it is to stop has just ended, not to be tried again."""
        return any(
            place[1] == self.until and course.at(place) is None for place in self.notebook.ended
        )

    def _stand(self, course: Course) -> Ended:
        """Return why nothing goes on."""
        states = {token.state for token in course.tokens.values()}
        if "halted" in states:
            return Ended.halted
        return Ended.waiting if "waiting" in states else Ended.stuck
