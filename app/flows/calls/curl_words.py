"""The words of a curl command, and which of its options say something about the call. Pure."""

import re
import shlex
from collections.abc import Iterator

from app.core.errors import Refusal

# Options with a value that say something about the call.
_VALUED = {
    "-X": "method", "--request": "method",
    "-H": "header", "--header": "header",
    "-d": "data", "--data": "data", "--data-ascii": "data", "--data-binary": "data",
    "--data-raw": "raw", "--data-urlencode": "urlencode", "--json": "json",
    "-u": "user", "--user": "user", "--oauth2-bearer": "user",
    "-A": "agent", "--user-agent": "agent", "-e": "referer", "--referer": "referer",
    "-b": "cookie", "--cookie": "cookie",
    "--url": "url", "-m": "time", "--max-time": "time",
    "-F": "form", "--form": "form", "--form-string": "form", "-T": "upload",
    "--upload-file": "upload", "-K": "config", "--config": "config",
    "-E": "certificate", "--cert": "certificate", "--key": "certificate",
    "--cacert": "certificate", "--pinnedpubkey": "certificate",
    "-x": "proxy", "--proxy": "proxy",
}  # fmt: skip
# Options with a value that say nothing about the call itself.
_PASSED = frozenset(
    {
        "-o", "--output", "-w", "--write-out", "-D", "--dump-header", "-c", "--cookie-jar",
        "--connect-timeout", "--retry", "--retry-delay", "--retry-max-time", "--limit-rate",
        "--max-redirs", "--stderr", "--trace", "--trace-ascii", "--resolve", "--ciphers",
        "--interface", "--noproxy",
    }
)  # fmt: skip
_FLAGS = {
    "-G": "get", "--get": "get", "-I": "head", "--head": "head", "-k": "insecure",
    "--insecure": "insecure",
}  # fmt: skip

_ANSI = re.compile(r"(?<!\S)\$'((?:[^'\\]|\\.)*)'", re.DOTALL)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{1,4}|x[0-9a-fA-F]{1,2}|[0-7]{1,3}|.)", re.DOTALL)


class BadCurl(Refusal):
    code = "flow.bad_curl"

    def __init__(self, reason: str) -> None:
        super().__init__(f"This curl command cannot be taken over: {reason}.")
        self.reason = reason


def words_of(command: str) -> list[str]:
    """Return the words after `curl`. Raises BadCurl."""
    text = command.strip()
    if '^"' in text or "^\n" in text or "^\r\n" in text:  # Windows' cmd
        text = re.sub(r"\^\r?\n", " ", text)
        text = re.sub(r"\^(.)", r"\1", text)
    text = re.sub(r"\\\r?\n", " ", text)
    text = _ANSI.sub(lambda found: shlex.quote(_ESCAPE.sub(_unescaped, found[1])), text)
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise BadCurl(f"its quotes do not match ({error})") from error
    if words and words[0] == "$":  # copied with the prompt
        words = words[1:]
    if not words or words[0].rpartition("/")[2] not in {"curl", "curl.exe"}:
        raise BadCurl("it does not begin with curl")
    return words[1:]


def _unescaped(found: re.Match[str]) -> str:
    code = found[1]
    if code[0] in "ux" and len(code) > 1:
        return chr(int(code[1:], 16))
    if code[0] in "01234567":
        return chr(int(code, 8) & 0xFF)
    return _ESCAPES.get(code, code)


def options_in(words: list[str]) -> Iterator[tuple[str, str]]:
    """Yield what each word is about, and its value; what is not about the call is passed over."""
    rest = iter(words)
    for word in rest:
        if not word.startswith("-") or word == "-":
            yield "url", word
        elif word.startswith("--"):
            name, equals, value = word.partition("=")
            yield from _option(name, value if equals else None, rest)
        else:
            yield from _short(word[1:], rest)


def _short(letters: str, rest: Iterator[str]) -> Iterator[tuple[str, str]]:
    """Take `sSXPOST` apart: flags, until a letter takes what follows as its value."""
    for i, letter in enumerate(letters):
        name = f"-{letter}"
        if name in _VALUED or name in _PASSED:
            value = letters[i + 1 :]
            yield from _option(name, value or None, rest)
            return
        yield from _option(name, None, rest)


def _option(name: str, value: str | None, rest: Iterator[str]) -> Iterator[tuple[str, str]]:
    if name in _VALUED or name in _PASSED:
        given = value if value is not None else next(rest, None)
        if given is None:
            raise BadCurl(f"the option {name} has no value")
        if name in _VALUED:
            yield _VALUED[name], given
    elif name in _FLAGS:
        yield _FLAGS[name], ""
