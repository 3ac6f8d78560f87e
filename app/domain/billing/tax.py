"""Tax by the client's country."""

from uuid import UUID

from app.core.database import Tx
from app.core.errors import Invalid
from app.core.ids import new_id


async def tax_rate_bp(tx: Tx, account: UUID) -> int:
    """Return the rate for a client in basis points; 0 where the country has none."""
    rate: int | None = await tx.fetchval(
        "SELECT t.rate_bp FROM account a JOIN tax_rate t ON t.country = upper(a.country) "
        "WHERE a.id = $1",
        account,
    )
    return rate or 0


async def tax_rate_for(tx: Tx, country: str) -> int:
    """Return the rate of a country (ISO 3166-1 alpha-2, "" for not known) in basis points."""
    rate: int | None = await tx.fetchval(
        "SELECT rate_bp FROM tax_rate WHERE country = $1", country.upper()
    )
    return rate or 0


async def set_tax_rate(tx: Tx, country: str, *, name: str, rate_bp: int) -> None:
    """Set a country's rate for invoices to come. Raises Invalid."""
    if not 0 <= rate_bp <= 10_000:
        raise Invalid({"rate_bp": "From 0 to 10,000 basis points (100 %)."})
    await tx.execute(
        "INSERT INTO tax_rate (id, country, name, rate_bp) VALUES ($1, $2, $3, $4) "
        "ON CONFLICT (country) DO UPDATE SET name = excluded.name, rate_bp = excluded.rate_bp",
        new_id(),
        country.upper(),
        name,
        rate_bp,
    )
