"""Find the connection by which a name in DNS is changed."""

import msgspec

from app.core.database import Tx
from app.core.secrets import Vault
from app.domain.connections.kinds import DnsFacts, Kind
from app.domain.connections.open import open_connection
from app.drivers.dns.contract import DnsServer
from app.drivers.dns.records import BadRecord, zone_of


async def serving(tx: Tx, vault: Vault, name: str) -> DnsServer | None:
    """Return the server whose zone `name` lies in, by the longest zone; two statements.

    Of several with that zone the first by name. None when no connection of kind dns has one.
    """
    found: list[tuple[int, str]] = []
    for row in await tx.fetch("SELECT name, facts FROM connection WHERE kind = $1", Kind.DNS):
        facts = msgspec.json.decode(row["facts"], type=DnsFacts)
        try:
            found.append((-len(zone_of(name, facts.zones)), row["name"]))
        except BadRecord:
            continue
    if not found:
        return None
    peer = await open_connection(tx, vault, min(found)[1])
    return peer if isinstance(peer, DnsServer) else None
