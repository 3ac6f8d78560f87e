"""Texts and numbers that look like what they are called, the same for the same seed."""

import hashlib
import re
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import re2

_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
_PATTERN_CHARS = 500
MOST_CHARS = 10_000
"""However long a schema wants a text to be."""
_QUIET = re2.Options()
_QUIET.log_errors = False
SECRET = "stand-in-secret"  # noqa: S105 - what stands in for one


def draw(seed: str, below: int) -> int:
    """Return a number from 0 up to `below`, without it; evenly, the same for the same seed."""
    digest = hashlib.sha256(seed.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:12]) % below


def number(said: Mapping[str, Any], seed: str, *, is_whole: bool) -> Any:
    """Return a number within a schema's limits; small ones where there are none."""
    low = said.get("minimum", said.get("exclusiveMinimum"))
    high = said.get("maximum", said.get("exclusiveMaximum"))
    step = said.get("multipleOf") or (1 if is_whole else 0.5)
    if low is None:
        low = 1 if high is None or high >= 1 else high - step
    if high is None:
        high = low + 100 * step
    first = -(-low // step)  # the least multiple that is not below
    if "exclusiveMinimum" in said and first * step <= said["exclusiveMinimum"]:
        first += 1
    last = high // step
    if "exclusiveMaximum" in said and last * step >= said["exclusiveMaximum"]:
        last -= 1
    made = (first + draw(seed, int(max(1, min(last - first + 1, 1_000))))) * step
    if is_whole:
        return int(made)
    return float(made) if low <= made <= high else float((low + high) / 2)


def text(said: Mapping[str, Any], seed: str, name: str) -> str:
    """Return a text by a schema's format or pattern, else by the name of its field."""
    make = _FORMATS.get(str(said.get("format", "")))
    if said.get("contentEncoding") == "base64":
        return "c3RhbmQtaW4="
    if make is not None:
        return make(seed)
    if isinstance(said.get("pattern"), str):
        return _matching(said["pattern"], seed, said)
    return _fitted(_by_name(name, seed), said)


def _fitted(made: str, said: Mapping[str, Any]) -> str:
    least, most = min(said.get("minLength", 0), MOST_CHARS), said.get("maxLength")
    if len(made) < least:
        made += "x" * (least - len(made))
    return made if most is None else made[:most]


def _matching(pattern: str, seed: str, said: Mapping[str, Any]) -> str:
    """Return a usual form that meets a pattern; the last of them when none does."""
    made = ""
    for form in _FORMS:
        made = _fitted(form(seed), said)
        try:
            # RE2 never runs away, whatever the pattern; some of ECMA's it does not know.
            if len(pattern) <= _PATTERN_CHARS and re2.search(pattern, made, _QUIET):
                return made
        except re2.error:
            break
    return made


def _host(seed: str) -> str:
    return f"srv-{draw(seed, 10_000):04}.example.net"


def _ipv4(seed: str) -> str:
    network = ("192.0.2", "198.51.100", "203.0.113")[draw(f"{seed}/net", 3)]
    return f"{network}.{1 + draw(seed, 254)}"


def _ipv6(seed: str) -> str:
    return f"2001:db8::{1 + draw(seed, 0xFFFE):x}"


def _mac(seed: str) -> str:
    return f"00:00:5e:00:53:{draw(seed, 256):02x}"


def _uuid(seed: str) -> str:
    return str(uuid.UUID(int=draw(seed, 1 << 96) << 32 | draw(f"{seed}/low", 1 << 32), version=4))


def _moment(seed: str) -> str:
    at = _EPOCH + timedelta(seconds=draw(seed, 86_400 * 28))
    return at.isoformat().replace("+00:00", "Z")


def _email(seed: str) -> str:
    return f"client-{draw(seed, 1_000)}@example.com"


def _url(seed: str) -> str:
    return f"https://api.example.com/items/{draw(seed, 1_000)}"


def _hex(digits: int) -> Callable[[str], str]:
    return lambda seed: f"{draw(seed, 16 ** min(digits, 20)):0{digits}x}"


_FORMATS: dict[str, Callable[[str], str]] = {
    "date-time": _moment,
    "date": lambda seed: _moment(seed)[:10],
    "time": lambda seed: _moment(seed)[11:],
    "duration": lambda seed: f"PT{1 + draw(seed, 59)}M",
    "uuid": _uuid,
    "email": _email,
    "idn-email": _email,
    "hostname": _host,
    "idn-hostname": _host,
    "ipv4": _ipv4,
    "ipv6": _ipv6,
    "uri": _url,
    "iri": _url,
    "uri-reference": _url,
    "decimal": lambda seed: f"{1 + draw(seed, 99)}.50",
    "regex": lambda _: "^[a-z]+$",
    "json-pointer": lambda _: "/example",
}
_FORMS: tuple[Callable[[str], str], ...] = (
    lambda _: "example",
    lambda seed: f"example-{draw(seed, 100)}",
    lambda _: "Example",
    lambda _: "EXAMPLE",
    *(lambda seed, n=n: f"{10**(n - 1) + draw(seed, 9 * 10**(n - 1))}" for n in range(1, 13)),
    *(_hex(digits) for digits in (2, 4, 6, 8, 12, 16, 32, 40, 64)),
    _uuid, _host, _ipv4, _ipv6, _mac, _email, _url, _moment,
    lambda seed: _moment(seed)[:10],
    lambda seed: f"1.{draw(seed, 10)}.0",
    lambda seed: f"v1.{draw(seed, 10)}",
    lambda seed: f"{1 + draw(seed, 60)}s",
    lambda seed: f"192.0.2.0/{24 + draw(seed, 8)}",
    lambda _: "de", lambda _: "DE", lambda _: "EUR", lambda _: "#3366cc", lambda _: "+4930123456",
    lambda _: "/example/path", lambda _: "=input.example", lambda _: "sha256:" + "0" * 64,
)  # fmt: skip
_NAMED: tuple[tuple[str, Callable[[str], str]], ...] = (
    (r"pass(word|phrase)?$|secret|token|api_?key|private_?key|credential", lambda _: SECRET),
    (r"(^|_)(ip)?v?6$|ipv6", _ipv6),
    (r"cidr|prefix|subnet|network", lambda seed: f"192.0.2.0/{24 + draw(seed, 8)}"),
    (r"(^|_)ip(v?4)?(_|$)|ipv4|address$|gateway|dns_server", _ipv4),
    (r"(^|_)mac(_|$)", _mac),
    (r"hostname|^host$|fqdn|domain", _host),
    (r"e_?mail", _email),
    (r"url$|uri$|link$|endpoint|website", _url),
    (r"uuid|guid|(^|_)id$", _uuid),
    (r"_at$|^at$|timestamp|_time$|^time$|moment", _moment),
    (r"date$", lambda seed: _moment(seed)[:10]),
    (r"currency", lambda _: "EUR"),
    (r"country", lambda _: "DE"),
    (r"data_?cent(re|er)|(^|_)dc$|region|zone|location", lambda seed: f"dc{1 + draw(seed, 3)}"),
    (r"rack", lambda seed: f"r{1 + draw(seed, 40)}"),
    (r"version", lambda seed: f"1.{draw(seed, 10)}"),
    (r"status|state", lambda _: "active"),
    (r"language|locale", lambda _: "en"),
    (r"phone", lambda _: "+4930123456"),
    (r"user(name)?$|login", lambda seed: f"user{draw(seed, 100)}"),
    (r"message|text|body|note|description|summary", lambda _: "An example text."),
    (r"title|name$|label", lambda seed: f"Example {1 + draw(seed, 99)}"),
)
"""By the name of a field, the first that fits; what is like a secret is named as one."""


def _by_name(name: str, seed: str) -> str:
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    for pattern, make in _NAMED:
        if re.search(pattern, snake):
            return make(seed)
    return f"example-{draw(seed, 100)}"
