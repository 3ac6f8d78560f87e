"""The words and operators of a shell script."""

from collections.abc import Iterator
from dataclasses import dataclass

OPERATORS = ("&&", "||", ";;", "<<-", "<<", ">>", ">&", "<&", ";", "&", "|", "<", ">", "(", ")")


class ShellSyntaxError(ValueError):
    """The script is not in the grammar above; the message names the line."""


@dataclass(slots=True)
class Token:
    """`kind` is word, op, newline or end; `digit` marks `2` in `2>`."""

    kind: str
    text: str
    line: int
    digit: str = ""
    document: str = ""
    literal: bool = False


def closing(text: str, start: int) -> int:
    """Return the index after the `)` that closes the `$(` whose `(` is at `start`."""
    depth, at = 0, start
    while at < len(text):
        char = text[at]
        if char == "\\":
            at += 1
        elif char in "'\"":
            at = _after_quote(text, at) - 1
        elif char == "(":
            depth += 1
        elif char == ")":
            depth -= 1
            if depth == 0:
                return at + 1
        at += 1
    raise ShellSyntaxError("a $( is never closed")


def _after_quote(text: str, start: int) -> int:
    quote, at = text[start], start + 1
    while at < len(text):
        if text[at] == quote:
            return at + 1
        if quote == '"' and text[at] == "\\":
            at += 1
        elif quote == '"' and text.startswith("$(", at):
            at = closing(text, at + 1) - 1
        at += 1
    raise ShellSyntaxError(f"a {quote} is never closed")


def tokens(source: str) -> Iterator[Token]:
    source = source.replace("\r\n", "\n").replace("\\\n", "")
    at, line = 0, 1
    waiting: list[tuple[Token, bool]] = []
    expects_delimiter: Token | None = None
    while at < len(source):
        char = source[at]
        if char == "\n":
            at += 1
            line += 1
            for token, stripped in waiting:
                at, token.document = _document(source, at, token.text, stripped=stripped)
            waiting.clear()
            yield Token("newline", "\n", line - 1)
            continue
        if char in " \t":
            at += 1
            continue
        if char == "#":
            end = source.find("\n", at)
            at = len(source) if end < 0 else end
            continue
        operator = next((each for each in OPERATORS if source.startswith(each, at)), None)
        if operator:
            at += len(operator)
            token = Token("op", operator, line)
            if operator in ("<<", "<<-"):
                expects_delimiter = token
            else:
                yield token
            continue
        end = _word_end(source, at)
        text = source[at:end]
        if text.isdigit() and len(text) == 1 and source[end : end + 1] in ("<", ">"):
            operator = next(each for each in OPERATORS if source.startswith(each, end))
            at = end + len(operator)
            yield Token("op", operator, line, digit=text)
            continue
        at = end
        if expects_delimiter is not None:
            here, expects_delimiter = expects_delimiter, None
            stripped, here.literal = here.text == "<<-", text[0] in "'\""
            here.kind, here.text = "here", text.strip("'\"")
            waiting.append((here, stripped))
            yield here
            continue
        yield Token("word", text, line)
    yield Token("end", "", line)


def _word_end(source: str, start: int) -> int:
    at = start
    while at < len(source):
        char = source[at]
        if char in " \t\n;&|<>()":
            break
        if char == "\\":
            at += 2
        elif char in "'\"":
            at = _after_quote(source, at)
        elif source.startswith("$((", at):
            raise ShellSyntaxError("arithmetic $(( )) is not known to the lab's shell")
        elif source.startswith("$(", at):
            at = closing(source, at + 1)
        elif source.startswith("${", at):
            end = source.find("}", at)
            if end < 0:
                raise ShellSyntaxError("a ${ is never closed")
            at = end + 1
        else:
            at += 1
    return min(at, len(source))


def _document(source: str, at: int, delimiter: str, *, stripped: bool) -> tuple[int, str]:
    lines: list[str] = []
    while at < len(source):
        end = source.find("\n", at)
        end = len(source) if end < 0 else end
        text, at = source[at:end], end + 1
        text = text.lstrip("\t") if stripped else text
        if text == delimiter:
            return at, "".join(f"{each}\n" for each in lines)
        lines.append(text)
    raise ShellSyntaxError(f"the here-document {delimiter} is never ended")
