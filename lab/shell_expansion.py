"""Quotes, variables and command substitution: from a word as written to its values."""

from typing import Protocol

from lab.shell_tokens import closing


class Environment(Protocol):
    """What a word can refer to."""

    @property
    def arguments(self) -> list[str]: ...
    def variable(self, name: str) -> str: ...
    async def capture(self, source: str) -> str: ...


async def expand(text: str, env: Environment) -> list[str]:  # noqa: C901 - one arm a kind of quote
    """Return the words that a word becomes: quotes off, `$` resolved, fields split."""
    fields: list[str] = []
    current, started = "", False
    at = 0
    while at < len(text):
        char = text[at]
        if char == "'":
            end = text.index("'", at + 1)
            current, started, at = current + text[at + 1 : end], True, end + 1
        elif char == '"':
            end = _quote_end(text, at)
            inner = text[at + 1 : end]
            if inner == "$@":
                fields.extend(env.arguments[:-1])
                current, started = (env.arguments or [""])[-1], bool(env.arguments)
            else:
                current, started = current + await substitute(inner, env), True
            at = end + 1
        elif char == "\\":
            current, started, at = current + text[at + 1 : at + 2], True, at + 2
        elif char == "$":
            value, at = await _dollar(text, at, env)
            parts = value.split()
            if parts:
                if value[:1].isspace() and started:
                    fields.append(current)
                    current = ""
                current += parts[0]
                for part in parts[1:]:
                    fields.append(current)
                    current = part
                started = True
        else:
            current, started, at = current + char, True, at + 1
    if started:
        fields.append(current)
    return fields


async def substitute(text: str, env: Environment) -> str:
    """Resolve `$` and the backslashes that count inside double quotes."""
    out, at = "", 0
    while at < len(text):
        if text[at] == "\\" and text[at + 1 : at + 2] in ("$", '"', "\\", "`"):
            out, at = out + text[at + 1], at + 2
        elif text[at] == "$":
            value, at = await _dollar(text, at, env)
            out += value
        else:
            out, at = out + text[at], at + 1
    return out


async def _dollar(text: str, at: int, env: Environment) -> tuple[str, int]:
    """Return the value of what starts with `$` at `at`, and where it ends."""
    if text.startswith("$(", at):
        end = closing(text, at + 1)
        return await env.capture(text[at + 2 : end - 1]), end
    if text.startswith("${", at):
        end = text.find("}", at)
        name, separator, default = text[at + 2 : end].partition(":-")
        value = env.variable(name)
        return (await substitute(default, env) if separator and not value else value), end + 1
    end = at + 1
    if text[end : end + 1] in ("@", "*", "#", "?", "$", "!") or text[end : end + 1].isdigit():
        return env.variable(text[end]), end + 1
    while end < len(text) and (text[end].isalnum() or text[end] == "_"):
        end += 1
    return (env.variable(text[at + 1 : end]) if end > at + 1 else "$"), end


def _quote_end(text: str, start: int) -> int:
    at = start + 1
    while text[at] != '"':
        if text[at] == "\\":
            at += 2
        elif text.startswith("$(", at):
            at = closing(text, at + 1)
        else:
            at += 1
    return at
