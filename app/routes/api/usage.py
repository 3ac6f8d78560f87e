"""`/api/v1/services/…/usage`: what virtual machines and game servers used."""

from datetime import datetime, timedelta
from typing import Annotated

from litestar import Controller, Response, get
from litestar.params import QueryParameter
from msgspec import Meta, Struct

from app.core.errors import Invalid
from app.domain.accounts.scopes import Scope
from app.domain.services.list import service_details
from app.domain.usage.find import MOST_POINTS, course_of, months_of
from app.domain.usage.views import Spacing
from app.routes.api.answer import answer
from app.routes.api.machine_json import OfService
from app.routes.api.needs import needs
from app.routes.api.space_json import same
from app.routes.security.dependencies import Db

DAY = timedelta(days=1)

ZONE = "Give times with their zone, such as 2026-11-26T00:00:00Z."
EARLY = "Give a time after 1970."


class UsagePoint(Struct, frozen=True, kw_only=True):
    """Means over one step; what was not measured is no point."""

    at: Annotated[datetime, Meta(description="When the step begins.")]
    seconds: Annotated[int, Meta(description="How much of the step was measured.")]
    cpu: Annotated[
        float,
        Meta(
            description="Of the machine's cores, 0 to 1; of a game server's limit, or of one "
            "thread where it has none."
        ),
    ]
    memory_bytes: int
    disk_read_bytes_s: float
    disk_write_bytes_s: float
    net_in_bits_s: float
    net_out_bits_s: float
    disk_used_bytes: Annotated[
        int,
        Meta(description="Of game servers, which do not tell what is read and written; else 0."),
    ]


class UsageCourse(Struct, frozen=True):
    """What was measured, in order."""

    items: tuple[UsagePoint, ...]


class UsageMonthLine(Struct, frozen=True, kw_only=True):
    """A billing month of a service: totals, and percentiles of its five-minute means."""

    began_at: datetime
    ended_at: datetime
    is_over: bool
    seconds: Annotated[int, Meta(description="How much of it was measured.")]
    net_in_bytes: int
    net_out_bytes: int
    p95_in_bits_s: int
    p95_out_bits_s: int
    p95_bits_s: Annotated[int, Meta(description="The larger of both.")]


class UsageMonths(Struct, frozen=True):
    """The latest 36 billing months, the one that runs first."""

    items: tuple[UsageMonthLine, ...]


class ServiceUsage(Controller):
    """What the virtual machine or game server of a service used."""

    path = "/services/{service_id:uuid}"
    tags = ("Machines",)

    @get(
        "/usage",
        **needs(Scope.MACHINES_READ),
        operation_id="showUsage",
        summary="Show usage",
        description="What a service's machine or game server used, by five minutes (kept for 70 "
        f"days), hours (400 days) or days; {MOST_POINTS:,} points at most.",
    )
    async def show(
        self,
        *,
        db: Db,
        service_id: OfService,
        step: Annotated[
            Spacing, QueryParameter(description="How far points are apart.")
        ] = Spacing.slot,
        begin: Annotated[
            datetime | None, QueryParameter(description="Left out: a day before the end.")
        ] = None,
        end: Annotated[datetime | None, QueryParameter(description="Left out: now.")] = None,
    ) -> Response[UsageCourse]:
        async with db.snapshot() as tx:
            await service_details(tx, service_id)
            until = end or tx.now()
            given = {"begin": begin, "end": end}
            if bad := {name: ZONE for name, at in given.items() if at and at.tzinfo is None}:
                raise Invalid(bad)
            if bad := {name: EARLY for name, at in given.items() if at and at.year < 1970}:
                raise Invalid(bad)
            since = begin or until - DAY
            points = await course_of(tx, service_id, begin=since, end=until, step=step)
        names = UsagePoint.__struct_fields__
        return answer(UsageCourse(tuple(UsagePoint(**same(one, names)) for one in points)))

    @get(
        "/usage-months",
        **needs(Scope.MACHINES_READ),
        operation_id="listUsageMonths",
        summary="List billing months",
        description="Traffic of each billing month, with the 95th percentiles that bandwidth is "
        "billed by.",
    )
    async def months(self, db: Db, service_id: OfService) -> Response[UsageMonths]:
        async with db.snapshot() as tx:
            found = await months_of(tx, service_id)
        names = UsageMonthLine.__struct_fields__
        return answer(UsageMonths(tuple(UsageMonthLine(**same(one, names)) for one in found)))
