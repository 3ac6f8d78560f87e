"""The templates that Slipway ships, and their way into the database."""

from functools import cache

from app.core.database import Tx
from app.core.ids import new_id
from app.domain.notices.render import Source
from app.domain.notices.sandbox import FOLDER

NAMES: dict[str, str] = {
    "service-delivered": "Service delivered",
    "service-reinstalled": "Server installed anew",
    "service-to-install": "Server ready to be installed",
    "game-delivered": "Game server ready",
    "custom-delivered": "Custom service ready",
    "order-received": "Order received",
    "payment-received": "Payment received",
    "order-waiting-for-stock": "Order waits for stock",
    "order-refunded": "Order refunded",
    "staff-notice": "Notice to the staff",
}


@cache
def shipped_source(code: str) -> Source:
    """Return the template as it is shipped; `code` is one of `NAMES`."""
    return Source(
        subject=(FOLDER / f"{code}.subject").read_text().strip(),
        body_html=(FOLDER / f"{code}.html").read_text(),
        body_text=(FOLDER / f"{code}.txt").read_text(),
    )


async def install_templates(tx: Tx) -> int:
    """Add the shipped templates that are not there yet; returns how many.

    Idempotent: a template that is there, edited or not, is left as it is. One insert.
    """
    sources = {code: shipped_source(code) for code in NAMES}
    rows = await tx.fetch(
        "INSERT INTO mail_template (id, code, name, subject, body_html, body_text, updated_at) "
        "SELECT *, $7::timestamptz FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], "
        "$5::text[], $6::text[]) ON CONFLICT (code) DO NOTHING RETURNING code",
        [new_id() for _ in NAMES],
        list(NAMES),
        list(NAMES.values()),
        [source.subject for source in sources.values()],
        [source.body_html for source in sources.values()],
        [source.body_text for source in sources.values()],
        tx.now(),
    )
    return len(rows)
