"""Connections of every kind, as they are typed, and flows that call them."""

from uuid import UUID

import asyncssh

from app.core.database import Database, Tx
from app.core.ids import new_id
from app.core.secrets import Vault
from app.domain.connections.add import add_connection
from app.domain.connections.kinds import Kind
from app.flows.document import Document, NodeSpec, content_hash, encode

HOST_KEY = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().strip()
WEBHOOK = "https://hooks.chat.test/services/T0/B0/xyzzy"
TYPED: dict[Kind, dict[str, str]] = {
    Kind.HTTP: {
        "base_url": "https://api.test/v1",
        "auth": "bearer",
        "secret": "token-1234",
        "trust": "system",
    },
    Kind.SSH: {
        "host": "backup.test",
        "port": "2222",
        "username": "ada",
        "host_keys": f"backup.test {HOST_KEY} a comment\n# another line\n",
        "login": "password",
        "secret": "open sesame",
    },
    Kind.DNS: {
        "host": "ns1.test",
        "port": "53",
        "zones": "example.org\n2.0.192.in-addr.arpa",
        "key_name": "slipway",
        "algorithm": "hmac-sha256",
        "secret": "c2VjcmV0IHNlY3JldCBzZWNyZXQ=",
    },
    Kind.CHAT: {"chat": "slack", "secret": WEBHOOK},
    Kind.HYPERVISOR: {
        "provider": "proxmox",
        "base_url": "https://pve1.test:8006",
        "username": "slipway@pve!provisioning",
        "secret": "2b1a5c1e-token",
        "trust": "system",
    },
    Kind.GAME: {
        "provider": "pterodactyl",
        "base_url": "https://panel.test",
        "secret": "ptla_application",
        "client_key": "ptlc_client",
        "trust": "system",
    },
    Kind.METAL: {
        "provider": "ironic",
        "auth_type": "keystone",
        "auth_url": "https://keystone.test/v3",
        "username": "slipway",
        "secret": "3c2b6d2f-password",
        "user_domain_name": "Default",
        "project_name": "metal",
        "project_domain_name": "Default",
        "interface": "public",
        "trust": "system",
    },
}


async def add(
    database: Database, vault: Vault, kind: Kind = Kind.HTTP, name: str = "shop", **typed: str
) -> UUID:
    async with database.transaction() as tx:
        return await add_connection(
            tx, vault, name=name, kind=kind, typed=TYPED[kind] | typed, actor=None,
            actor_label="test",
        )  # fmt: skip


async def a_flow(tx: Tx, connection: str | None, *, slug: str = "shopping") -> UUID:
    """Write a further version of a flow, one of whose nodes calls `connection`; returns its id."""
    given = {} if connection is None else {"connection": connection}
    document = Document(
        flow=slug,
        nodes={
            "begin": NodeSpec(type="trigger.order_paid"),
            "call": NodeSpec(type="action.http", params={"url": "x", **given}),
        },
        edges=(("begin.out", "call.in"),),
    )
    flow = await tx.fetchval(
        "INSERT INTO flow (id, slug, name, created_at) VALUES ($1, $2, $3, $4) "
        "ON CONFLICT (slug) DO UPDATE SET name = EXCLUDED.name RETURNING id",
        new_id(),
        slug,
        slug.capitalize(),
        tx.now(),
    )
    version: UUID = await tx.fetchval(
        "INSERT INTO flow_version (id, flow, number, document, content_hash, published_at) "
        "SELECT $1, $2, coalesce(max(number), 0) + 1, $3, $4, $5 FROM flow_version WHERE flow = $2 "
        "RETURNING id",
        new_id(),
        flow,
        encode(document),
        content_hash(document),
        tx.now(),
    )
    return version
