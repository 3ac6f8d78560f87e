"""W1: steps per second of one worker, and one run alone, beside the floor and the peers.

Everybody does the same ten HTTP calls to the same target, on the same machine in the same
minutes: three rounds in turn, each of several batches after a warm-up. The median of all batches
counts, for everybody: one good or bad moment of the machine decides nothing.
"""

from types import ModuleType
from typing import Any

import msgspec

from app.core.errors import Refusal
from benchmarks import usage
from benchmarks.flows import floor, ours, plots
from benchmarks.flows.documents import STEPS
from benchmarks.flows.peers import dbos, restate
from benchmarks.flows.peers.plan import Reached, Setting
from benchmarks.flows.works import Works
from benchmarks.percentile import percentile, spread
from benchmarks.report import say, table
from benchmarks.result import Result

ROUNDS = 3
BATCHES = 3
"""Of each round: to start and to warm up a contestant takes longer than a batch."""
FLOWS = {ours.NAME: 400, restate.NAME: 400, dbos.NAME: 150}
"""A rate needs no more runs than last for some seconds; DBOS is the slowest."""
TUNING_FLOWS = 60
WARM_UP = 40
ALONE = 100
GOAL_PER_S = 2_000.0
GOAL_TIMES = {restate.NAME: 2.5, dbos.NAME: 10.0}
GOAL_ALONE_MS = 80.0
CONTESTANTS = (ours, restate, dbos)


class Score(msgspec.Struct):
    """What one contestant reached in all rounds."""

    setting: Setting
    batches: list[Reached] = []
    alone_s: list[float] = []

    @property
    def reached(self) -> Reached:
        """Return the batch in the middle; of an even number the slower one."""
        ranked = sorted(self.batches, key=lambda each: each.steps_per_s)
        return ranked[(len(ranked) - 1) // 2]

    @property
    def latest(self) -> list[float]:
        """Return the steps per second of the latest round's batches."""
        return [each.steps_per_s for each in self.batches[-BATCHES:]]

    def facts(self) -> dict[str, Any]:
        return {
            "setting": str(self.setting),
            "batches": [each.steps_per_s for each in self.batches],
            "alone_s": spread(self.alone_s),
            **msgspec.to_builtins(self.reached),
        }


async def measure(works: Works, size: float) -> list[Result]:
    scores: dict[str, Score] = {}
    missing: dict[str, str] = {}
    floors: list[floor.Floor] = []
    for number in range(ROUNDS):
        floors.append(await floor.measure(works.servers.database_url))
        for contestant in CONTESTANTS:
            if contestant.NAME in missing:
                continue
            try:
                await _round(works, contestant, scores, size)
            except Refusal as refusal:
                if contestant is ours:
                    raise
                missing[contestant.NAME] = refusal.message
                scores.pop(contestant.NAME, None)
                say(refusal.message)
        told = ", ".join(f"{name} {_rates(each.latest)}" for name, each in scores.items())
        say(f"W1 round {number + 1}: {told} steps/s")
    least = max(floors, key=lambda each: each.grouped_per_s)
    _show(scores, least)
    return _results(scores, least, missing)


async def _round(
    works: Works, contestant: ModuleType, scores: dict[str, Score], size: float
) -> None:
    """Do one contestant's part: start it, warm it up, find its best setting, measure, end it."""
    name: str = contestant.NAME
    async with contestant.running(works) as running:
        settings: tuple[Setting, ...] = contestant.SETTINGS
        await running.many(_some(WARM_UP, size), settings[0])
        if name not in scores:
            setting = settings[0]
            if len(settings) > 1:
                tried = {
                    each: (await running.many(_some(TUNING_FLOWS, size), each)).steps_per_s
                    for each in settings
                }
                setting = max(tried, key=lambda each: tried[each])
                told = "; ".join(f"{each}: {reached:.0f}" for each, reached in tried.items())
                say(f"{name} by setting, steps/s: {told}")
            scores[name] = Score(setting)
        score = scores[name]
        await usage.quiet()
        for _ in range(BATCHES):
            score.batches.append(await running.many(_some(FLOWS[name], size), score.setting))
        score.alone_s += await running.alone(_some(ALONE, size))


def _some(count: int, size: float) -> int:
    return max(4, round(count * size))


def _rates(rates: list[float]) -> str:
    return " ".join(f"{rate:.0f}" for rate in rates)


def _results(scores: dict[str, Score], least: floor.Floor, missing: dict[str, str]) -> list[Result]:
    mine = scores[ours.NAME]
    details = {
        "contestants": {name: each.facts() for name, each in scores.items()},
        "floor_per_s": msgspec.to_builtins(least),
        "versions": {**restate.VERSIONS, **dbos.VERSIONS},
        "missing": missing,
    }
    rate = mine.reached.steps_per_s
    results = [
        Result(
            name="flows-w1", ours=rate, peer=least.grouped_per_s, goal=GOAL_PER_S, unit="/s",
            at_least=True, details=details, plots=_plots(scores),
            says=f"steps per second of one worker, {STEPS} HTTP calls a flow, median of "
            f"{len(mine.batches)} batches; peer: the bare rows by asyncpg in groups of "
            f"{floor.GROUP}",
        )
    ]  # fmt: skip
    for name, times in GOAL_TIMES.items():
        if name not in scores:
            continue
        peer = scores[name]
        results.append(
            Result(
                name=f"flows-w1-{name.lower()}", ours=rate, peer=peer.reached.steps_per_s,
                goal=times * peer.reached.steps_per_s, unit="/s", at_least=True,
                says=f"the same; peer: {name} ({peer.setting}); goal: {times:g} × as many",
            )
        )  # fmt: skip
    p99_ms = percentile(mine.alone_s, 0.99) * 1e3
    other = next((name for name in GOAL_TIMES if name in scores), ours.NAME)
    results.append(
        Result(
            name="flows-w1-alone", ours=p99_ms, peer=percentile(scores[other].alone_s, 0.99) * 1e3,
            goal=GOAL_ALONE_MS, unit="ms",
            says=f"p99 of {len(mine.alone_s)} such runs, one at a time; peer: {other}",
        )
    )  # fmt: skip
    return results


def _plots(scores: dict[str, Score]) -> dict[str, str]:
    rows = [(name, each.reached.steps_per_s) for name, each in scores.items()]
    runs = {name: each.alone_s for name, each in scores.items()}
    return plots.rates(rows) | plots.alone(runs, GOAL_ALONE_MS)


def _show(scores: dict[str, Score], least: floor.Floor) -> None:
    rows = [("floor", f"{least.grouped_per_s:.0f}", "", "", "")]
    for name, each in scores.items():
        rows.append((
            f"{name} ({each.setting})", f"{each.reached.steps_per_s:.0f}",
            _rates([batch.steps_per_s for batch in each.batches]),
            f"{percentile(each.alone_s, 0.5) * 1e3:.1f}",
            f"{percentile(each.alone_s, 0.99) * 1e3:.1f}",
        ))  # fmt: skip
    say(table(("W1", "steps/s", "batches", "alone p50 ms", "p99 ms"), rows))
    say(f"floor one by one: {least.single_per_s:.0f} steps/s")
    for name, each in scores.items():
        took = ", ".join(
            f"{part} {us:.0f} µs"
            for part, us in each.reached.cpu_us_per_step.items()
            if part not in (usage.OTHERS, "benchmark")
        )
        say(f"{name}: {usage.told(each.reached.cores)}; CPU per step: {took}")
