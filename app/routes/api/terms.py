"""For whom, why and until when something is claimed or kept, as the API asks for it."""

from datetime import UTC, datetime
from typing import Protocol
from uuid import UUID

from msgspec import UNSET
from msgspec.structs import replace

from app.core.database import Tx
from app.core.errors import Invalid, NotFound
from app.domain.accounts.find import find_account, find_account_by_email
from app.domain.addresses.by_hand import HandClaim
from app.domain.addresses.views import ClaimView
from app.routes.api.claim_json import ClaimChange


class Terms(Protocol):
    """The fields that all requests of addresses by hand have."""

    @property
    def description(self) -> str: ...
    @property
    def client(self) -> str | None: ...
    @property
    def role(self) -> str: ...
    @property
    def expires_at(self) -> datetime | None: ...


async def claim_of(tx: Tx, terms: Terms) -> HandClaim:
    """Return the terms as the verbs take them. Raises Invalid."""
    claim = claim_for_nobody(terms)
    if not terms.client:
        return claim
    return replace(claim, client=await account_id(tx, terms.client))


def claim_for_nobody(terms: Terms) -> HandClaim:
    """Return the terms without their client, which nobody has to look up. Raises Invalid."""
    expires_at = moment_of("expires_at", terms.expires_at)
    if not terms.description.strip():
        raise Invalid({"description": "Say what it is for: whoever looks at it will ask."})
    return HandClaim(reason=terms.description, purpose=terms.role, expires_at=expires_at)


def changed_terms(claim: ClaimView, change: ClaimChange) -> HandClaim:
    """Return the terms of a claim with what is to be otherwise. Raises Invalid."""
    if change.description is not UNSET and not change.description.strip():
        raise Invalid({"description": "Say what it is for: whoever looks at it will ask."})
    return HandClaim(
        reason=claim.reason if change.description is UNSET else change.description,
        client=claim.client,
        purpose=claim.purpose if change.role is UNSET else change.role,
        expires_at=claim.expires_at
        if change.expires_at is UNSET
        else moment_of("expires_at", change.expires_at),
    )


def moment_of(field: str, given: datetime | None) -> datetime | None:
    """Return a time in UTC. Raises Invalid on `field` for one without a zone, or past all years."""
    if given is None:
        return None
    if given.tzinfo is None:
        raise Invalid({field: "Say in which time zone: end it with Z for UTC."})
    try:
        return given.astimezone(UTC)
    except OverflowError as error:
        raise Invalid({field: "It lies outside of the years 1 to 9999."}) from error


async def account_id(tx: Tx, client: str) -> UUID:
    """Return the account of an e-mail address or an id. Raises Invalid on `client`."""
    if "@" in client:
        account = await find_account_by_email(tx, client)
    else:
        try:
            account = await find_account(tx, UUID(client))
        except (ValueError, NotFound):
            account = None
    if account is None:
        raise Invalid({"client": f"There is no account {client}."})
    return account.id
