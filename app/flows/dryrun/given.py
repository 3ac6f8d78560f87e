"""What a dry run goes by: input, sample data, a recorded run, choices, how far."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import msgspec

from app.flows.dryrun.recording import Recording


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """All of it may be left out: stand-ins answer then, and people approve."""

    input: Mapping[str, Any] | None = None
    """The run's input; made to fit the flow's `inputs` when left out."""
    pins: Mapping[str, Any] = {}
    """Outputs by node, the input as `input`. A node that has one is not done."""
    choose: Mapping[str, str] = {}
    """By node the port that it leaves by: `rejected` or `timeout` of an approval, `error`."""
    recorded: Recording | None = None
    """A run whose outputs answer where nothing is pinned."""
    until: str = ""
    """The node after which it stops."""
    only: str = ""
    """The one node that is done, with sample data before it."""
    params: Mapping[str, Any] | None = None
    """Parameters of the `only` node, in place of the document's."""
    seed: str = ""


class FaultKind(StrEnum):
    """What goes wrong at a step in a rehearsal."""

    timeout = "timeout"
    """No answer in time, once; the effect may have happened."""

    refusal = "refusal"
    """The peer says no, each time that this step is tried."""

    refusal_always = "refusal_always"
    """Inside a loop: the peer says no in every round."""

    transient = "transient"
    """An error of the moment, once."""

    transient_always = "transient_always"
    """An error of the moment, for ever."""

    crash_before = "crash_before"
    """The worker dies after the intent was written, before the call."""

    crash_after = "crash_after"
    """The worker dies after the call, before its outcome was written."""

    unanswered = "unanswered"
    """Nobody decides, the event does not come."""

    @property
    def is_lasting(self) -> bool:
        """Whether it strikes again and again."""
        return self in (FaultKind.refusal, FaultKind.refusal_always, FaultKind.transient_always)


class Fault(msgspec.Struct, frozen=True):
    """`scope` names the round where it strikes; None is each of them."""

    kind: FaultKind
    node: str
    scope: str | None = None

    def is_at(self, scope: str, node: str) -> bool:
        return self.node == node and self.scope in (None, scope)
