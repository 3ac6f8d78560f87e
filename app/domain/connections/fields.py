"""What is asked for to make a connection: one description for the form, the command and reading.

Which fields there are depends on what was chosen in others: an API key has a name, a token has not.
"""

from collections.abc import Mapping

from app.domain.connections.field import Field, Look, secret
from app.domain.connections.kinds import Auth, Identity, Kind, Login, Trust
from app.domain.connections.provider_fields import provider_fields
from app.drivers.chat.contract import ChatKind
from app.drivers.dns.rfc2136 import ALGORITHMS as TSIG_ALGORITHMS
from app.drivers.http.sign import ALGORITHMS as HMAC_ALGORITHMS


def fields_of(kind: Kind, chosen: Mapping[str, str]) -> tuple[Field, ...]:
    """Return the fields of a connection, as what is `chosen` so far makes them."""
    match kind:
        case Kind.HTTP:
            return _http(chosen)
        case Kind.SSH:
            return _ssh(chosen)
        case Kind.DNS:
            return _DNS
        case Kind.CHAT:
            return _CHAT
        case Kind.HYPERVISOR | Kind.GAME | Kind.METAL:
            trusted = _TRUSTED.get(chosen.get("trust", ""), ())
            return (*provider_fields(kind, chosen), _TRUST, *trusted)


def secrets_of(kind: Kind, chosen: Mapping[str, str]) -> tuple[Field, ...]:
    return tuple(field for field in fields_of(kind, chosen) if field.is_secret)


_BASE = (
    Field(
        name="base_url",
        label="Base URL",
        help="Flows call addresses below this one, and nothing else gets the credentials.",
        example="https://api.example.net/v1",
    ),
    Field(
        name="test_path",
        label="Test path",
        help="What a test of the connection asks for (GET); best what needs the credentials.",
        example="me",
        is_optional=True,
    ),
    Field(
        name="auth",
        label="Authentication",
        look=Look.CHOICE,
        choices={
            Auth.NONE: "None",
            Auth.BASIC: "User name and password (Basic)",
            Auth.BEARER: "Token (Bearer)",
            Auth.API_KEY_HEADER: "API key in a header",
            Auth.API_KEY_QUERY: "API key in the query",
            Auth.OAUTH2: "OAuth 2 client credentials",
            Auth.HMAC: "Signature (HMAC)",
        },
        default=Auth.NONE,
        decides=True,
    ),
)
_AUTH: dict[str, tuple[Field, ...]] = {
    Auth.NONE: (),
    Auth.BASIC: (
        Field(name="username", label="User name"),
        secret("secret", "Password"),
    ),
    Auth.BEARER: (secret("secret", "Token", "Sent as Authorization: Bearer …"),),
    Auth.API_KEY_HEADER: (
        Field(name="key_name", label="Header", default="X-API-Key"),
        secret("secret", "API key", "The header's whole value, a word such as Token included."),
    ),
    Auth.API_KEY_QUERY: (
        Field(name="key_name", label="Parameter", default="api_key"),
        secret("secret", "API key"),
    ),
    Auth.OAUTH2: (
        Field(name="token_url", label="Token URL", example="https://login.example.net/token"),
        Field(name="client_id", label="Client ID"),
        secret("secret", "Client secret"),
        Field(name="scope", label="Scope", is_optional=True, example="servers:write"),
        Field(
            name="audience",
            label="Audience",
            help="Some servers, Auth0 among them, ask for it.",
            is_optional=True,
        ),
        Field(
            name="secret_in_body",
            label="Send the client secret in the body",
            help="For token servers that do not take it as user name and password.",
            look=Look.TICK,
            is_optional=True,
        ),
    ),
    Auth.HMAC: (
        secret("secret", "Signing key"),
        Field(
            name="algorithm",
            label="Algorithm",
            look=Look.CHOICE,
            choices={name: f"HMAC-{name.upper()}" for name in HMAC_ALGORITHMS},
            default=HMAC_ALGORITHMS[0],
        ),
        Field(
            name="payload",
            label="What is signed",
            help="{method} {path} {query} {url} {timestamp} {body} {body_sha256} are filled in; "
            "\\n is a line break.",
            default="{timestamp}.{body}",
        ),
        Field(name="signature_header", label="Signature header", default="X-Signature"),
        Field(
            name="signature_value",
            label="Signature value",
            help="{hex}, {base64} and {timestamp} are filled in.",
            default="{hex}",
            example="sha256={hex}",
        ),
        Field(
            name="timestamp_header",
            label="Timestamp header",
            help="Where the time that was signed is sent, in seconds since 1970.",
            is_optional=True,
            example="X-Timestamp",
        ),
    ),
}
_TRUST = Field(
    name="trust",
    label="Certificate check",
    look=Look.CHOICE,
    choices={
        Trust.SYSTEM: "Public certificate authorities",
        Trust.CA: "A certificate authority of your own",
        Trust.PIN: "One certificate, by its fingerprint",
        Trust.OFF: "None: anyone in between can read and change everything",
    },
    default=Trust.SYSTEM,
    decides=True,
)
_TRUSTED: dict[str, tuple[Field, ...]] = {
    Trust.CA: (Field(name="ca_pem", label="CA certificate (PEM)", look=Look.BLOCK),),
    Trust.PIN: (
        Field(
            name="pin",
            label="SHA-256 of the certificate",
            help="`openssl x509 -noout -fingerprint -sha256 -in FILE` prints it.",
        ),
    ),
}
_IDENTITY = Field(
    name="identity",
    label="Client certificate",
    help="What we show for ourselves, where the API asks for it.",
    look=Look.CHOICE,
    choices={Identity.NONE: "None", Identity.CERTIFICATE: "One of our own"},
    default=Identity.NONE,
    decides=True,
)
_OWN = (
    Field(name="client_certificate", label="Our certificate (PEM)", look=Look.BLOCK),
    secret("client_key", "Key of our certificate (PEM)", "Without a passphrase.", look=Look.BLOCK),
)
_HEADERS = Field(
    name="headers",
    label="Headers of every call",
    help="One a line, as Name: value; no credentials, these are shown.",
    look=Look.LINES,
    is_optional=True,
    example="Accept-Language: en",
)


def _http(chosen: Mapping[str, str]) -> tuple[Field, ...]:
    auth = _AUTH.get(chosen.get("auth", ""), ())
    trusted = _TRUSTED.get(chosen.get("trust", ""), ())
    own = _OWN if chosen.get("identity") == Identity.CERTIFICATE else ()
    return (*_BASE, *auth, _TRUST, *trusted, _IDENTITY, *own, _HEADERS)


_HOST = (
    Field(name="host", label="Host", example="backup.example.net"),
    Field(name="port", label="Port", default="22"),
    Field(name="username", label="User name"),
    Field(
        name="host_keys",
        label="Host key",
        help="`ssh-keyscan HOST` prints it; compare it on the host's own console. Without it "
        "nobody knows who is given the password.",
        look=Look.LINES,
        example="ssh-ed25519 AAAAC3NzaC1lZDI1NTE5…",
    ),
    Field(
        name="login",
        label="Sign in with",
        look=Look.CHOICE,
        choices={Login.KEY: "A private key", Login.PASSWORD: "A password"},
        default=Login.KEY,
        decides=True,
    ),
)
_LOGINS: dict[str, tuple[Field, ...]] = {
    Login.KEY: (
        secret("private_key", "Private key", "OpenSSH or PEM.", look=Look.BLOCK),
        secret("passphrase", "Passphrase of the key", is_optional=True),
    ),
    Login.PASSWORD: (secret("secret", "Password"),),
}


def _ssh(chosen: Mapping[str, str]) -> tuple[Field, ...]:
    return (*_HOST, *_LOGINS.get(chosen.get("login") or Login.KEY, ()))


_DNS = (
    Field(name="host", label="Primary server", example="ns1.example.net"),
    Field(name="port", label="Port", default="53"),
    Field(
        name="zones",
        label="Zones",
        help="Those that flows may change, one a line; reverse zones too.",
        look=Look.LINES,
        example="example.net\n2.0.192.in-addr.arpa",
    ),
    Field(name="key_name", label="Key name", help="As the server's configuration calls it."),
    Field(
        name="algorithm",
        label="Algorithm",
        look=Look.CHOICE,
        choices={name: name for name in TSIG_ALGORITHMS},
        default=TSIG_ALGORITHMS[0],
    ),
    secret("secret", "TSIG key", "In base64, as `keymgr -t` or `tsig-keygen` prints it."),
)
_CHAT = (
    Field(
        name="chat",
        label="Chat",
        look=Look.CHOICE,
        choices={
            ChatKind.SLACK: "Slack, Rocket.Chat",
            ChatKind.MATTERMOST: "Mattermost",
            ChatKind.TEAMS: "Microsoft Teams (workflow)",
            ChatKind.DISCORD: "Discord",
        },
        default=ChatKind.SLACK,
    ),
    secret(
        "secret", "Webhook URL", "An incoming webhook of the channel. Who knows it may write there."
    ),
)
