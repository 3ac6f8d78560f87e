"""Who owns an account's servers at a panel: made once, with a password that is kept sealed."""

from uuid import UUID

from app.core.database import Tx
from app.core.errors import NotFound
from app.core.ids import new_id
from app.core.secrets import Vault
from app.drivers.deploy.netboot.passwords import new_password
from app.drivers.game.contract import Owner
from app.drivers.secret import Secret

NO_NAME = "Client"


async def keep_owner(tx: Tx, vault: Vault, connection: str, account: UUID) -> Owner:
    """Return the account's user at a panel; its password is made on the first call and kept.

    Each retry, and each further server, gets the same one: what was mailed always works. Two
    statements. Raises NotFound.
    """
    await tx.execute(
        "INSERT INTO game_user (id, connection, account, sealed_password, created_at) "
        "VALUES ($1, $2, $3, $4, $5) ON CONFLICT (connection, account) DO NOTHING",
        new_id(),
        connection,
        account,
        vault.seal(new_password()),
        tx.now(),
    )
    row = await tx.fetchrow(
        "SELECT a.email, a.name, u.sealed_password FROM game_user u "
        "JOIN account a ON a.id = u.account WHERE u.connection = $1 AND u.account = $2",
        connection,
        account,
    )
    if row is None:
        raise NotFound("account", account)
    first, _, last = row["name"].strip().partition(" ")
    return Owner(
        account=account,
        email=row["email"],
        first_name=first or NO_NAME,
        # Panels want both, and not everybody has two.
        last_name=last.strip() or first or NO_NAME,
        password=Secret(vault.open(row["sealed_password"])),
    )


async def forget_told(tx: Tx, connection: str, account: UUID) -> None:
    """Note that the panel has the user no more: the next delivery tells the password again.

    The password itself is kept: another order may be about to make the user with it.
    """
    await tx.execute(
        "UPDATE game_user SET told_by = NULL WHERE connection = $1 AND account = $2",
        connection,
        account,
    )
