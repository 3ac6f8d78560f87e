"""A step that is tried a second time by another node is one step to a client."""

from datetime import timedelta

from app.flows.gallery import find_template
from app.flows.timeline import StepStatus, TimelineEntry, alike_once, ordered_labels

PENDING, RUNNING, DONE = StepStatus.pending, StepStatus.running, StepStatus.done


def shown(**statuses: StepStatus) -> list[tuple[str, StepStatus]]:
    """Return what a client sees of a delivery whose nodes stand so, the others not begun."""
    document = find_template("dedicated-server")
    entries = [
        TimelineEntry(node, label, statuses.get(node, PENDING), None, None, None, "", None, 0)
        for node, label in ordered_labels(document)
    ]
    return [
        (one.node, one.status)
        for one in alike_once(document, entries)
        if one.label == "Operating system installed"
    ]


def test_only_the_try_that_was_come_to_last_is_shown() -> None:
    assert shown() == [("install", PENDING)]
    assert shown(install=DONE) == [("install", DONE)], "nothing is left that never comes"
    assert shown(install=RUNNING, again=RUNNING) == [("again", RUNNING)]


def test_the_tries_of_both_are_told() -> None:
    document = find_template("dedicated-server")
    took = {"install": timedelta(minutes=9), "again": timedelta(minutes=3)}
    entries = [
        TimelineEntry(node, label, DONE, None, None, None, "", None, 1, took.get(node, timedelta()))
        for node, label in ordered_labels(document)
    ]
    (seen,) = [one for one in alike_once(document, entries) if one.node in took]
    assert (seen.node, seen.tries, seen.whole) == ("again", 2, timedelta(minutes=12))
