"""Open a connection: its secrets unsealed, as the drivers take it."""

import msgspec

from app.core.database import Tx
from app.core.secrets import Vault
from app.domain.connections.errors import UnknownConnection
from app.domain.connections.find import read_facts
from app.domain.connections.kinds import (
    Auth,
    ChatFacts,
    DnsFacts,
    GameFacts,
    HttpFacts,
    HypervisorFacts,
    MetalFacts,
    MetalLogin,
    SshFacts,
    Trust,
)
from app.drivers.chat.contract import ChatRoom
from app.drivers.dns.contract import DnsServer
from app.drivers.game.contract import GamePeer
from app.drivers.http import contract as http
from app.drivers.hypervisor.contract import HypervisorPeer
from app.drivers.metal.contract import (
    ApplicationLogin,
    BasicLogin,
    KeystoneLogin,
    MetalPeer,
    NoLogin,
)
from app.drivers.metal.contract import Login as CloudLogin
from app.drivers.peers import Peer
from app.drivers.secret import Secret
from app.drivers.ssh.contract import SshHost
from app.drivers.tls import Tls, TrustAnything, TrustCa, TrustPin, TrustSystem


async def open_connection(tx: Tx, vault: Vault, name: str) -> Peer:
    """Return the peer behind a name; one statement. Raises UnknownConnection, CannotOpen."""
    row = await tx.fetchrow(
        "SELECT kind, facts, sealed_secrets FROM connection WHERE name = $1", name
    )
    if row is None:
        raise UnknownConnection(name)
    facts = read_facts(row["kind"], row["facts"])
    plain = msgspec.json.decode(vault.open(row["sealed_secrets"]), type=dict[str, str])
    secrets = {key: Secret(value) for key, value in plain.items()}
    match facts:
        case HttpFacts():
            return _http(name, facts, secrets)
        case SshFacts():
            return SshHost(
                name=name,
                host=facts.host,
                port=facts.port,
                username=facts.username,
                host_keys=facts.host_keys,
                password=secrets.get("secret"),
                private_key=secrets.get("private_key"),
                passphrase=secrets.get("passphrase"),
            )
        case DnsFacts():
            return DnsServer(
                name=name,
                host=facts.host,
                port=facts.port,
                zones=facts.zones,
                key_name=facts.key_name,
                algorithm=facts.algorithm,
                secret=secrets["secret"],
            )
        case ChatFacts():
            return ChatRoom(name=name, kind=facts.chat, url=secrets["secret"])
        case HypervisorFacts() | GameFacts() | MetalFacts():
            return _provider(name, facts, secrets)


def _provider(
    name: str, facts: HypervisorFacts | GameFacts | MetalFacts, secrets: dict[str, Secret]
) -> Peer:
    match facts:
        case HypervisorFacts():
            return HypervisorPeer(
                name=name,
                provider=facts.provider,
                url=facts.base_url,
                username=facts.username,
                secret=secrets.get("secret", Secret("")),
                tls=_tls(facts),
                owner=facts.owner,
                virt=facts.virt,
                panel_url=facts.panel_url,
                settings=facts.settings,
                more_secrets=_but(secrets, "secret"),
            )
        case GameFacts():
            return GamePeer(
                name=name,
                provider=facts.provider,
                url=facts.base_url,
                key=secrets.get("secret", Secret("")),
                client_key=secrets.get("client_key"),
                tls=_tls(facts),
                settings=facts.settings,
                more_secrets=_but(secrets, "secret", "client_key"),
            )
        case MetalFacts():
            return MetalPeer(
                name=name,
                provider=facts.provider,
                url=facts.base_url,
                login=_cloud_login(facts, secrets.get("secret", Secret(""))),
                tls=_tls(facts),
            )


def _but(secrets: dict[str, Secret], *named: str) -> dict[str, Secret]:
    return {name: one for name, one in secrets.items() if name not in named}


def _cloud_login(facts: MetalFacts, secret: Secret) -> CloudLogin:
    match facts.auth_type:
        case MetalLogin.NONE:
            return NoLogin()
        case MetalLogin.HTTP_BASIC:
            return BasicLogin(facts.username, secret)
        case MetalLogin.KEYSTONE:
            return KeystoneLogin(
                auth_url=facts.auth_url,
                username=facts.username,
                password=secret,
                user_domain_name=facts.user_domain_name,
                project_name=facts.project_name,
                project_domain_name=facts.project_domain_name,
                region_name=facts.region_name,
                interface=facts.interface,
            )
        case MetalLogin.APPLICATION:
            return ApplicationLogin(
                auth_url=facts.auth_url,
                credential_id=facts.credential_id,
                secret=secret,
                region_name=facts.region_name,
                interface=facts.interface,
            )


def _http(name: str, facts: HttpFacts, secrets: dict[str, Secret]) -> http.HttpPeer:
    certificate = (
        http.ClientCertificate(facts.client_certificate, secrets["client_key"])
        if facts.client_certificate
        else None
    )
    return http.HttpPeer(
        name=name,
        base_url=facts.base_url,
        auth=_auth(facts, secrets.get("secret", Secret(""))),
        tls=_tls(facts),
        certificate=certificate,
        headers=facts.headers,
        test_path=facts.test_path,
    )


def _auth(facts: HttpFacts, secret: Secret) -> http.Auth:  # noqa: PLR0911 - one for each kind
    match facts.auth:
        case Auth.NONE:
            return http.NoAuth()
        case Auth.BASIC:
            return http.Basic(facts.username, secret)
        case Auth.BEARER:
            return http.Bearer(secret)
        case Auth.API_KEY_HEADER:
            return http.ApiKey(facts.key_name, secret)
        case Auth.API_KEY_QUERY:
            return http.ApiKey(facts.key_name, secret, in_query=True)
        case Auth.OAUTH2:
            return http.ClientCredentials(
                token_url=facts.token_url,
                client_id=facts.client_id,
                client_secret=secret,
                scope=facts.scope,
                audience=facts.audience,
                secret_in_body=facts.secret_in_body,
            )
        case Auth.HMAC:
            return http.Signing(
                key=secret,
                algorithm=facts.algorithm,
                payload=facts.payload,
                header=facts.signature_header,
                value=facts.signature_value,
                timestamp_header=facts.timestamp_header,
            )


def _tls(facts: HttpFacts | HypervisorFacts | GameFacts | MetalFacts) -> Tls:
    match facts.trust:
        case Trust.CA:
            return TrustCa(facts.ca_pem)
        case Trust.PIN:
            return TrustPin(facts.pin)
        case Trust.OFF:
            return TrustAnything()
        case Trust.SYSTEM:
            return TrustSystem()
