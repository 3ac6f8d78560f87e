"""What every page of one request has in common; routes make one and hand it to the page."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from app.components.notice import Flash
from app.domain.accounts.roles import Permission

Theme = Literal["auto", "light", "dark"]
THEME_COOKIE = "slipway_theme"


class AccountLike(Protocol):
    """Whoever is signed in, as far as the page's head needs to know."""

    @property
    def email(self) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PageFrame:
    """The setting of a page.

    `staff` shows the way between portal and admin; `allowed` is what whoever is signed in may
    do there; `brand` is the provider's name;
    `now` is the server's time, against which the browser corrects its own clock.
    """

    account: AccountLike | None = None
    staff: bool = False
    allowed: frozenset[Permission] = frozenset()
    theme: Theme = "auto"
    csrf: str = ""
    flashes: tuple[Flash, ...] = ()
    brand: str = "Slipway"
    now: datetime | None = None


def theme_of(cookies: Mapping[str, str]) -> Theme:
    """Return the theme chosen in this browser; "auto" follows the system's."""
    match cookies.get(THEME_COOKIE):
        case "light":
            return "light"
        case "dark":
            return "dark"
        case _:
            return "auto"
