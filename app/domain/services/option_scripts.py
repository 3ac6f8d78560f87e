"""What the options that a client chose run in the installed system."""

from uuid import UUID

from app.core.database import Tx
from app.domain.catalog.selection import PANEL, Selection


async def option_scripts(tx: Tx, product: UUID, selection: Selection) -> list[tuple[str, str]]:
    """Return (the option's name, its script) of those that have one, in the order of the form."""
    chosen = dict(selection.choices)
    if selection.panel:
        chosen[PANEL] = selection.panel
    rows = await tx.fetch(
        "SELECT o.name, o.post_install FROM option o JOIN option_group g ON g.id = o.option_group "
        "JOIN unnest($2::text[], $3::text[]) AS c (grp, code) "
        "ON c.grp = g.code AND c.code = o.code "
        "WHERE g.product = $1 AND o.post_install <> '' ORDER BY g.position, o.position",
        product,
        list(chosen),
        list(chosen.values()),
    )
    return [(row["name"], row["post_install"]) for row in rows]
