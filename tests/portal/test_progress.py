"""A run as its client is shown it: pure, from a timeline to steps."""

from datetime import timedelta

import pytest

from app.components.timeline import StepState
from app.core.ids import new_id
from app.flows.timeline import RunTimeline, StepStatus, TimelineEntry
from app.routes.portal.progress import STOPPED, shown
from tests.conftest import START

SECRET = "sushy: 10.0.0.7 refused root"


def entry(status: StepStatus, **facts: object) -> TimelineEntry:
    given = {
        "node": "install",
        "label": "Operating system installed",
        "started_at": None if status is StepStatus.pending else START - timedelta(seconds=30),
        "finished_at": START - timedelta(seconds=10) if status is StepStatus.done else None,
        "expected": timedelta(minutes=2),
        "says": "",
        "percent": None,
        "tries": 1,
        **facts,
    }
    return TimelineEntry(status=status, **given)  # type: ignore[arg-type] - the tests name the fields


def course(*entries: TimelineEntry, status: str = "running") -> RunTimeline:
    return RunTimeline(
        run=new_id(),
        status=status,
        error=SECRET,
        started_at=START,
        finished_at=None,
        entries=entries,
        expected_end=START + timedelta(minutes=3),
    )


def test_each_status_has_its_step_and_its_time() -> None:
    progress = shown(
        course(entry(StepStatus.done), entry(StepStatus.running), entry(StepStatus.pending)), START
    )
    assert [step.state for step in progress.steps] == [
        StepState.DONE, StepState.RUNNING, StepState.PENDING,
    ]  # fmt: skip
    assert [step.elapsed_ms for step in progress.steps] == [20_000, 30_000, None]
    assert [step.expected_ms for step in progress.steps] == [None, 120_000, 120_000]
    assert progress.expected_end == START + timedelta(minutes=3)
    assert not progress.is_halted


def test_a_client_sees_no_tries() -> None:
    """That another machine was taken is a later time to a client, and nothing else."""
    again = entry(StepStatus.done, tries=3, whole=timedelta(seconds=95))
    (step,) = shown(course(again), START).steps
    assert (step.elapsed_ms, step.note) == (20_000, None)


def test_a_percentage_takes_the_place_of_the_time_bar() -> None:
    (step,) = shown(course(entry(StepStatus.running, percent=42, says="formatting")), START).steps
    assert step.expected_ms is None
    assert 'value="42"' in str(step.note)
    assert "Formatting · usually 2 min" in str(step.note)


@pytest.mark.parametrize(
    ("says", "words"),
    [
        ("waiting for a server", "Waiting for a free server of this kind"),
        ("the machine boots", "The server starts its installer"),
        ("trying again", "Trying again"),
    ],
)
def test_known_waits_are_put_for_clients(says: str, words: str) -> None:
    (step,) = shown(course(entry(StepStatus.running, says=says)), START).steps
    assert step.note == words


def test_what_is_not_known_to_be_fit_for_clients_is_not_said() -> None:
    (step,) = shown(course(entry(StepStatus.running, says=SECRET)), START).steps
    assert step.note is None
    (step,) = shown(course(entry(StepStatus.running, says=SECRET, percent=0)), START).steps
    assert step.note is None


@pytest.mark.parametrize("status", sorted(STOPPED))
def test_a_stopped_run_has_no_promise_and_no_error(status: str) -> None:
    progress = shown(
        course(entry(StepStatus.halted, says=SECRET), entry(StepStatus.pending), status=status),
        START,
    )
    assert progress.is_halted
    assert progress.expected_end is None
    assert [step.expected_ms for step in progress.steps] == [None, None]
    assert progress.steps[0].state is StepState.RUNNING
    assert "We are looking at this step" in str(progress.steps[0].note)
    assert "10.0.0.7" not in str(progress)
