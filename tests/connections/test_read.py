"""What was typed is checked, each fault beside its field."""

from pathlib import Path

import pytest

from app.core.errors import Invalid
from app.domain.connections.fields import fields_of, secrets_of
from app.domain.connections.kinds import HttpFacts, HypervisorFacts, Kind, SshFacts
from app.domain.connections.read import MISSING, read
from tests.connections.world import HOST_KEY, TYPED
from tests.drivers.certificates import Authority

H, S, D, C = Kind.HTTP, Kind.SSH, Kind.DNS, Kind.CHAT
V = Kind.HYPERVISOR


@pytest.mark.parametrize(
    ("kind", "typed", "field"),
    [
        (H, {"base_url": ""}, "base_url"),
        (H, {"base_url": "api.test"}, "base_url"),
        (H, {"base_url": "https://ada:pass@api.test/"}, "base_url"),
        (H, {"base_url": "https://api.test/?key=1"}, "base_url"),
        (H, {"base_url": "https://api.test/\x07"}, "base_url"),
        (H, {"auth": "magic"}, "auth"),
        (H, {"auth": "basic"}, "username"),
        (H, {"auth": "api_key_header", "key_name": "X Key"}, "key_name"),
        (H, {"auth": "bearer", "secret": "tökèn"}, "secret"),
        (H, {"auth": "oauth2", "token_url": "/t", "client_id": "x"}, "token_url"),
        (H, {"auth": "hmac", "payload": "{nonce}{body}"}, "payload"),
        (H, {"auth": "hmac", "signature_header": "a b"}, "signature_header"),
        (H, {"auth": "hmac", "signature_value": "{body}"}, "signature_value"),
        (H, {"auth": "hmac", "algorithm": "md5"}, "algorithm"),
        (H, {"trust": "ca", "ca_pem": "nonsense"}, "ca_pem"),
        (H, {"trust": "pin", "pin": "abc"}, "pin"),
        (H, {"trust": "pin"}, "pin"),
        (H, {"headers": "no colon"}, "headers"),
        (H, {"headers": "X-Api-Key: abc"}, "headers"),
        (H, {"headers": "Cookie: abc"}, "headers"),
        (H, {"identity": "certificate", "client_certificate": "x"}, "client_key"),
        (H, {"identity": "certificate", "client_key": "x"}, "client_certificate"),
        (
            H,
            {"identity": "certificate", "client_certificate": "x", "client_key": "y"},
            "client_certificate",
        ),
        (H, {"test_path": "x" * 20_001}, "test_path"),
        (S, {"host": "https://backup.test"}, "host"),
        (S, {"port": "0"}, "port"),
        (S, {"port": "ssh"}, "port"),
        (S, {"port": "65536"}, "port"),
        (S, {"host_keys": ""}, "host_keys"),
        (S, {"host_keys": "# only a comment"}, "host_keys"),
        (S, {"host_keys": "SHA256:abc"}, "host_keys"),
        (S, {"login": "key"}, "private_key"),
        (D, {"zones": "a..b"}, "zones"),
        (D, {"zones": " \n"}, "zones"),
        (D, {"algorithm": "hmac-md5"}, "algorithm"),
        (C, {"secret": "hooks.test/x"}, "secret"),
        (C, {"secret": "http://hooks.test/x"}, "secret"),
        (C, {"chat": "irc"}, "chat"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(
    kind: Kind, typed: dict[str, str], field: str
) -> None:
    with pytest.raises(Invalid) as invalid:
        read(kind, TYPED[kind] | typed)
    assert list(invalid.value.fields) == [field]


@pytest.mark.parametrize("kind", Kind)
def test_nothing_typed_asks_for_everything_needed(kind: Kind) -> None:
    with pytest.raises(Invalid) as invalid:
        read(kind, {})
    needed = {
        field.name for field in fields_of(kind, {}) if not field.is_optional and not field.default
    }
    assert {name for name, text in invalid.value.fields.items() if text == MISSING} == needed


def test_fields_of_another_choice_are_not_kept() -> None:
    given = read(H, TYPED[H] | {"username": "ada", "pin": "nonsense", "client_id": "x"})
    assert given.facts == HttpFacts(base_url="https://api.test/v1", auth="bearer")  # type: ignore[arg-type]
    assert given.secrets == {"secret": "token-1234"}


def test_each_provider_of_machines_asks_for_what_it_needs() -> None:
    typed = {"provider": "solusvm2", "base_url": "https://solus.test", "secret": "token-1234"}
    given = read(V, typed | {"trust": "system", "username": "of no use"})
    assert given.facts == HypervisorFacts(provider="solusvm2", base_url="https://solus.test")
    owned = read(V, typed | {"trust": "system", "owner": "Shop"})
    assert owned.facts == HypervisorFacts(
        provider="solusvm2", base_url="https://solus.test", owner="Shop"
    )
    with pytest.raises(Invalid) as invalid:
        read(V, typed | {"trust": "system", "provider": "virtualizor"})
    assert list(invalid.value.fields) == ["username"]
    old = read(V, typed | {"trust": "system", "provider": "solusvm1", "username": "id-1"})
    assert isinstance(old.facts, HypervisorFacts)
    assert (old.facts.virt, old.facts.username) == ("kvm", "id-1")
    known = {field.name for field in fields_of(V, {"provider": "proxmox"})}
    assert {"username"} <= known
    assert "owner" not in known


def test_host_keys_are_taken_as_they_are_found() -> None:
    lines = f"[10.0.0.1]:2222 {HOST_KEY}\n{HOST_KEY} root@backup\n"
    facts = read(S, TYPED[S] | {"host_keys": lines}).facts
    assert isinstance(facts, SshFacts)
    assert facts.host_keys == (HOST_KEY,)


def test_certificates_of_ones_own(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    ours = authority.issue("us", client=True)
    given = read(
        H,
        TYPED[H]
        | {
            "trust": "ca",
            "ca_pem": authority.pem,
            "identity": "certificate",
            "client_certificate": ours.cert.read_text(),
            "client_key": ours.key.read_text(),
            "headers": "Accept-Language: en\nX-Tenant: 7\n",
        },
    )
    assert isinstance(given.facts, HttpFacts)
    assert given.facts.ca_pem == authority.pem.strip()
    assert given.facts.headers == {"Accept-Language": "en", "X-Tenant": "7"}
    assert set(given.secrets) == {"secret", "client_key"}


def test_which_secrets_are_asked_for_follows_from_what_is_chosen() -> None:
    assert [field.name for field in secrets_of(H, {"auth": "none"})] == []
    assert [field.name for field in secrets_of(H, {"auth": "oauth2"})] == ["secret"]
    chosen = {"auth": "bearer", "identity": "certificate"}
    assert [field.name for field in secrets_of(H, chosen)] == ["secret", "client_key"]
    assert [field.name for field in secrets_of(S, {})] == ["private_key", "passphrase"]
    assert [field.name for field in secrets_of(S, {"login": "password"})] == ["secret"]
