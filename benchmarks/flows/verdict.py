"""What became of flows whose worker was killed, by the journal and by who was called. Pure."""

from collections.abc import Collection, Mapping
from uuid import UUID

import msgspec


class Verdict(msgspec.Struct, frozen=True):
    """What became of the flows."""

    succeeded: int
    doubtful: int
    """Halted at a step with `idempotency: none` that may have happened: for a person."""
    lost: int
    """Neither ended nor halted in doubt."""
    repeated: int
    """Steps called again that the journal had as done when the worker died."""
    unrepeatable: int
    """Steps with `idempotency: none` that were called twice."""
    repeated_by_key: int
    """Steps called again under their key, as they should: nobody knew of their outcome."""

    @property
    def wrong(self) -> int:
        return self.lost + self.repeated + self.unrepeatable


class Journal(msgspec.Struct, frozen=True):
    """What the journal says at a moment."""

    done: frozenset[str]
    """Keys of the steps that are done."""
    statuses: dict[UUID, str]
    halted_at: dict[UUID, tuple[str, bool]]
    """Where a run halted: the node, and whether nobody knows if it happened."""


def judge(
    journaled: Collection[str],
    after: Journal,
    counts_at_kill: Mapping[str, int],
    counts: Mapping[str, int],
    *,
    steps: int,
    unrepeatable: Collection[str],  # keys of the steps that must never be done twice
) -> Verdict:
    """Compare the journal and the calls as they were at the kill and at the end."""
    calls_of: dict[str, int] = {}
    for key in after.done:
        run, _, node = key.partition(":/:")
        calls_of[run] = calls_of.get(run, 0) + (node != "begin" and counts.get(key, 0) > 0)
    succeeded = {
        run
        for run, status in after.statuses.items()
        if status == "succeeded" and calls_of.get(str(run)) == steps
    }
    doubtful = {
        run
        for run, (node, in_doubt) in after.halted_at.items()
        if after.statuses.get(run) == "halted" and in_doubt and f"{run}:/:{node}" in unrepeatable
    }
    return Verdict(
        succeeded=len(succeeded),
        doubtful=len(doubtful),
        lost=len(after.statuses) - len(succeeded) - len(doubtful),
        repeated=sum(counts.get(key, 0) > counts_at_kill.get(key, 0) for key in journaled),
        unrepeatable=sum(count > 1 for key, count in counts.items() if key in unrepeatable),
        repeated_by_key=sum(count > 1 for key, count in counts.items() if key not in unrepeatable),
    )
