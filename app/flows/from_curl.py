"""Turn a curl command, as documentation and browsers give it, into an HTTP call's parameters. Pure.

Credentials are left out, with a note that says so: they belong into a connection. What curl would
read from files is not there, and is refused.
"""

import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, quote_plus, urlencode

import msgspec
from yarl import URL

from app.core.redact import names_secret
from app.flows.calls.curl_words import BadCurl, options_in, words_of
from app.flows.calls.filled import METHODS, FilledCall, literal

LONGEST_CHARS = 100_000

# What a browser adds of its own accord, or the call has in any case.
_NOISE = re.compile(
    r"sec-.*|accept-encoding|connection|content-length|host|priority|dnt|te|upgrade.*|origin"
    r"|referer|cache-control|pragma|if-none-match|if-modified-since",
    re.IGNORECASE,
)


@dataclass
class _Read:
    """What the command's words say."""

    url: str = ""
    method: str = ""
    headers: list[tuple[str, str]] = field(default_factory=list)
    data: list[str] = field(default_factory=list)
    json: list[str] = field(default_factory=list)
    timeout_s: float | None = None
    in_query: bool = False
    is_head: bool = False
    notes: list[str] = field(default_factory=list)

    def note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)


def from_curl(command: str) -> FilledCall:
    """Return the parameters of the call that `command` would make. Raises BadCurl.

    Long and short options, those that are run together (`-sSXPOST`), bash's `$'…'` and line
    ends of bash and of Windows are understood.
    """
    if len(command) > LONGEST_CHARS:
        raise BadCurl(f"it is longer than {LONGEST_CHARS:,} characters")
    read = _Read()
    for option, value in options_in(words_of(command)):
        _take(read, option, value)
    if not read.url:
        raise BadCurl("it names no URL")
    return _filled(read)


def _take(read: _Read, what: str, value: str) -> None:  # noqa: C901, PLR0912 - one branch an option
    match what:
        case "url":
            if read.url:
                raise BadCurl(f"it calls two addresses, {read.url} and {value}")
            read.url = value
        case "method":
            read.method = value.upper()
        case "header":
            name, colon, text = value.partition(":")
            if colon:
                read.headers.append((name.strip(), text.strip()))
        case "data" | "json" if value.startswith("@"):
            raise BadCurl(f"it sends the file {value[1:]}; put its content in place of it")
        case "data" | "raw":
            read.data.append(value)
        case "json":
            read.json.append(value)
        case "urlencode":
            read.data.append(_encoded(value))
        case "agent":
            read.headers.append(("User-Agent", value))
        case "referer":
            read.headers.append(("Referer", value))
        case "time":
            read.timeout_s = _seconds(value)
        case "get":
            read.in_query = True
        case "head":
            read.is_head = True
        case "form":
            raise BadCurl("it sends a multipart form (-F), which an HTTP call does not")
        case "upload" | "config":
            raise BadCurl(f"it reads the file {value}")
        case _:
            read.note(_NOTES[what])


_NOTES = {
    "user": "The command signs in (-u): keep user name, password or token in a connection.",
    "cookie": "The command sends cookies (-b), which are credentials: keep them in a connection.",
    "certificate": "The command names certificates: choose them in a connection.",
    "insecure": "The command checks no certificate (-k): if that is meant, choose so in a "
    "connection.",
    "proxy": "The command goes through a proxy (-x), which an HTTP call does not.",
}


def _encoded(value: str) -> str:
    """Return `--data-urlencode content`, `=content` or `name=content` as it is sent."""
    name, equals, content = value.partition("=")
    if not equals and "@" in value:
        raise BadCurl(f"it sends the file {value.partition('@')[2]}")
    if not equals:
        return quote_plus(value)
    return f"{name}={quote_plus(content)}" if name else quote_plus(content)


def _seconds(value: str) -> float:
    try:
        return min(max(float(value), 1.0), 600.0)
    except ValueError:
        raise BadCurl(f"-m {value} is no number of seconds") from None


def _filled(read: _Read) -> FilledCall:
    data = "&".join(read.data)
    url, query = _address(read, data if read.in_query else "")
    params: dict[str, Any] = {"url": literal(url)}
    has_body = bool(read.json or (read.data and not read.in_query))
    method = read.method or ("HEAD" if read.is_head else "POST" if has_body else "GET")
    if method not in METHODS:
        raise BadCurl(f"its method {method} is none of {', '.join(METHODS)}")
    if method != "GET":
        params["method"] = method
    if query:
        params["query"] = literal(query)
    headers, content_type = _headers(read)
    if has_body:
        body, kind, own = _body(read, data, content_type)
        params |= {"body": literal(body), "body_as": kind}
        if own:
            headers["Content-Type"] = own
    if headers:
        params["headers"] = literal(headers)
    if read.timeout_s is not None:
        params["timeout_s"] = read.timeout_s
    return FilledCall(params, tuple(read.notes))


def _address(read: _Read, data: str) -> tuple[str, dict[str, Any]]:
    """Return the URL without its query, and the query as a map where nothing is lost by that."""
    text = read.url if "://" in read.url else f"http://{read.url}"
    try:
        url = URL(text)
    except ValueError as error:
        raise BadCurl(f"{read.url} is no URL ({error})") from error
    if url.scheme not in {"http", "https"} or not url.host:
        raise BadCurl(f"{read.url} is no URL of http or https")
    if url.user is not None or url.password is not None:
        url = url.with_user(None)
        read.note(_NOTES["user"])
    raw = "&".join(part for part in (url.raw_query_string, data) if part)
    query: dict[str, Any] = {}
    for name, value in parse_qsl(raw, keep_blank_values=True):
        if value and names_secret(name):
            read.note(f"The parameter {name} is a credential: keep it in a connection.")
        else:
            _add(query, name, value)
    return str(url.with_query(None).with_fragment(None)), query


def _add(found: dict[str, Any], name: str, value: str) -> None:
    if name not in found:
        found[name] = value
    elif isinstance(found[name], list):
        found[name].append(value)
    else:
        found[name] = [found[name], value]


def _headers(read: _Read) -> tuple[dict[str, str], str]:
    """Return the headers to send, without credentials and noise, and the content type."""
    kept: dict[str, str] = {}
    content_type = ""
    for name, value in read.headers:
        if name.lower() == "content-type":
            content_type = value
        elif names_secret(name) or name.lower() == "cookie":
            read.note(f"The header {name} is a credential: keep it in a connection.")
        elif _NOISE.fullmatch(name) is None and not value.startswith("Mozilla/"):
            kept[name] = value
    if read.json and "Accept" not in kept:
        kept["Accept"] = "application/json"
    return kept, content_type


def _body(read: _Read, data: str, content_type: str) -> tuple[Any, str, str]:
    """Return the body, how it is written, and a content type of its own if it needs one."""
    if read.json:
        data = "".join(read.json)
        content_type = content_type or "application/json"
    mime = content_type.partition(";")[0].strip().lower()
    if not mime and data.lstrip()[:1] in {"{", "["}:
        read.note("curl would send this JSON as a form; it is taken as JSON.")
        mime = "application/json"
    if mime == "application/json" or mime.endswith("+json"):
        try:
            value = msgspec.json.decode(data)
        except msgspec.DecodeError:
            return data, "text", content_type or mime
        return value, "json", "" if mime == "application/json" else content_type
    if mime in {"", "application/x-www-form-urlencoded"}:
        form: dict[str, Any] = {}
        for name, value in parse_qsl(data, keep_blank_values=True):
            _add(form, name, value)
        if form and _same_form(form, data):
            return form, "form", ""
        return data, "form", ""
    if mime in {"application/xml", "text/xml"} or mime.endswith("+xml"):
        return data, "xml", content_type
    return data, "text", content_type


def _same_form(form: dict[str, Any], data: str) -> bool:
    """Say whether the map says all that the text says; order between names does not matter."""
    return sorted(parse_qsl(urlencode(form, doseq=True), keep_blank_values=True)) == sorted(
        parse_qsl(data, keep_blank_values=True)
    ) and all("=" in part for part in data.split("&"))
