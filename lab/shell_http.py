"""curl and wget, with the options that install configurations use; others are errors."""

from dataclasses import dataclass, field
from urllib.parse import quote_plus, urlsplit

from lab.network import Unreachable
from lab.shell import Result, Shell

FORM = "application/x-www-form-urlencoded"
CURL_FLAGS = frozenset("fsSLkgivq#46")
CURL_LONG_FLAGS = frozenset(
    {
        "fail", "silent", "show-error", "location", "insecure", "globoff",
        "retry-connrefused", "retry-all-errors", "fail-with-body", "ipv4", "ipv6",
        "no-progress-meter",
    }
)  # fmt: skip
CURL_LONG = {
    "request": "X", "data": "d", "data-raw": "d", "data-binary": "d", "data-urlencode": "U",
    "header": "H", "output": "o", "max-time": "m", "user-agent": "A", "retry": "", "form": "F",
    "retry-delay": "", "retry-max-time": "", "connect-timeout": "", "cacert": "", "url": "u",
}  # fmt: skip
CURL_VALUES = frozenset("XdHomAUFu")
WGET_FLAGS = frozenset("qvc46")
WGET_LONG_FLAGS = frozenset(
    {
        "quiet", "no-verbose", "no-check-certificate", "no-hsts", "continue", "no-cache",
        "inet4-only", "retry-connrefused", "content-on-error",
    }
)  # fmt: skip
WGET_LONG = {
    "output-document": "O", "post-data": "d", "post-file": "P", "header": "H", "timeout": "m",
    "tries": "", "waitretry": "", "user-agent": "A", "method": "X", "body-data": "d",
    "connect-timeout": "", "read-timeout": "", "dns-timeout": "", "ca-certificate": "",
}  # fmt: skip
WGET_VALUES = frozenset("OTtUP")


class _BadOption(Exception):
    pass


@dataclass(slots=True)
class _Call:
    urls: list[str] = field(default_factory=list)
    method: str = ""
    data: list[str] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    output: str | None = None
    fail: bool = False
    limit_s: float = 30.0

    async def send(self, shell: Shell) -> tuple[int, str]:
        """Return (HTTP status, body); raise Unreachable."""
        body = "&".join(self.data).encode() if self.data else None
        headers = dict(self.headers)
        if body is not None and not any(name.lower() == "content-type" for name in headers):
            headers["Content-Type"] = FORM
        answer = await shell.requests.request(
            self.method or ("POST" if self.data else "GET"),
            self.urls[0],
            body=body,
            headers=headers,
            limit_s=self.limit_s,
        )
        return answer.status, answer.text


async def curl(shell: Shell, arguments: list[str], _stdin: str) -> Result:
    """Exit status as curl's: 2 bad option, 7 no connection, 22 HTTP error with -f."""
    try:
        call = _parse(arguments, CURL_FLAGS, CURL_LONG_FLAGS, CURL_LONG, CURL_VALUES)
    except _BadOption as problem:
        return Result(2, "", f"curl: {problem}\n")
    if len(call.urls) != 1:
        return Result(2, "", "curl: give exactly one URL\n")
    try:
        status, body = await call.send(shell)
    except Unreachable as problem:
        return Result(7, "", f"curl: (7) {problem}\n")
    if status >= 400 and call.fail:
        return Result(22, "", f"curl: (22) The requested URL returned error: {status}\n")
    if call.output and call.output != "-":
        shell.files[shell.path(call.output)] = body
        return Result()
    return Result(0, body)


async def wget(shell: Shell, arguments: list[str], _stdin: str) -> Result:
    """Exit status as wget's: 2 bad option, 4 no connection, 8 HTTP error."""
    try:
        call = _parse(arguments, WGET_FLAGS, WGET_LONG_FLAGS, WGET_LONG, WGET_VALUES)
    except _BadOption as problem:
        return Result(2, "", f"wget: {problem}\n")
    if len(call.urls) != 1:
        return Result(2, "", "wget: give exactly one URL\n")
    try:
        status, body = await call.send(shell)
    except Unreachable as problem:
        return Result(4, "", f"wget: {problem}\n")
    if status >= 400:
        return Result(8, "", f"wget: server returned error: HTTP {status}\n")
    output = call.output or urlsplit(call.urls[0]).path.rsplit("/", 1)[-1] or "index.html"
    if output == "-":
        return Result(0, body)
    if output != "/dev/null":
        shell.files[shell.path(output)] = body
    return Result()


def _parse(
    arguments: list[str],
    flags: frozenset[str],
    long_flags: frozenset[str],
    long_values: dict[str, str],
    short_values: frozenset[str],
) -> _Call:
    call, rest = _Call(), list(arguments)
    is_wget = "O" in short_values
    while rest:
        word = rest.pop(0)
        if word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            if name in long_flags:
                call.fail = call.fail or name in ("fail", "fail-with-body")
            elif name in long_values:
                if not equals:
                    value = _next(rest, word)
                _set(call, long_values[name], value)
            else:
                raise _BadOption(f"option {word}: is unknown")
        elif word.startswith("-") and len(word) > 1:
            for at, letter in enumerate(word[1:], start=1):
                if letter in short_values:
                    _set(call, _meaning(letter, is_wget), word[at + 1 :] or _next(rest, word))
                    break
                if letter not in flags and not (is_wget and word == "-nv"):
                    raise _BadOption(f"option -{letter}: is unknown")
                call.fail = call.fail or (letter == "f" and not is_wget)
        else:
            call.urls.append(word)
    return call


def _meaning(letter: str, is_wget: bool) -> str:
    return {"T": "m", "t": "", "U": "A"}.get(letter, letter) if is_wget else letter


def _next(rest: list[str], word: str) -> str:
    if not rest:
        raise _BadOption(f"option {word}: requires parameter")
    return rest.pop(0)


def _set(call: _Call, letter: str, value: str) -> None:  # noqa: C901 - one arm an option
    match letter:
        case "X":
            call.method = value
        case "d":
            call.data.append(value)
        case "U":
            name, equals, content = value.partition("=")
            call.data.append(f"{name}={quote_plus(content)}" if equals else quote_plus(name))
        case "H":
            name, _, content = value.partition(":")
            call.headers[name.strip()] = content.strip()
        case "A":
            call.headers["User-Agent"] = value
        case "o" | "O":
            call.output = value
        case "m":
            try:
                call.limit_s = float(value)
            except ValueError:
                raise _BadOption(f"{value}: not a number of seconds") from None
        case "u":
            call.urls.append(value)
        case "F" | "P":
            raise _BadOption("uploads of files are not known to the lab's shell")
        case _:
            pass
