"""Who looks at the gallery, and when."""

from dataclasses import dataclass
from datetime import UTC, datetime

from app.components.frame import PageFrame, Theme
from app.domain.accounts.roles import Permission

NOW = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)


@dataclass(frozen=True)
class Person:
    email: str


def frame(theme: Theme = "auto", *, signed_in: bool = True, **more: object) -> PageFrame:
    return PageFrame(
        account=Person("client@example.org") if signed_in else None,
        staff=True,
        allowed=frozenset(Permission),
        theme=theme,
        csrf="t0ken",
        now=NOW,
        **more,  # type: ignore[arg-type] - the tests name the fields
    )
