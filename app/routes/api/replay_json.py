"""What a replay of a recorded run found, as the API tells it."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from app.flows.dryrun.replay import Replay


class ReplayDifference(Struct, frozen=True, kw_only=True):
    """Where this release would do otherwise. What is named like a secret is hidden."""

    node: str
    scope: Annotated[str, Meta(description="Round of the loops around the node; `/`: none.")]
    attempt: int
    what: Annotated[str, Meta(description="`path`, `parameter`, `output` or `error`.")]
    field: Annotated[str, Meta(description="The parameter or output field, where it is one.")]
    recorded: Any
    now: Any


class ReplayReport(Struct, frozen=True, kw_only=True):
    """Whether this release would do what a recorded run did."""

    run: UUID
    flow: Annotated[str, Meta(description="Slug of the flow.")]
    status: Annotated[str, Meta(description="Of the recorded run.", examples=["succeeded"])]
    steps: Annotated[int, Meta(description="How many were looked at.")]
    is_same: bool
    differences: tuple[ReplayDifference, ...]
    is_cut: Annotated[
        bool, Meta(description="It took too long; what comes after is not looked at.")
    ]


def replay_report(found: Replay) -> ReplayReport:
    return msgspec.convert(found, ReplayReport, from_attributes=True)
