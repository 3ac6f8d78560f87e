"""The life of a connection: added, read, changed, removed; its secrets never seen."""

import json
from typing import Any
from uuid import UUID

import pytest

from app.core.clock import SetClock
from app.core.database import Database
from app.core.errors import Invalid, NotFound
from app.core.ids import new_id
from app.core.secrets import CannotOpen, Vault, new_key
from app.domain.audit.find import trail
from app.domain.connections.change import AGAIN, change_connection
from app.domain.connections.errors import ConnectionChanged, ConnectionInUse, UnknownConnection
from app.domain.connections.find import find_connection, id_of, known_names, list_connections
from app.domain.connections.kinds import Kind
from app.domain.connections.open import open_connection
from app.domain.connections.remove import remove_connection
from app.drivers.chat.contract import ChatKind, ChatRoom
from app.drivers.dns.contract import DnsServer
from app.drivers.http.contract import Basic, Bearer, ClientCredentials, HttpPeer, Signing
from app.drivers.secret import Secret
from app.drivers.ssh.contract import SshHost
from tests.connections.world import HOST_KEY, TYPED, WEBHOOK, a_flow, add


async def opened(database: Database, vault: Vault, name: str = "shop") -> Any:
    async with database.snapshot() as tx:
        return await open_connection(tx, vault, name)


async def test_every_kind_is_opened_as_it_was_typed(database: Database, vault: Vault) -> None:
    for kind in Kind:
        await add(database, vault, kind, name=f"my-{kind}")
    assert await opened(database, vault, "my-http") == HttpPeer(
        name="my-http", base_url="https://api.test/v1", auth=Bearer(Secret("token-1234"))
    )
    assert await opened(database, vault, "my-ssh") == SshHost(
        name="my-ssh", host="backup.test", port=2222, username="ada", host_keys=(HOST_KEY,),
        password=Secret("open sesame"),
    )  # fmt: skip
    assert await opened(database, vault, "my-dns") == DnsServer(
        name="my-dns", host="ns1.test", zones=("example.org", "2.0.192.in-addr.arpa"),
        key_name="slipway", secret=Secret(TYPED[Kind.DNS]["secret"]),
    )  # fmt: skip
    assert await opened(database, vault, "my-chat") == ChatRoom(
        name="my-chat", kind=ChatKind.SLACK, url=Secret(WEBHOOK)
    )


async def test_no_secret_is_in_the_open(database: Database, vault: Vault) -> None:
    for kind in Kind:
        await add(database, vault, kind, name=f"my-{kind}")
    async with database.snapshot() as tx:
        rows = await tx.fetch("SELECT * FROM connection")
        entries = await tx.fetch("SELECT * FROM audit_entry")
        views = [await list_connections(tx)]
        views += [await find_connection(tx, row["id"]) for row in rows]  # type: ignore[list-item]
    text = f"{[dict(row) for row in rows]} {[dict(row) for row in entries]} {views}"
    for kind in Kind:
        assert TYPED[kind]["secret"] not in text
    assert "hooks.chat.test" in text  # where it leads is no secret
    with pytest.raises(CannotOpen):
        await opened(database, Vault([new_key()]), "my-http")


async def test_a_name_is_taken_once_and_well_formed(database: Database, vault: Vault) -> None:
    await add(database, vault)
    for name in ("shop", "", "Shop", "my shop", "-x", "x" * 64, "a/b"):
        with pytest.raises(Invalid) as invalid:
            await add(database, vault, name=name)
        assert set(invalid.value.fields) == {"name"}
    with pytest.raises(Invalid) as invalid:
        await add(database, vault, name="X Y", base_url="nowhere", secret="")
    assert set(invalid.value.fields) == {"name", "base_url", "secret"}


async def test_names_that_are_known(database: Database, vault: Vault) -> None:
    made = await add(database, vault)
    async with database.snapshot() as tx:
        assert await id_of(tx, "shop") == made
        assert await known_names(tx, ["shop", "shed"]) == {"shop"}
        with pytest.raises(NotFound):
            await id_of(tx, "shed")
        with pytest.raises(UnknownConnection, match="no connection shed"):
            await open_connection(tx, vault, "shed")
        with pytest.raises(NotFound):
            await find_connection(tx, new_id())


async def change(
    database: Database, vault: Vault, connection: UUID, seen_at: Any = None, **typed: str
) -> None:
    async with database.transaction() as tx:
        view = await find_connection(tx, connection)
        await change_connection(
            tx, vault, connection, typed=TYPED[view.kind] | {"secret": ""} | typed,
            seen_at=seen_at or view.updated_at, actor=None, actor_label="test",
        )  # fmt: skip


async def test_what_is_left_empty_stays_as_it_was(database: Database, vault: Vault) -> None:
    made = await add(database, vault)
    await change(database, vault, made, base_url="https://api.test/v2", test_path="me")
    peer = await opened(database, vault)
    assert (peer.base_url, peer.test_path) == ("https://api.test/v2", "me")
    assert peer.auth == Bearer(Secret("token-1234"))
    await change(database, vault, made, secret="token-5678")
    peer = await opened(database, vault)
    assert peer.auth == Bearer(Secret("token-5678"))
    assert peer.test_path == ""
    async with database.snapshot() as tx:
        last, first, _ = await trail(tx, [made])
    assert first.before == {"base_url": "https://api.test/v1", "test_path": None}
    assert first.after == {"base_url": "https://api.test/v2", "test_path": "me"}
    assert last.after["secrets"] == "replaced"
    assert "token" not in json.dumps([last.before, last.after, first.before, first.after])


@pytest.mark.parametrize(
    ("kind", "typed"),
    [
        (Kind.HTTP, {"base_url": "https://thief.test/v1"}),
        (Kind.HTTP, {"base_url": "http://api.test/v1"}),
        (Kind.HTTP, {"base_url": "https://api.test:8443/v1"}),
        (Kind.HTTP, {"trust": "off"}),
        (Kind.HTTP, {"trust": "pin", "pin": "ab" * 32}),
        (Kind.HTTP, {"auth": "basic", "username": "ada"}),
        (Kind.HTTP, {"auth": "oauth2", "client_id": "x", "token_url": "https://thief.test/"}),
        (Kind.SSH, {"host": "thief.test"}),
        (Kind.SSH, {"port": "22"}),
        (Kind.SSH, {"host_keys": HOST_KEY.replace("AAAAI", "AAAAI")[:-4] + "AAAA"}),
        (Kind.DNS, {"host": "thief.test"}),
    ],
)
async def test_who_leads_a_connection_elsewhere_does_not_get_its_secrets(
    database: Database, vault: Vault, kind: Kind, typed: dict[str, str]
) -> None:
    made = await add(database, vault, kind)
    with pytest.raises(Invalid) as invalid:
        await change(database, vault, made, **typed)
    assert invalid.value.fields == {"secret": AGAIN}
    await change(database, vault, made, **typed, secret="bmV3IHNlY3JldA==")
    assert "bmV3IHNlY3JldA==" in str(
        [each.reveal() for each in secrets_in(await opened(database, vault))]
    )


async def test_who_leads_clients_elsewhere_does_not_get_its_secrets(
    database: Database, vault: Vault
) -> None:
    """At the panel of Virtualizor's clients an admin's key is shown."""
    at = {"provider": "virtualizor", "base_url": "https://virt.test:4085"}
    made = await add(database, vault, Kind.HYPERVISOR, **at)
    at["panel_url"] = "https://thief.test"
    with pytest.raises(Invalid) as invalid:
        await change(database, vault, made, **at)
    assert invalid.value.fields == {"secret": AGAIN}


def secrets_in(peer: Any) -> list[Secret]:
    found = [value for value in _values(peer) if isinstance(value, Secret)]
    return found + [one for value in _values(peer) if hasattr(value, "__struct_fields__")
                    for one in secrets_in(value)]  # fmt: skip


def _values(struct: Any) -> list[Any]:
    return [getattr(struct, name) for name in struct.__struct_fields__]


async def test_two_who_change_it_at_once(database: Database, vault: Vault, clock: SetClock) -> None:
    made = await add(database, vault)
    async with database.snapshot() as tx:
        seen_at = (await find_connection(tx, made)).updated_at
    await change(database, vault, made, seen_at, test_path="a")  # in the same tick of the clock
    with pytest.raises(ConnectionChanged):
        await change(database, vault, made, seen_at, test_path="b")
    with pytest.raises(NotFound):
        async with database.transaction() as tx:
            await change_connection(
                tx, vault, new_id(), typed={}, seen_at=seen_at, actor=None, actor_label="test"
            )


async def remove(database: Database, connection: UUID) -> None:
    async with database.transaction() as tx:
        await remove_connection(tx, connection, actor=None, actor_label="test")


async def test_a_connection_that_a_flow_calls_stays(database: Database, vault: Vault) -> None:
    made = await add(database, vault)
    await add(database, vault, name="other")
    async with database.transaction() as tx:
        old = await a_flow(tx, "shop")
        await a_flow(tx, "other", slug="elsewhere")
    with pytest.raises(ConnectionInUse, match="Shopping calls shop"):
        await remove(database, made)
    async with database.transaction() as tx:
        uses = (await find_connection(tx, made)).uses
        assert [(use.flow, use.version, use.node) for use in uses] == [("shopping", 1, "call")]
        rows = await list_connections(tx)
        assert [(row.name, row.flows) for row in rows] == [
            ("other", ("Elsewhere",)),
            ("shop", ("Shopping",)),
        ]
        await a_flow(tx, None)
        run = new_id()
        await tx.execute(
            "INSERT INTO run (id, flow_version, status, dedup_key, created_at) "
            "VALUES ($1, $2, 'waiting', 'x', $3)", run, old, tx.now(),
        )  # fmt: skip
    with pytest.raises(ConnectionInUse):  # a run is still on the version that calls it
        await remove(database, made)
    async with database.transaction() as tx:
        await tx.execute("UPDATE run SET finished_at = created_at, status = 'succeeded'")
    await remove(database, made)
    async with database.snapshot() as tx:
        assert [row.name for row in await list_connections(tx)] == ["other"]
        (last, *_) = await trail(tx, [made])
    assert (last.action, last.before) == (
        "connection.removed",
        {"name": "shop", "kind": "http"},
    )
    with pytest.raises(NotFound):
        await remove(database, made)


@pytest.mark.parametrize(
    ("typed", "auth"),
    [
        ({"auth": "basic", "username": "ada", "secret": "pässword"},
         Basic("ada", Secret("pässword"))),
        ({"auth": "oauth2", "token_url": "https://login.test/t", "client_id": "us",
          "scope": "a b", "secret_in_body": "on", "secret": "s3cret"},
         ClientCredentials(token_url="https://login.test/t", client_id="us", scope="a b",
                           client_secret=Secret("s3cret"), secret_in_body=True)),
        ({"auth": "hmac", "secret": "key1", "signature_value": "sha256={hex}",
          "payload": "{body}"},
         Signing(key=Secret("key1"), payload="{body}", value="sha256={hex}",
                 timestamp_header="")),
    ],
)  # fmt: skip
async def test_kinds_of_authentication(
    database: Database, vault: Vault, typed: dict[str, str], auth: Any
) -> None:
    await add(database, vault, Kind.HTTP, **typed)
    assert (await opened(database, vault)).auth == auth
