"""Read what was typed for a connection: facts and secrets, each fault beside its field."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from app.core.errors import Invalid
from app.core.redact import names_secret
from app.domain.connections.field import Field, Look
from app.domain.connections.fields import fields_of
from app.domain.connections.kinds import FACTS, Facts, Kind
from app.domain.connections.provider import PLUGGABLE
from app.domain.connections.typed import as_typed
from app.drivers.dns.records import BadRecord, zone_of
from app.drivers.errors import Refused
from app.drivers.http.contract import ClientCertificate
from app.drivers.http.sign import PAYLOAD_NAMES, VALUE_NAMES, unknown_names
from app.drivers.http.target import parsed
from app.drivers.http.trust import context_of
from app.drivers.secret import Secret
from app.drivers.ssh.keys import host_key
from app.drivers.tls import TrustCa, TrustSystem

LONGEST_CHARS = 20_000
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""The name of a header (RFC 9110, 5.6.2)."""
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
MISSING = "This is needed."


class Given(msgspec.Struct, frozen=True):
    """What a connection is made of; `secrets` are by field, in plain."""

    facts: Facts
    secrets: dict[str, str]


def read_name(text: str) -> str:
    """Return a connection's name. Raises Invalid on `name`."""
    name = text.strip()
    if _NAME.fullmatch(name) is None:
        raise Invalid(
            {"name": "Use small letters, digits and -, 63 at most; flows name it so for ever."}
        )
    return name


def read(kind: Kind, typed: Mapping[str, str], *, kept: Mapping[str, str] | None = None) -> Given:
    """Return what was typed, checked. Secrets left empty are those that are `kept`, if any.

    Fields that do not belong to what was chosen are not looked at. Raises Invalid.
    """
    kept = kept or {}
    faults: dict[str, str] = {}
    facts: dict[str, Any] = {}
    secrets: dict[str, str] = {}
    for field in fields_of(kind, typed):
        text = typed.get(field.name, "" if field.is_secret else field.default).strip()
        if field.is_secret:
            text = text or kept.get(field.name, "")
        try:
            value = _value(field, text)
        except ValueError as error:
            faults[field.name] = str(error)
            continue
        if value in ("", (), {}) and not field.is_optional:
            faults[field.name] = MISSING
        elif field.is_secret:
            secrets |= {field.name: text} if text else {}
        elif value not in ("", (), {}):
            facts[field.name] = value
    if not faults:
        faults = _joint_faults(facts, secrets)
    if faults:
        raise Invalid(faults)
    if kind is Kind.CHAT:
        facts["host"] = parsed(secrets["secret"], "").host
    return Given(msgspec.convert(_with_settings(kind, facts), FACTS[kind]), secrets)


def _with_settings(kind: Kind, facts: dict[str, Any]) -> dict[str, Any]:
    """Return the facts, with what only the form of a plug-in knows set apart as text."""
    if kind not in PLUGGABLE:
        return facts
    fields = FACTS[kind].__struct_fields__
    known = {name: value for name, value in facts.items() if name in fields}
    settings = {
        name: as_typed(value)
        for name, value in facts.items()
        if name not in fields and value is not False
    }
    return known | ({"settings": settings} if settings else {})


def _value(field: Field, text: str) -> Any:
    """Return the value of a field as facts hold it. Raises ValueError with what to do."""
    if len(text) > LONGEST_CHARS:
        raise ValueError(f"At most {LONGEST_CHARS:,} characters.")
    if field.look is Look.TICK:
        return text.lower() in {"on", "true", "yes", "1"}
    if field.look is Look.CHOICE and text not in field.choices:
        raise ValueError(f"Choose one of {', '.join(field.choices)}.")
    if field.look is Look.LINE and not text.isprintable():
        raise ValueError("It holds a line break or another control character.")
    if text and field.pattern and re.fullmatch(field.pattern, text) is None:
        raise ValueError(field.form or f"It must match {field.pattern}.")
    reader = _READERS.get(field.name)
    if reader is not None and text:
        return reader(text)
    return _lines(text) if field.look is Look.LINES else text


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def _port(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 1 <= int(text) <= 65_535):
        raise ValueError("A port is a number from 1 to 65535.")
    return int(text)


def _url(text: str) -> str:
    try:
        found = parsed(text, "url")
    except Refused as error:
        raise ValueError(f"This is no address: {error.reason}.") from error
    if found.raw_query_string or found.raw_fragment:
        raise ValueError("Leave out what follows ? or #.")
    return text


def _header_name(text: str) -> str:
    if _TOKEN.fullmatch(text) is None:
        raise ValueError("This is no name of a header.")
    return text


def _headers(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in _lines(text):
        name, colon, value = (part.strip() for part in line.partition(":"))
        if not colon or _TOKEN.fullmatch(name) is None or not value.isprintable():
            raise ValueError(f"{line[:60]!r} is not of the form Name: value.")
        if names_secret(name) or name.lower() == "cookie":
            raise ValueError(f"{name} is a credential; choose it as the authentication.")
        found[name] = value
    return found


def _pin(text: str) -> str:
    plain = text.replace(":", "").lower()
    if re.fullmatch(r"[0-9a-f]{64}", plain) is None:
        raise ValueError("A SHA-256 has 64 hexadecimal digits.")
    return plain


def _ca(text: str) -> str:
    try:
        context_of(TrustCa(text), None, "ca")
    except Refused as error:
        raise ValueError(f"This is no certificate in PEM: {error.reason}.") from error
    return text


def _host(text: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9.:_-]{1,253}", text) is None:
        raise ValueError("Give a host name or an address, without a scheme or path.")
    return text


def _host_keys(text: str) -> tuple[str, ...]:
    keys = (host_key(line) for line in _lines(text) if not line.startswith("#"))
    return tuple(dict.fromkeys(keys))


def _zones(text: str) -> tuple[str, ...]:
    zones = _lines(text)
    for zone in zones:
        try:
            zone_of(zone, (zone,))
        except BadRecord as error:
            raise ValueError(f"{zone!r} is no zone.") from error
    return zones


def _template(known: frozenset[str]) -> Callable[[str], str]:
    def reader(text: str) -> str:
        if unknown := unknown_names(text, known):
            raise ValueError(f"There is no {{{unknown[0]}}}; known are {', '.join(sorted(known))}.")
        return text

    return reader


_READERS: dict[str, Callable[[str], Any]] = {
    "base_url": _url,
    "panel_url": _url,
    "token_url": _url,
    "auth_url": _url,
    "port": _port,
    "headers": _headers,
    "pin": _pin,
    "ca_pem": _ca,
    "host": _host,
    "host_keys": _host_keys,
    "zones": _zones,
    "payload": _template(PAYLOAD_NAMES),
    "signature_value": _template(VALUE_NAMES),
    "signature_header": _header_name,
    "timestamp_header": _header_name,
}


def _joint_faults(facts: Mapping[str, Any], secrets: Mapping[str, str]) -> dict[str, str]:
    """Find what is wrong only together: a key without its certificate, a name that is no header."""
    if facts.get("auth") == "api_key_header" and not _TOKEN.fullmatch(facts["key_name"]):
        return {"key_name": "This is no name of a header."}
    if "auth" in facts and not secrets.get("secret", "x").isascii() and facts["auth"] != "basic":
        return {"secret": "It holds a character that no header can; copy it again."}
    if "chat" in facts:
        try:
            is_https = parsed(secrets["secret"], "url").scheme == "https"
        except Refused:
            is_https = False
        return {} if is_https else {"secret": "The address of a webhook begins with https://."}
    certificate, key = facts.get("client_certificate", ""), secrets.get("client_key", "")
    if certificate:
        try:
            context_of(TrustSystem(), ClientCertificate(certificate, Secret(key)), "client")
        except Refused as error:
            return {"client_certificate": f"{error.reason[0].upper()}{error.reason[1:]}."}
    return {}
