"""The secret that a webhook's calls are checked by: that of a connection."""

from app.core.database import Tx
from app.core.secrets import Vault
from app.domain.connections.errors import UnknownConnection
from app.domain.connections.open import open_connection
from app.drivers.http.contract import (
    ApiKey,
    Basic,
    Bearer,
    ClientCredentials,
    HttpPeer,
    Signing,
)


async def secret_of(tx: Tx, vault: Vault, connection: str) -> str:
    """Return the token, key or password of an API's connection; one statement.

    "" for a connection that is not there or has none: nobody is let in by it. What lets us in
    there lets them in here, so that one connection serves both directions.
    """
    try:
        peer = await open_connection(tx, vault, connection)
    except UnknownConnection:
        return ""
    if not isinstance(peer, HttpPeer):
        return ""
    match peer.auth:
        case Bearer(token=secret) | ApiKey(key=secret) | Signing(key=secret):
            return secret.reveal()
        case Basic(password=secret) | ClientCredentials(client_secret=secret):
            return secret.reveal()
        case _:
            return ""
