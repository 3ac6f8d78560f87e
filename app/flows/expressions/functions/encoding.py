"""Functions that write values for other programs: JSON, base64, URLs, shells, hashes, patterns."""

import base64
import binascii
import hashlib
import hmac
import shlex
import uuid
from functools import lru_cache
from typing import Any
from urllib.parse import quote

import msgspec
import re2

from app.flows.expressions.errors import Fault, Missing
from app.flows.expressions.functions.function import offer
from app.flows.expressions.meter import Frame
from app.flows.expressions.values import plain

GROUP = "Encoding"
PATTERNS = "Patterns"
_SPACES = {
    "dns": uuid.NAMESPACE_DNS,
    "url": uuid.NAMESPACE_URL,
    "oid": uuid.NAMESPACE_OID,
    "x500": uuid.NAMESPACE_X500,
}
_PATTERN_CHARS = 1_000
_STEPS_A_UNIT = 32
"""RE2 takes some 4 ns for a character and an instruction of the pattern, at worst."""


@offer(
    GROUP,
    "json.encode(value: dyn) -> string",
    doc="The value as JSON.",
    examples=(('json.encode({"ok": true})', '{"ok":true}'),),
)
def json_encode(frame: Frame, value: Any) -> str:
    text = msgspec.json.encode(plain(value)).decode()
    frame.write(len(text) * 4)
    return text


@offer(
    GROUP,
    "json.decode(text: string) -> dyn",
    doc="What a JSON text says.",
    examples=(("json.decode('{\"ok\": true}').ok", True),),
)
def json_decode(frame: Frame, text: str) -> Any:
    frame.spend(len(text) // 16)
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise Fault(f"this string is no JSON: {error}") from error


@offer(
    GROUP,
    "base64.encode(value: string) -> string",
    "base64.encode(value: bytes) -> string",
    doc="Text (as UTF-8) or bytes in base64.",
    examples=(('base64.encode("user:pass")', "dXNlcjpwYXNz"),),
)
def base64_encode(frame: Frame, value: Any) -> str:
    raw = _raw(value)
    frame.write(len(raw) * 4 // 3)
    return base64.b64encode(raw).decode()


@offer(
    GROUP,
    "base64.decode(text: string) -> bytes",
    doc="The bytes that a base64 text stands for; string(…) makes text of them.",
    examples=(('string(base64.decode("dXNlcjpwYXNz"))', "user:pass"),),
)
def base64_decode(_: Frame, text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise Fault("this string is no base64") from None


@offer(
    GROUP,
    "url.encode(text: string) -> string",
    doc="The text as a part of a URL's path or query.",
    examples=(('url.encode("a b/c")', "a%20b%2Fc"),),
)
def url_encode(frame: Frame, text: str) -> str:
    frame.write(len(text) * 4)
    return quote(text, safe="")


@offer(
    GROUP,
    "shell.quote(text: string) -> string",
    doc="The text as one word of a POSIX shell, whatever is in it.",
    examples=(('shell.quote("it\'s; rm -r")', "'it'\"'\"'s; rm -r'"),),
)
def shell_quote(frame: Frame, text: str) -> str:
    frame.write(len(text) * 5)
    if "\0" in text:
        raise Fault("a word of a shell has no character 0")
    return shlex.quote(text)


@offer(
    GROUP,
    "hash.sha256(value: string) -> string",
    "hash.sha256(value: bytes) -> string",
    doc="SHA-256 in hexadecimal.",
    examples=(('hash.sha256("a").truncate(8)', "ca978112"),),
)
def sha256(frame: Frame, value: Any) -> str:
    raw = _raw(value)
    frame.spend(len(raw) // 16)
    return hashlib.sha256(raw).hexdigest()


@offer(
    GROUP,
    "hash.hmacSha256(key: string, value: string) -> string",
    "hash.hmacSha256(key: bytes, value: bytes) -> string",
    doc="HMAC-SHA-256 in hexadecimal, to sign a call.",
    examples=(('hash.hmacSha256("key", "text").truncate(8)', "6afa9046"),),
)
def hmac_sha256(frame: Frame, key: Any, value: Any) -> str:
    raw = _raw(value)
    frame.spend(10 + len(raw) // 16)
    return hmac.new(_raw(key), raw, hashlib.sha256).hexdigest()


@offer(
    GROUP,
    "uuid5(space: string, name: string) -> string",
    doc="The UUID of a name: always the same. The space is dns, url, oid, x500 or a UUID.",
    examples=(('uuid5("dns", "example.net")', "90d38b76-e7dd-5733-8575-0d06a98e8b70"),),
)
def uuid5(frame: Frame, space: str, name: str) -> str:
    try:
        inside = _SPACES.get(space) or uuid.UUID(space[:64])
    except ValueError:
        raise Fault("the space of uuid5() is dns, url, oid, x500 or a UUID") from None
    frame.spend(20)
    return str(uuid.uuid5(inside, _raw(name).decode()))


@offer(
    PATTERNS,
    "string.matches(pattern: string) -> bool",
    "matches(text: string, pattern: string) -> bool",
    doc="Whether a regular expression (RE2) is found anywhere in the text.",
    examples=(('"rack-7".matches("^rack-[0-9]+$")', True),),
    is_cel=True,
)
def matches(frame: Frame, text: str, pattern: str) -> bool:
    return _search(frame, text, pattern) is not None


@offer(
    PATTERNS,
    "regex.extract(text: string, pattern: string) -> string",
    doc="What the first group of a pattern finds, or the pattern itself; missing when nothing.",
    examples=(
        ('regex.extract("vm-104 started", "vm-([0-9]+)")', "104"),
        ('default(regex.extract("none", "[0-9]+"), "0")', "0"),
    ),
)
def extract(frame: Frame, text: str, pattern: str) -> str:
    found = _search(frame, text, pattern)
    if found is None:
        raise Missing("the pattern is not found in the text")
    return _of(found)


@offer(
    PATTERNS,
    "regex.extractAll(text: string, pattern: string) -> list",
    doc="Everything that a pattern, or its first group, finds.",
    examples=(('regex.extractAll("eth0 eth1", "eth([0-9])")', ["0", "1"]),),
)
def extract_all(frame: Frame, text: str, pattern: str) -> list[str]:
    compiled = _ready(frame, text, pattern)
    made: list[str] = []
    for found in compiled.finditer(text):
        frame.spend(20)
        made.append(_of(found))
    return made


@offer(
    PATTERNS,
    "regex.replace(text: string, pattern: string, new: string) -> string",
    doc="The text with all that a pattern finds replaced, word for word.",
    examples=(('regex.replace("a1b22", "[0-9]+", "-")', "a-b-"),),
)
def replace(frame: Frame, text: str, pattern: str, new: str) -> str:
    compiled = _ready(frame, text, pattern)
    made: list[str] = []
    length = at = 0
    for found in compiled.finditer(text):
        made += (text[at : found.start()], new)
        length += found.start() - at + len(new)
        frame.write(length // 16)
        at = found.end()
    made.append(text[at:])
    frame.write(length + len(text) - at)
    return "".join(made)


def _search(frame: Frame, text: str, pattern: str) -> Any:
    return _ready(frame, text, pattern).search(text)


def _ready(frame: Frame, text: str, pattern: str) -> Any:
    """Return a pattern, the whole look at the text paid for."""
    compiled = _pattern(pattern)
    frame.spend(10 + (len(text) + 100) * compiled.programsize // _STEPS_A_UNIT)
    return compiled


@lru_cache(maxsize=256)
def _pattern(pattern: str) -> Any:
    if len(pattern) > _PATTERN_CHARS:
        raise Fault(f"a pattern has at most {_PATTERN_CHARS:,} characters")
    options = re2.Options()
    options.max_mem = 1 << 20
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        words = error.args[0].decode() if isinstance(error.args[0], bytes) else error.args[0]
        raise Fault(f"this is no regular expression of RE2: {words}") from error


def _of(found: Any) -> str:
    return (found[1] or "") if found.re.groups else str(found[0])


def _raw(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


FUNCTIONS = (
    json_encode, json_decode, base64_encode, base64_decode, url_encode, shell_quote, sha256,
    hmac_sha256, uuid5, matches, extract, extract_all, replace,
)  # fmt: skip
