"""A delivery taken apart: the parts of our time add up to all of it."""

import pytest

from benchmarks.course import Step, course_of
from benchmarks.hardware import Busy

WINDOW = (100.0, 120.0)
EVENTS = [
    Busy("power-on", 103.0, 104.0),
    Busy("post", 104.0, 106.0),
    Busy("install", 106.0, 116.0, waited_s=1.5),
]
STEPS = [
    Step("paid", 100.5, 101.0),
    Step("install", 101.25, 117.0),
    Step("mail", 117.0, 121.0),  # its end is written after the mail is out
]


def test_our_time_is_what_the_hardware_did_not_take() -> None:
    course = course_of("web", "u01", WINDOW, EVENTS, STEPS)
    assert course.total_s == 20.0
    assert course.hardware_s == pytest.approx(11.5)
    assert course.own_s == pytest.approx(8.5)


def test_steps_share_it_without_rest() -> None:
    steps = course_of("web", "u01", WINDOW, EVENTS, STEPS).steps_s
    assert steps == pytest.approx(
        {
            "picked up": 0.5,
            "paid": 0.5,
            "between steps": 0.25,
            "install": 1.75 + 1.0 + 1.5,  # before power-on, after the install, waiting in it
            "mail": 3.0,
            "after the last step": 0.0,
        }
    )
    assert sum(steps.values()) == pytest.approx(8.5)


def test_pauses_of_the_hardware_share_it_without_rest() -> None:
    gaps = course_of("web", "u01", WINDOW, EVENTS, STEPS).gaps_s
    assert gaps == pytest.approx(
        {"paid → power-on": 3.0, "install → mailed": 4.0, "waited in install": 1.5}
    )
