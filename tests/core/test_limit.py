"""Time limits: what is in time goes on, what is not ends, and only by its own limit."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest

from app.core.limit import BEAT_S, EXACT_UP_TO_S, within

T = TypeVar("T")
LONG_S = 10 * EXACT_UP_TO_S
LIMITS = [pytest.param(EXACT_UP_TO_S, id="exact"), pytest.param(LONG_S, id="long")]


class SetLoop(asyncio.SelectorEventLoop):
    """A loop whose time goes on by the test's word alone."""

    now_s = 0.0

    def time(self) -> float:
        return self.now_s


def on_set_loop(main: Callable[[SetLoop], Awaitable[T]]) -> T:
    async def run() -> T:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, SetLoop)
        return await main(loop)

    with asyncio.Runner(loop_factory=SetLoop) as runner:
        return runner.run(run())


async def advance(loop: SetLoop, seconds: float) -> None:
    await asyncio.sleep(0)  # what was started meanwhile begins before
    loop.now_s += seconds
    for _ in range(4):  # the beat, the cancelled task, who waits for it
        await asyncio.sleep(0)


async def hold(seconds: float, release: asyncio.Event) -> str:
    with within(seconds):
        await release.wait()
    return "in time"


@pytest.mark.parametrize("seconds", LIMITS)
def test_what_takes_too_long_ends_with_a_time_out(seconds: float) -> None:
    async def main(loop: SetLoop) -> None:
        held = asyncio.create_task(hold(seconds, asyncio.Event()))
        await advance(loop, seconds - 1)
        assert not held.done()
        await advance(loop, 1 + BEAT_S)
        with pytest.raises(TimeoutError):
            held.result()
        assert held.cancelling() == 0

    on_set_loop(main)


@pytest.mark.parametrize("seconds", LIMITS)
def test_what_is_in_time_is_left_alone_for_good(seconds: float) -> None:
    async def main(loop: SetLoop) -> str:
        release, after = asyncio.Event(), asyncio.Event()

        async def both() -> str:
            said = await hold(seconds, release)
            await after.wait()
            return said

        held = asyncio.create_task(both())
        await advance(loop, seconds / 2)
        release.set()
        await advance(loop, seconds)
        assert not held.done()
        after.set()
        return await held

    assert on_set_loop(main) == "in time"


@pytest.mark.parametrize("seconds", LIMITS)
def test_who_is_cancelled_from_outside_sees_that_and_no_time_out(seconds: float) -> None:
    async def main(loop: SetLoop) -> None:
        held = asyncio.create_task(hold(seconds, asyncio.Event()))
        await advance(loop, 0)
        held.cancel()
        with pytest.raises(asyncio.CancelledError):
            await held

    on_set_loop(main)


def test_cancelled_and_over_at_once_is_cancelled() -> None:
    async def main(loop: SetLoop) -> None:
        held = asyncio.create_task(hold(LONG_S, asyncio.Event()))
        await advance(loop, 0)
        loop.now_s += LONG_S + BEAT_S
        loop.call_soon(held.cancel)
        with pytest.raises(asyncio.CancelledError):
            await held

    on_set_loop(main)


def test_each_of_many_ends_at_its_own_time_and_new_ones_after_a_pause() -> None:
    async def main(loop: SetLoop) -> None:
        for _ in range(2):  # the second time, nothing has been open meanwhile
            ordered = [
                asyncio.create_task(hold(LONG_S + more, asyncio.Event()))
                for more in range(0, 30, 10)
            ]
            await advance(loop, 0)
            for number in range(3):
                await advance(loop, (0 if number else LONG_S - 10) + 10)
                await advance(loop, BEAT_S)
                assert [task.done() for task in ordered] == [at <= number for at in range(3)]
            await asyncio.gather(*ordered, return_exceptions=True)

    on_set_loop(main)


def test_an_inner_limit_does_not_pass_for_the_outer_one() -> None:
    async def main(loop: SetLoop) -> str:
        async def nested() -> str:
            with within(LONG_S):
                try:
                    return await hold(EXACT_UP_TO_S, asyncio.Event())
                except TimeoutError:
                    await asyncio.sleep(0)
                    return "the inner one"

        held = asyncio.create_task(nested())
        await advance(loop, 0)
        await advance(loop, EXACT_UP_TO_S + BEAT_S)
        return await held

    assert on_set_loop(main) == "the inner one"


def test_a_failure_in_time_is_itself() -> None:
    async def main(_: SetLoop) -> None:
        with pytest.raises(ValueError, match="own"), within(LONG_S):
            raise ValueError("its own")

    on_set_loop(main)
