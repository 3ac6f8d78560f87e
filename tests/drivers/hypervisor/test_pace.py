"""When a task is looked at, by what others like it took."""

import pytest

from app.drivers.hypervisor.contract import Working
from app.drivers.hypervisor.proxmox import pace
from app.drivers.hypervisor.proxmox.pace import Pace

CLUSTER = "https://pve.example.test:8006"


def upid(number: int, *, kind: str = "qmclone", node: str = "pve1", template: str = "9000") -> str:
    return f"UPID:{node}:{number:08X}:00000000:00000000:{kind}:{template}:root@pam:"


class Clock:
    now_s = 100.0

    def monotonic(self) -> float:
        return self.now_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(pace, "time", clock)
    return clock


def begin(learned: Pace, task: str) -> float | None:
    return learned.paced(CLUSTER, Working({"task": task}, 1.0, "Copying")).again_s


def watch(learned: Pace, clock: Clock, task: str, *, ran_s: float, took_s: float) -> None:
    """Have a task seen running at one time after its start, and over at another."""
    begin(learned, task)
    clock.now_s += ran_s
    if ran_s:
        learned.running(task)
    clock.now_s += took_s - ran_s
    learned.over(CLUSTER, task)


def test_a_task_is_looked_at_when_its_like_are_over_and_then_in_small_steps(clock: Clock) -> None:
    learned = Pace()
    watch(learned, clock, upid(1), ran_s=2.0, took_s=4.0)
    assert begin(learned, upid(2)) == pytest.approx(3.0)
    clock.now_s += 3.0
    later = Working({"task": upid(2), "looks": 1}, 1.0, "Copying")
    assert learned.paced(CLUSTER, later).again_s == pytest.approx(0.3)


def test_what_is_over_at_the_first_look_is_looked_at_sooner(clock: Clock) -> None:
    learned = Pace()
    watch(learned, clock, upid(1), ran_s=2.0, took_s=4.0)
    watch(learned, clock, upid(2), ran_s=0.0, took_s=3.0)
    assert begin(learned, upid(3)) == pytest.approx(3.0 * pace.SOONER)


@pytest.mark.parametrize(
    "task",
    [upid(2, kind="resize"), upid(2, node="pve2"), upid(2, template="9001")],
    ids=["another kind", "another node", "another template"],
)
def test_of_what_is_not_known_nothing_is_said(clock: Clock, task: str) -> None:
    learned = Pace()
    watch(learned, clock, upid(1), ran_s=2.0, took_s=4.0)
    assert begin(learned, task) == 1.0


def test_a_task_that_another_process_began_teaches_nothing(clock: Clock) -> None:
    learned = Pace()
    later = Working({"task": upid(1), "looks": 3}, 1.0, "Copying")
    assert learned.paced(CLUSTER, later).again_s == 1.0
    learned.running(upid(1))
    learned.over(CLUSTER, upid(1))
    assert begin(learned, upid(2)) == 1.0


@pytest.mark.parametrize(("took_s", "at_once"), [(1.0, 2), (9.0, 1)])
def test_two_copies_wait_at_a_lock_where_they_are_known_to_be_quick(
    clock: Clock, took_s: float, at_once: int
) -> None:
    learned = Pace()
    assert learned.at_once(CLUSTER, "pve1") == 1
    watch(learned, clock, upid(1), ran_s=took_s / 2, took_s=took_s)
    assert (learned.at_once(CLUSTER, "pve1"), learned.at_once(CLUSTER, "pve2")) == (at_once, 1)


def test_a_slow_template_has_copies_wait_for_each_other(clock: Clock) -> None:
    learned = Pace()
    watch(learned, clock, upid(1), ran_s=0.5, took_s=1.0)
    watch(learned, clock, upid(2, template="9001"), ran_s=150.0, took_s=300.0)
    assert learned.at_once(CLUSTER, "pve1") == 1


def test_what_failed_teaches_nothing(clock: Clock) -> None:
    learned = Pace()
    begin(learned, upid(1))
    learned.forget(upid(1))
    learned.over(CLUSTER, upid(1))
    assert learned.at_once(CLUSTER, "pve1") == 1
    assert begin(learned, upid(2)) == 1.0


def test_what_is_remembered_is_bounded(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "MOST_USUAL", 2)
    learned = Pace()
    for node in ("pve1", "pve2", "pve3"):
        watch(learned, clock, upid(1, node=node), ran_s=2.0, took_s=4.0)
    assert begin(learned, upid(2, node="pve1")) == 1.0
    assert begin(learned, upid(2, node="pve3")) == pytest.approx(3.0)
