"""What a mail about an order can say."""

from base64 import b64decode, b64encode
from collections.abc import Sequence
from hashlib import sha256
from ipaddress import IPv4Network
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from app.core.database import Tx
from app.core.errors import NotFound
from app.core.secrets import Vault
from app.domain.addresses.find import addresses_of
from app.domain.catalog.kind import KIND_OF_P, ProductKind
from app.domain.catalog.selection import Selection
from app.domain.services.credentials import read_access
from app.drivers.hypervisor.iso import file_of, is_iso

_ORDERED = f"""
SELECT o.number, o.hostname, o.selection, a.id AS account, a.email, a.name, p.name AS product,
{KIND_OF_P} AS kind, s.id AS service, coalesce(i.name, q.name) AS os, n.name AS panel, n.access_url,
m.template
FROM client_order o JOIN account a ON a.id = o.account JOIN product p ON p.id = o.product
JOIN service s ON s."order" = o.id LEFT JOIN machine m ON m.service = s.id
LEFT JOIN os_image i ON i.code = s.os_code
LEFT JOIN option_group t ON t.product = p.id AND t.code = 'os'
LEFT JOIN option q ON q.option_group = t.id AND q.code = s.os_code
LEFT JOIN option_group g ON g.product = p.id AND g.code = 'panel'
LEFT JOIN option n ON n.option_group = g.id AND n.code = o.selection->>'panel'
WHERE o.id = $1
"""


class Letter(msgspec.Struct, frozen=True):
    """Recipient and template values of a mail about a delivered service."""

    account: UUID
    recipient: str
    values: dict[str, Any]
    is_to_install: bool = False
    """Its client installs it from an ISO: there is no way in to tell of yet."""

    def code_of(self, asked: str) -> str:
        """Return the template that says it in place of the one that was asked for."""
        is_delivered = asked == "service-delivered"
        return "service-to-install" if is_delivered and self.is_to_install else asked


async def delivery_letter(
    tx: Tx,
    vault: Vault,
    order: UUID,
    *,
    company: str,
    base_url: str,
    ssh_port: int,
    nameservers: Sequence[str] = (),
) -> Letter:
    """Return the values of a mail about a delivered service, by what kind of product it is of.

    They carry the password, keep them sealed. Raises NotFound.
    """
    row = await tx.fetchrow(_ORDERED, order)
    if row is None:
        raise NotFound("service of order", order)
    values = {
        "company": company,
        "name": row["name"],
        "order_number": row["number"],
        "product": row["product"],
        "hostname": row["hostname"],
        "portal_url": f"{base_url}/services/{row['service']}",
    }
    is_to_install = is_iso(row["template"] or "")
    match ProductKind(row["kind"]):
        case ProductKind.GAME:
            values |= await _game(tx, vault, row["service"])
        case ProductKind.MACHINE if is_to_install:
            values |= await _to_install(tx, row, order, values["portal_url"])
            values["nameservers"] = list(nameservers)
        case ProductKind.SERVER | ProductKind.MACHINE:
            values |= await _machine(tx, vault, row, order, ssh_port)
    return Letter(row["account"], row["email"], values, is_to_install)


async def _game(tx: Tx, vault: Vault, service: UUID) -> dict[str, Any]:
    """Return the values of `game-delivered`; the password is empty where the client has one."""
    access = await read_access(tx, vault, service)
    row = await tx.fetchrow(
        "SELECT address, panel_url, made_of->>'egg' AS egg FROM game_server WHERE service = $1",
        service,
    )
    if row is None:
        raise NotFound("game server of service", service)
    return {
        "game": row["egg"].rpartition("/")[2],
        "address": row["address"],
        "panel_url": row["panel_url"],
        "username": access.username,
        "password": access.password or "",
    }


async def _machine(
    tx: Tx, vault: Vault, row: asyncpg.Record, order: UUID, ssh_port: int
) -> dict[str, Any]:
    """Return the values of `service-delivered`."""
    selection = msgspec.json.decode(row["selection"], type=Selection)
    access = await read_access(tx, vault, row["service"])
    claimed = await addresses_of(tx, order)
    address = str(claimed.ip4[0].address)
    return {
        "os": row["os"] or selection.os,
        "ipv4": address,
        "extra_ipv4": [str(extra.address) for extra in claimed.ip4[1:]],
        "ipv6": str(claimed.ip6[0].host_address) if claimed.ip6 else "",
        "ipv6_network": str(claimed.ip6[0].network) if claimed.ip6 else "",
        "ssh_username": access.username,
        "ssh_port": ssh_port,
        "password": access.password or "",
        "ssh_keys": [_key_name(key) for key in selection.ssh_keys],
        "panel": row["panel"] or "",
        # The template shows it first among the links.
        "panel_url": _fill(row["access_url"] or "", address, row["hostname"]),
        "links": [
            {
                "title": "Open a terminal on it",
                "url": f"ssh://{access.username}@{address}:{ssh_port}",
            },
        ],
    }


async def _to_install(tx: Tx, row: asyncpg.Record, order: UUID, page: str) -> dict[str, Any]:
    """Return the values of `service-to-install`, and no way in for any other template."""
    selection = msgspec.json.decode(row["selection"], type=Selection)
    claimed = await addresses_of(tx, order)
    own4 = claimed.ip4[0]
    own6 = claimed.ip6[0] if claimed.ip6 else None
    return {
        "os": row["os"] or selection.os,
        "iso": file_of(row["template"]),
        "ipv4": str(own4.address),
        "ipv4_prefix": own4.prefix_length,
        "ipv4_netmask": str(IPv4Network((0, own4.prefix_length)).netmask),
        "ipv4_gateway": str(own4.gateway or ""),
        "extra_ipv4": [str(extra.address) for extra in claimed.ip4[1:]],
        "ipv6": "" if own6 is None else str(own6.host_address),
        "ipv6_network": "" if own6 is None else str(own6.network),
        "ipv6_gateway": "" if own6 is None else str(own6.gateway or ""),
        "console_url": f"{page}/console",
        "ssh_username": "",
    }


def _fill(url: str, address: str, hostname: str) -> str:
    return url.replace("{address}", address).replace("{hostname}", hostname)


def _key_name(public_key: str) -> str:
    """Return a key's comment and fingerprint, as `ssh-keygen -l` shows them."""
    kind, body, *comment = public_key.split(" ", 2)
    digest = b64encode(sha256(b64decode(body)).digest()).decode().rstrip("=")
    return " ".join([*comment, f"({kind})", f"SHA256:{digest}"])
