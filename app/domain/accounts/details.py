"""The particulars of a person, checked and normalised; one message per bad field."""

import re

import msgspec

from app.core.errors import Invalid
from app.domain.accounts.countries import country_names

LONGEST_EMAIL = 254  # RFC 5321, 4.5.3.1.3, less the angle brackets
LONGEST_TEXT = 200

# ASCII only: PostgreSQL and Python agree on the lower case of nothing else. Quotes and
# brackets are left out because the address is written into mail headers.
_EMAIL = re.compile(
    r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@"
    r"[a-z0-9](?:[a-z0-9-]{0,62})(?:\.[a-z0-9](?:[a-z0-9-]{0,62}))*"
)


class Details(msgspec.Struct, frozen=True, kw_only=True):
    """What someone says about themselves."""

    name: str
    company: str = ""
    country: str = ""


def normal_email(email: str) -> str:
    """Return the form in which an address is kept and compared."""
    return email.strip().lower()


def email_problem(email: str) -> str | None:
    """Return what is wrong with a normalised address, or None."""
    if not email:
        return "Enter an e-mail address; the credentials are sent there."
    if len(email) > LONGEST_EMAIL or not _EMAIL.fullmatch(email):
        return "This does not look like an e-mail address, such as name@company.com."
    return None


def normal_details(details: Details) -> Details:
    """Return the particulars with stray spaces removed and the country in capitals."""
    return Details(
        name=" ".join(details.name.split()),
        company=" ".join(details.company.split()),
        country=details.country.strip().upper(),
    )


def details_problems(details: Details, *, country_needed: bool) -> dict[str, str]:
    """Return field → message for normalised particulars; empty when all is well."""
    problems: dict[str, str] = {}
    if not details.name:
        problems["name"] = "Enter your name, as it should be on invoices."
    for field in ("name", "company"):
        text = getattr(details, field)
        if len(text) > LONGEST_TEXT:
            problems[field] = f"Use at most {LONGEST_TEXT} characters."
        elif any(not character.isprintable() for character in text):
            problems[field] = "This has characters that cannot be printed; remove them."
    if details.country and details.country not in country_names():
        problems["country"] = "Choose a country from the list."
    elif country_needed and not details.country:
        problems["country"] = "Choose a country; it decides the tax on invoices."
    return problems


def refuse(problems: dict[str, str]) -> None:
    """Raise `Invalid` when there is any problem."""
    if problems:
        raise Invalid(problems)
