"""Read what the pages of a machine's use show, in the portal and for staff."""

from uuid import UUID

from app.components.usage import SPANS, UsageFile
from app.core.database import Tx
from app.domain.usage.find import course_of, months_of, state_of
from app.routes.security.dependencies import HttpRequest


def span_of(request: HttpRequest) -> str:
    """Return the span that the address names; a day where it names none that there is."""
    asked = request.query_params.get("span", "")
    return asked if asked in SPANS else "day"


async def usage_file(
    tx: Tx, service: UUID, *, here: str, span: str, is_for_staff: bool = False
) -> UsageFile:
    """Return the course of a service's machine and its months; about five statements."""
    wanted, now = SPANS[span], tx.now()
    return UsageFile(
        here=here,
        topic=f"service:{service}",
        span=span,
        points=await course_of(tx, service, begin=now - wanted.length, end=now, step=wanted.step),
        months=await months_of(tx, service),
        state=await state_of(tx, service),
        is_for_staff=is_for_staff,
    )
