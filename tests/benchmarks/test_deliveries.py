"""A broken fleet against a whole one: who is broken, what was compressed, and what the rows say."""

import pytest

from app.settings import Settings
from benchmarks.bmcs.breakage import FAULTS, broken
from benchmarks.bmcs.deliveries import LIMIT_HARDWARE_S, SPEED, Delivered, compressed, results
from lab.faults import Fault

MACHINES = [f"u{number:03d}" for number in range(100)]


def test_a_fifth_is_broken_in_all_ways_alike_and_the_same_again() -> None:
    faults = broken(MACHINES, 0.2, seed=1)
    assert {kind: list(faults.values()).count(kind) for kind in FAULTS} == dict.fromkeys(FAULTS, 4)
    assert broken(MACHINES[::-1], 0.2, seed=1) == faults
    assert broken(MACHINES, 0.2, seed=2) != faults
    assert broken(MACHINES, 0.0, seed=1) == {}
    assert [str(Fault.parse(kind)) for kind in FAULTS] == list(FAULTS)


def test_deadlines_are_as_much_shorter_as_the_hardware_is_quicker() -> None:
    shortened = Settings.model_validate(
        {name.removeprefix("SLIPWAY_").lower(): value for name, value in compressed(6.0).items()}
    )
    usual = Settings(_env_file=None)
    for name in ("install_timeout_minutes", "power_timeout_s", "health_timeout_s"):
        assert getattr(shortened, name) == pytest.approx(getattr(usual, name) / 6, rel=1e-3)


def fleet(*taken_s: float | None) -> list[Delivered]:
    return [
        Delivered(each, ("hang",) if number % 2 else (), (), "halted: five servers")
        for number, each in enumerate(taken_s)
    ]


def test_the_slowest_are_compared_and_who_was_left_counts_as_waited_for() -> None:
    clean = fleet(*(float(each) for each in range(1, 201)))
    delivered, delivery = results(clean, fleet(*(float(2 * each) for each in range(1, 201))))
    assert (delivered.name, delivered.ours, delivered.is_met) == ("hardware-delivered", 100.0, True)
    assert (delivery.name, delivery.ours) == ("hardware-delivery", pytest.approx(2.0))
    assert delivery.details["put_aside"]["hang"] == 100
    left, slow = results(clean, fleet(*[None] * 3, *(2.0 for _ in range(197))))
    assert (left.ours, left.is_met) == (98.5, False)
    assert slow.ours == pytest.approx(LIMIT_HARDWARE_S / SPEED / 198)
    assert left.details["not_delivered"] == ["halted: five servers"] * 3
