"""What a mail about an order can say."""

from typing import Any
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.errors import NotFound
from app.core.secrets import Vault
from app.domain.addresses.find import addresses_of
from app.domain.catalog.selection import Selection
from app.domain.services.credentials import read_access


class Letter(msgspec.Struct, frozen=True):
    """Recipient and template values of a mail about a delivered service."""

    account: UUID
    recipient: str
    values: dict[str, Any]


async def delivery_letter(
    tx: Tx, vault: Vault, order: UUID, *, company: str, base_url: str, ssh_port: int
) -> Letter:
    """Return the values of `service-delivered`; they carry the password, keep them sealed."""
    row = await tx.fetchrow(
        "SELECT o.number, o.hostname, o.selection, a.id AS account, a.email, a.name, "
        "p.name AS product, s.id AS service, i.name AS os "
        "FROM client_order o JOIN account a ON a.id = o.account JOIN product p ON p.id = o.product "
        'JOIN service s ON s."order" = o.id LEFT JOIN os_image i ON i.code = s.os_code '
        "WHERE o.id = $1",
        order,
    )
    if row is None:
        raise NotFound("service of order", order)
    selection = msgspec.json.decode(row["selection"], type=Selection)
    access = await read_access(tx, vault, row["service"])
    claimed = await addresses_of(tx, order)
    return Letter(
        account=row["account"],
        recipient=row["email"],
        values={
            "company": company,
            "name": row["name"],
            "order_number": row["number"],
            "product": row["product"],
            "hostname": row["hostname"],
            "os": row["os"] or selection.os,
            "ipv4": str(claimed.ip4[0].address),
            "extra_ipv4": [str(extra.address) for extra in claimed.ip4[1:]],
            "ipv6": str(claimed.ip6[0].host_address) if claimed.ip6 else "",
            "ssh_username": access.username,
            "ssh_port": ssh_port,
            "password": access.password or "",
            "ssh_keys": [_key_name(key) for key in selection.ssh_keys],
            "panel": selection.panel or "",
            "portal_url": f"{base_url}/services/{row['service']}",
        },
    )


def _key_name(public_key: str) -> str:
    """Return the comment of a key, or its kind and tail, by which its owner knows it."""
    kind, _, rest = public_key.partition(" ")
    body, _, comment = rest.partition(" ")
    return comment or f"{kind} …{body[-12:]}"
