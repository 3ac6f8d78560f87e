"""The parts of the flow benchmarks that decide what a figure says."""

import contextlib
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from app.core.database import Database
from app.core.errors import Refusal
from app.flows import registry
from app.flows.document import Document
from app.flows.validate import problems_of
from benchmarks import environment, flows, usage
from benchmarks.flows import documents, floor, package
from benchmarks.flows.long_loop import cpu_s, wall_s
from benchmarks.flows.peers.plan import reached
from benchmarks.flows.target import Request, Target, read_request
from benchmarks.flows.verdict import Journal, Verdict, judge
from benchmarks.flows.works import NotFinished
from benchmarks.result import Result
from benchmarks.usage import Sample, bound_by, cores, told

FIRST, SECOND, THIRD = UUID(int=1), UUID(int=2), UUID(int=3)


def key(run: UUID, node: str) -> str:
    return f"{run}:/:{node}"


@pytest.fixture
def nodes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The benchmark's node types, for this test only."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    package.install(tmp_path)
    yield
    registry.node_types.cache_clear()


@pytest.mark.usefixtures("nodes")
@pytest.mark.parametrize(
    "document",
    [
        documents.calls("calls", "http://127.0.0.1:1", unrepeatable=(2, 5, 8), delay_ms=5),
        documents.waiting("wait", 5),
        documents.memory("memory"),
        documents.loop("loop", "http://127.0.0.1:1"),
    ],
    ids=lambda document: document.flow,
)
def test_the_measured_flows_can_be_published(document: Document) -> None:
    assert problems_of(document) == []


def test_each_call_takes_what_the_one_before_it_answered() -> None:
    document = documents.calls("calls", "http://t", steps=3, unrepeatable=(2,))
    assert [document.nodes[f"s{number}"].params["query"]["n"] for number in (1, 2, 3)] == [
        "=input.n", "=steps.s1.body.n + 1", "=steps.s2.body.n + 1",
    ]  # fmt: skip
    assert [document.nodes[f"s{number}"].idempotency for number in (1, 2, 3)] == [
        None,
        "none",
        None,
    ]


def test_the_target_reads_path_number_delay_and_key() -> None:
    head = b"GET /call?n=3&delay_ms=60 HTTP/1.1\r\nHost: t\r\nIdempotency-Key: a:/:s1\r\n\r\n"
    assert read_request(head) == Request("/call", 3, 0.06, "a:/:s1")
    assert read_request(b"GET /counts HTTP/1.1\r\n\r\n") == Request("/counts")


def test_the_target_counts_calls_by_key_until_it_forgets() -> None:
    target = Target()
    for asked in (Request("/call", 7, 0, "a"), Request("/call", 8, 0, "a"), Request("/call", 9)):
        assert target.take(asked) == b'{"n":%d}' % asked.n
    assert target.take(Request("/counts")) == b'{"a":2}'
    assert target.take(Request("/forget")) == b"{}"
    assert target.take(Request("/counts")) == b"{}"


def test_a_verdict_tells_ended_doubtful_and_lost_flows_apart() -> None:
    after = Journal(
        done=frozenset({key(FIRST, "begin"), key(FIRST, "s1"), key(FIRST, "s2")}),
        statuses={FIRST: "succeeded", SECOND: "halted", THIRD: "running"},
        halted_at={SECOND: ("s2", True)},
    )
    counts = {key(FIRST, "s1"): 1, key(FIRST, "s2"): 1, key(SECOND, "s2"): 1}
    assert judge([], after, {}, counts, steps=2, unrepeatable=[key(SECOND, "s2")]) == Verdict(
        1, 1, 1, 0, 0, 0
    )


def test_a_verdict_finds_every_kind_of_repetition() -> None:
    done = frozenset(key(FIRST, node) for node in ("s1", "s2", "s3"))
    after = Journal(done=done, statuses={FIRST: "succeeded"}, halted_at={})
    counts = {key(FIRST, "s1"): 2, key(FIRST, "s2"): 2, key(FIRST, "s3"): 2}
    at_kill = {key(FIRST, "s1"): 1, key(FIRST, "s3"): 2}
    verdict = judge(
        [key(FIRST, "s1"), key(FIRST, "s3")],
        after,
        at_kill,
        counts,
        steps=3,
        unrepeatable=[key(FIRST, "s2")],
    )
    assert verdict == Verdict(
        succeeded=1, doubtful=0, lost=0, repeated=1, unrepeatable=1, repeated_by_key=2
    )
    assert verdict.wrong == 2


@pytest.mark.parametrize(
    ("status", "halted"), [("succeeded", None), ("halted", ("s1", True)), ("halted", ("s2", False))]
)
def test_success_without_every_call_and_a_halt_for_another_reason_are_losses(
    status: str, halted: tuple[str, bool] | None
) -> None:
    after = Journal(
        done=frozenset({key(FIRST, "s1"), key(FIRST, "s2")}),
        statuses={FIRST: status},
        halted_at={FIRST: halted} if halted else {},
    )
    verdict = judge([], after, {}, {key(FIRST, "s1"): 1}, steps=2, unrepeatable=[key(FIRST, "s2")])
    assert (verdict.lost, verdict.wrong) == (1, 1)


def test_the_cost_of_a_step_is_told_by_parts_of_the_run() -> None:
    at = datetime(2026, 3, 1, tzinfo=UTC)
    ends = [at]
    for number in range(100):
        ends.append(ends[-1] + timedelta(milliseconds=1 if number < 50 else 3))
    ends[20:] = [end + timedelta(seconds=1) for end in ends[20:]]  # one hiccup
    assert wall_s(ends[::-1], parts=2) == pytest.approx([0.001, 0.003])
    with pytest.raises(ValueError, match="parts"):
        wall_s(ends[:3], parts=10)


def test_the_cpu_of_a_step_is_read_between_two_looks() -> None:
    at = datetime(2026, 3, 1, tzinfo=UTC)
    ends = [at + timedelta(seconds=number) for number in range(101)]
    seen = [(at - timedelta(seconds=10), 0.0), (at + timedelta(seconds=10), 2.0),
            (at + timedelta(seconds=50), 6.0), (at + timedelta(seconds=90), 26.0)]  # fmt: skip
    # 1.0 at the beginning, 6.0 in the middle; after the last look nothing more is known.
    assert cpu_s(ends[::-1], seen, parts=2) == pytest.approx([0.1, 0.4])
    for some, looks in ((ends[:3], seen), (ends, [])):
        with pytest.raises(ValueError, match="parts"):
            cpu_s(some, looks, parts=10)


def test_cores_are_seconds_of_processes_over_wall_time() -> None:
    before = Sample(0.0, {"worker": {1: 1.0}, "postgres": {2: 5.0, 3: 1.0}}, 100.0)
    after = Sample(2.0, {"worker": {1: 2.5}, "postgres": {2: 5.5, 4: 0.5}}, 103.4)
    used = cores(before, after)
    assert used == pytest.approx({"worker": 0.75, "postgres": 0.5, "others": 0.45})
    done = reached(100, 2.0, before, after)
    assert done.steps_per_s == 50
    assert done.cpu_us_per_step["worker"] == pytest.approx(15_000)
    with pytest.raises(ValueError, match="no measurement"):
        reached(0, 2.0, before, after)
    assert told(used).startswith("worker 0.75, postgres 0.50, others 0.45 of ")


def test_a_process_that_is_gone_has_used_nothing() -> None:
    assert usage.sample({"gone": 2**22 + 1}).parts == {"gone": {}}


@pytest.mark.parametrize(("limit_s", "looks"), [(60.0, 3), (0.0, 1)])
async def test_a_quiet_moment_is_waited_for_but_not_for_ever(
    monkeypatch: pytest.MonkeyPatch, limit_s: float, looks: int
) -> None:
    busy = iter([0.0, 1e6, 1e6, 2e6, 2e6, 2e6])  # at the third look nothing is used
    seen: list[float] = []

    def machine_s() -> float:
        seen.append(next(busy))
        return seen[-1]

    monkeypatch.setattr(usage, "_machine_s", machine_s)
    await usage.quiet(limit_s=limit_s, look_s=0.001)
    assert len(seen) == 2 * looks


@pytest.mark.parametrize(
    ("used", "said"),
    [
        ({"postgres": 0.9, "worker 1": 0.6, "worker 2": 0.5}, "bound by the 2 cores, all busy"),
        ({"postgres": 0.95, "worker 1": 0.3}, "bound by one core's worth of postgres"),
        ({"postgres": 0.5, "worker 1": 0.3}, "no core was full"),
    ],
)
def test_what_bounded_it_is_said(used: dict[str, float], said: str) -> None:
    assert bound_by(used, 2).startswith(said)


async def test_the_floor_writes_and_leaves_nothing_behind(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(floor, "GROUPS", 2)
    monkeypatch.setattr(floor, "SINGLES", 2)
    async with database.pool.acquire() as connection:
        url = await connection.fetchval(
            "SELECT 'postgresql://postgres@/' || current_database() || '?host=' "
            "|| current_setting('unix_socket_directories')"
        )
    reached = await floor.measure(url)
    assert reached.grouped_per_s > 0
    assert reached.single_per_s > 0
    async with database.snapshot() as tx:
        assert await tx.fetchval("SELECT to_regnamespace('floor')") is None


async def test_a_peer_that_cannot_be_installed_is_named_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment, "HOME", tmp_path)
    monkeypatch.setattr(environment, "_uv", lambda: "/bin/false")
    with pytest.raises(Refusal, match="DBOS cannot be measured: /bin/false venv"):
        await environment.dbos_python()


async def test_a_peer_is_installed_once_for_its_versions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment, "HOME", tmp_path)
    monkeypatch.setattr(environment, "_uv", lambda: "/bin/true")
    monkeypatch.setattr(environment, "DBOS", ("dbos==1.2", "aiohttp==3"))
    (tmp_path / "dbos-1.2").mkdir()
    assert await environment.dbos_python() == tmp_path / "dbos-1.2" / "bin" / "python"
    monkeypatch.setattr(environment, "_uv", lambda: "/bin/false")  # it is not asked again
    assert await environment.dbos_python() == tmp_path / "dbos-1.2" / "bin" / "python"


async def test_a_part_that_cannot_be_measured_does_not_keep_the_others_back(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    result = Result(name="flows-w2", ours=1, peer=1, goal=2)

    async def refused(_works: object, _size: float) -> list[Result]:
        raise NotFinished("no worker")

    async def measured(_works: object, _size: float) -> list[Result]:
        return [result]

    monkeypatch.setattr(flows, "works", contextlib.nullcontext)
    monkeypatch.setattr(flows, "PARTS", {"w1": refused, "w2": measured})
    assert await flows.measure(parts=("w1", "w2")) == [result]
    assert "W1 could not be measured: no worker" in capsys.readouterr().out
    with pytest.raises(NotFinished):
        await flows.measure(parts=("w1",))
