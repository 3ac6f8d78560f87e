"""What a burn-in tells of a disk: whether it could be read, and what it says of itself. Pure."""

import re
from collections.abc import Iterator, Mapping

from app.domain.inventory.burn_in_findings import Finding, Told, fault, figure, last_words

WHOLE, TIME_WAS_UP = 0, 124
"""Statuses of a read that found nothing: to the disk's end, and until `timeout` stopped it."""
BAD_AT_ALL = frozenset({"Current_Pending_Sector", "Offline_Uncorrectable"})
"""Attributes that no disk may be sold with; the others may only not rise."""
HEALTHY = frozenset({"PASSED", "OK"})

_COPIED = re.compile(r"\((?P<size>[\d.,]+ ?[kMGTP]?B)\b.* s, (?P<speed>[\d.,]+ [kMGTP]?B/s)")
_ATTRIBUTE = re.compile(r"^\s*\d+ (?P<name>[A-Z]\w+) +0x\w+ .* (?P<raw>\d+)(?: \(.*\))?$")
_HEALTH = re.compile(r"(?:overall-health.*|Health Status): *(?P<says>.+)$")
_COUNTER = re.compile(
    r"^(?P<name>Media and Data Integrity Errors|Elements in grown defect list): *(?P<raw>[\d,]+)"
)
_USED = re.compile(r"^Percentage Used: *(?P<percent>\d+)%")
_WARNING = re.compile(r"^Critical Warning: *(?P<bits>0x[0-9a-f]+)", re.IGNORECASE)
_SELF_TEST = re.compile(r"^\s*#?\s*[01]\s+(?:Short|Extended|Background|Conveyance)\b")
_TEST_FAILED = re.compile(r"fail|fatal|error(?<!without error)", re.IGNORECASE)
_BROKEN_OFF = re.compile(r"aborted|interrupted", re.IGNORECASE)


def disk_findings(told: Told) -> Iterator[Finding]:
    """Yield how the disk bore being read, and what SMART counted and tested meanwhile."""
    yield from _read(told)
    yield from _smart(told.before, told.after)


def _read(told: Told) -> Iterator[Finding]:
    if told.status is None:
        yield fault("nothing was told of how it was read")
    elif told.status not in {WHOLE, TIME_WAS_UP}:
        yield fault(f"it cannot be read: {last_words(told.words)}")
    if found := _COPIED.search(told.words):
        whole = "all of it" if told.status == WHOLE else found["size"]
        yield figure(f"{whole} read at {found['speed']}")


def _smart(before: str, after: str) -> Iterator[Finding]:
    if not after.strip():
        yield figure("it says nothing of itself")
        return
    earlier = _counters(before)
    for name, count in _counters(after).items():
        rise = count - earlier.get(name, count)
        words = name.replace("_", " ")
        if rise > 0:
            yield fault(f"{words} rose by {rise:,} to {count:,}")
        elif count and name in BAD_AT_ALL:
            yield fault(f"{words} is {count:,}")
        elif count:
            yield figure(f"{words} {count:,}")
    for line in after.splitlines():
        yield from _said(line)


def _said(line: str) -> Iterator[Finding]:
    if (health := _HEALTH.search(line)) and health["says"].strip() not in HEALTHY:
        yield fault(f"it says of itself: {health['says'].strip()}")
    if (warning := _WARNING.search(line)) and int(warning["bits"], 16):
        yield fault(f"it warns of itself: {warning['bits']}")
    if used := _USED.search(line):
        yield figure(f"{used['percent']} % worn")
    if _SELF_TEST.search(line):
        words = " ".join(line.strip("# ").split()[1:])
        if "in progress" in line:
            yield figure("its self-test goes on")
        elif _BROKEN_OFF.search(line):
            yield figure("its self-test was broken off")
        elif _TEST_FAILED.search(line):
            yield fault(f"its self-test says: {words}")
        else:
            yield figure("its self-test found nothing")


def _counters(text: str) -> Mapping[str, int]:
    found = {}
    for line in text.splitlines():
        if one := _ATTRIBUTE.search(line) or _COUNTER.search(line):
            found[one["name"]] = int(one["raw"].replace(",", ""))
    return found
