"""What was told of one part in a burn-in, and what is found in it: pure."""

import re

import msgspec

LONGEST_WORDS = 200
_TROUBLE = re.compile(r"\bfail|\berror", re.IGNORECASE)


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What a live system says of one part of its machine."""

    part: str
    tool: str = ""
    status: int | None = None
    """With which its tool ended; None where it did not, or there is none."""
    words: str = ""
    before: str = ""
    """What was counted before the load, a line each."""
    after: str = ""


class Finding(msgspec.Struct, frozen=True):
    text: str
    is_fault: bool


def fault(text: str) -> Finding:
    return Finding(text, is_fault=True)


def figure(text: str) -> Finding:
    return Finding(text, is_fault=False)


def numbers(text: str) -> dict[str, int]:
    """Return what lines of `name number` count; other lines count nothing."""
    found = {}
    for line in text.splitlines():
        name, _, value = line.strip().rpartition(" ")
        if name and " " not in name and value.isdecimal():
            found[name] = int(value)
    return found


def last_words(words: str) -> str:
    """Return the first line that tells of trouble, else the last one."""
    lines = [line.strip() for line in words.splitlines() if line.strip()]
    trouble = [line for line in lines if _TROUBLE.search(line)]
    return (trouble or lines[-1:] or ["it said nothing"])[0][:LONGEST_WORDS]
