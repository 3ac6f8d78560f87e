"""Who may move claims between prefixes, and who only makes some.

Claims are tied to their prefix by its id. Whoever makes claims keeps the tree as it is until
the end of its transaction; whoever changes the tree waits for these, and they for it.
"""

from app.core.database import Tx


async def keep_tree(tx: Tx) -> None:
    """Let no prefix be split, merged or removed meanwhile; many may do so at once."""
    await tx.execute("SELECT pg_advisory_xact_lock_shared(hashtextextended('prefixes', 0))")


async def change_tree(tx: Tx) -> None:
    """Be the only one who changes prefixes or makes claims until the transaction ends."""
    await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended('prefixes', 0))")
