"""What a burn-in tells of the parts of a machine, and whether each bore it: pure.

A live system says of each part with which status its tool ended, in which words, and what was
counted before and after. Here that becomes figures and faults.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum

import msgspec

from app.domain.inventory.burn_in_disk import disk_findings
from app.domain.inventory.burn_in_findings import Finding, Told, fault, figure, last_words, numbers

MOST_CORRECTED = 10
"""Memory errors that were corrected, in one burn-in; a module with more is on its way out."""
MOST_LINK_ERRORS = 10
"""Frames that were damaged on a link; more is a cable, or a card."""
MOST_LINES = 3
"""Of the kernel's log in one fault."""

TOOLS = "tools"
"""Stands for a part where the live system lacks what it would test with."""
LABELS = {
    "cpu": "Processors",
    "memory": "Memory",
    "network": "Network cards",
    "kernel": "Kernel log",
    TOOLS: "Tools",
}
NEEDED = ("cpu", "memory", "network", "kernel")
"""Of these each burn-in tells, and of each disk."""

_METRICS = re.compile(r"\] (?:cpu|vm)\s+(\d+)\s+([\d.]+)")
_HARMLESS = re.compile(r"(?<!un)corrected|machine check events logged", re.IGNORECASE)
_SERIOUS = re.compile(
    r"hardware error|(?:sd[a-z]|nvme\d).*i/o error|i/o error.*(?:sd[a-z]|nvme\d)|medium error"
    r"|uncorrect|throttl|lockup|ata[\d.]+: (?:failed|exception)"
    r"|nvme.*(?:timeout|reset)|aer:.*fatal",
    re.IGNORECASE,
)
_STAMP = re.compile(r"^\[\s*[\d.]+\]\s*")


class Verdict(StrEnum):
    """What a burn-in came to."""

    passed = "passed"
    """Every part bore it."""
    failed = "failed"
    """One part or more did not."""
    undone = "undone"
    """Nothing was tested: that is not the machine's fault."""


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One part of a machine after its burn-in; without faults it passed."""

    part: str
    """`cpu`, `memory`, `network`, `kernel`, or the kernel's name of a disk."""
    tool: str
    figures: tuple[str, ...]
    faults: tuple[str, ...]
    """Each as part of a sentence."""
    words: str
    """The last ones of its tool."""

    @property
    def label(self) -> str:
        return LABELS.get(self.part, f"Disk {self.part}")


def judge_part(told: Told) -> Part:
    """Return how a part bore it."""
    findings = list(_FINDINGS.get(told.part, disk_findings)(told))
    return Part(
        part=told.part,
        tool=told.tool,
        figures=tuple(one.text for one in findings if not one.is_fault),
        faults=tuple(one.text for one in findings if one.is_fault),
        words=told.words,
    )


def judge(parts: Sequence[Part]) -> tuple[Verdict, str]:
    """Return what a burn-in came to, and why, in one line; "" when it passed."""
    told = {one.part: one for one in parts}
    if TOOLS in told:
        return Verdict.undone, told[TOOLS].words
    missing = [
        f"nothing was told of its {LABELS[name].lower()}" for name in NEEDED if name not in told
    ]
    faults = [f"{one.label}: {text}" for one in parts for text in one.faults]
    if missing or faults:
        return Verdict.failed, "; ".join([*faults, *missing])
    return Verdict.passed, ""


def _stressed(told: Told) -> Iterator[Finding]:
    """Yield what stress-ng came to: it verifies what it computes, and what it wrote to memory."""
    found = _METRICS.search(told.words)
    if told.status != 0:
        yield fault(f"{told.tool} {_ended(told)}")
    elif found is None or int(found[1]) == 0:
        yield fault(f"{told.tool} did nothing")
    if found is not None:
        yield figure(f"{int(found[1]):,} rounds, verified, in {float(found[2]):,.0f} s")


def _ended(told: Told) -> str:
    if told.status is None:
        return "did not end"
    return f"ended with status {told.status}: {last_words(told.words)}"


def _memory(told: Told) -> Iterator[Finding]:
    yield from _stressed(told)
    before, after = numbers(told.before), numbers(told.after)
    controllers = [name for name in after if name.count("/") == 1]
    if not controllers:
        yield figure("the kernel counts no memory errors here")
        return
    labels = dict(line.partition(" ")[::2] for line in told.after.splitlines())
    for kind, words in (("ue", "uncorrectable"), ("ce", "corrected")):
        rise = sum(
            _rise(before, after, name) for name in controllers if name.endswith(f"/{kind}_count")
        )
        modules = [
            labels.get(name.replace(f"dimm_{kind}_count", "dimm_label")) or name.rpartition("/")[0]
            for name in after
            if name.endswith(f"/dimm_{kind}_count") and _rise(before, after, name) > 0
        ]
        where = f" ({', '.join(modules)})" if modules else ""
        say = fault if rise > (MOST_CORRECTED if kind == "ce" else 0) else figure
        yield say(f"{rise:,} {words} memory errors{where}")


def _rise(before: Mapping[str, int], after: Mapping[str, int], name: str) -> int:
    return after[name] - before.get(name, 0)


def _network(told: Told) -> Iterator[Finding]:
    before, after = numbers(told.before), numbers(told.after)
    cards = dict.fromkeys(name.partition("/")[0] for name in before)
    for card in cards:
        if before.get(f"{card}/carrier") != 1:
            continue
        changes = after.get(f"{card}/carrier_changes", 0) - before.get(f"{card}/carrier_changes", 0)
        if after.get(f"{card}/carrier") != 1:
            yield fault(f"{card} lost its link")
        elif changes > 0:
            yield fault(f"{card} lost its link and found it again")
        errors = sum(
            after[name] - before.get(name, 0)
            for name in after
            if name.startswith(f"{card}/statistics/")
        )
        if errors > MOST_LINK_ERRORS:
            yield fault(f"{card} had {errors:,} damaged frames")
        speed = after.get(f"{card}/speed", 0)
        yield figure(f"{card}{f' at {speed:,} Mb/s' if speed > 0 else ''}, {errors:,} errors")


def _kernel(told: Told) -> Iterator[Finding]:
    rise = _machine_checks(told.after) - _machine_checks(told.before)
    if rise > 0:
        yield fault(f"{rise:,} machine check exceptions")
    lines = [_STAMP.sub("", line)[:200] for line in told.words.splitlines() if line.strip()]
    serious = [line for line in lines if _SERIOUS.search(line) and not _HARMLESS.search(line)]
    for line in serious[:MOST_LINES]:
        yield fault(f"the kernel said “{line}”")
    if len(serious) > MOST_LINES:
        yield fault(f"and {len(serious) - MOST_LINES} lines like that")
    if rise <= 0 and not serious:
        yield figure("nothing of broken hardware")


def _machine_checks(line: str) -> int:
    return sum(int(word) for word in line.split() if word.isdecimal())


def _tools(told: Told) -> Iterable[Finding]:
    return (fault(told.words),)


_FINDINGS: Mapping[str, Callable[[Told], Iterable[Finding]]] = {
    "cpu": _stressed,
    "memory": _memory,
    "network": _network,
    "kernel": _kernel,
    TOOLS: _tools,
}
