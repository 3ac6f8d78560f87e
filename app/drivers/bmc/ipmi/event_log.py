"""What a BMC's event log calls critical: the SEL of IPMI 2.0, chapter 31; synchronous.

pyghmi reads a log from its oldest entry, all of it, which takes minutes where it is full. Here it
is read from the newest backwards, as far as is asked for. What an entry means is pyghmi's word.
"""

import struct
import time
from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from pyghmi.constants import Health
from pyghmi.exceptions import IpmiException
from pyghmi.ipmi.events import EventHandler

from app.drivers.bmc.ipmi.answers import NO_SUCH_THING, NotOffered, data_of, is_absence
from app.drivers.bmc.ipmi.log_entry import LogEntry

STORAGE = 0x0A
GET_SEL_INFO, GET_SEL_ENTRY, GET_SEL_TIME = 0x40, 0x43, 0x48
NEWEST, HIGHEST_ID = 0xFFFF, 0xFFFE
ALL_OF_IT, ENTRY_BYTES = 0xFF, 16
BEING_ERASED = 0x81
MOST_ENTRIES = 256
LONGEST_GAP = 32
"""Numbers need not follow on one another: some BMCs count in steps of an entry's bytes."""
LOOK_S = 20.0
"""For the entries; what is older than those read by then is left."""
AHEAD_S = timedelta(minutes=5).total_seconds()
"""An entry may be dated after the time that the BMC gave, by a little."""
LONGEST = 200


def event_log(ipmi: Any, within_s: float) -> list[str] | None:
    """Return in words what it calls critical in the last `within_s`, newest first.

    By its own clock. What it says later to be over is left out. None where there is no log, or
    not for this account.
    """
    try:
        (count,) = struct.unpack_from("<H", data_of(_answer(ipmi, GET_SEL_INFO), "log"), 1)
        (now_s,) = struct.unpack_from("<I", data_of(_answer(ipmi, GET_SEL_TIME), "log"))
        entries = list(_since(_backwards(ipmi, count), now_s - within_s, now_s))
    except NotOffered:
        return None
    return list(dict.fromkeys(_faults(ipmi, entries))) if entries else []


def _since(entries: Iterator[LogEntry], from_s: float, now_s: float) -> Iterator[LogEntry]:
    """Yield those that were made since then, up to the first that is known to be older."""
    for entry in entries:
        made_s = entry.made_s
        if made_s is None or made_s > now_s + AHEAD_S:
            continue
        if made_s >= from_s:
            yield entry
        elif not entry.is_before_clock:
            return


def _backwards(ipmi: Any, count: int) -> Iterator[LogEntry]:
    """Yield at most so many entries from the newest on."""
    end_s = time.monotonic() + LOOK_S
    number, left, gap = NEWEST, min(count, MOST_ENTRIES), 0
    seen: set[int] = set()
    while left and gap < LONGEST_GAP and time.monotonic() < end_s:
        entry = _entry(ipmi, number)
        if entry is None or entry.number in seen:
            gap += 1
        else:
            seen.add(entry.number)
            number, left, gap = entry.number, left - 1, 0
            yield entry
        number = number - 1 if number > 1 else HIGHEST_ID


def _entry(ipmi: Any, number: int) -> LogEntry | None:
    """Return one entry; None where no entry has this number."""
    answer = _answer(ipmi, GET_SEL_ENTRY, struct.pack("<HHBB", 0, number, 0, ALL_OF_IT))
    if answer["code"] in NO_SUCH_THING:
        return None
    record = data_of(answer, "log")[2:]
    return LogEntry(record) if len(record) == ENTRY_BYTES else None


def _answer(ipmi: Any, command: int, data: bytes = b"") -> Any:
    answer = ipmi.raw_command(netfn=STORAGE, command=command, data=tuple(data))
    if answer["code"] == BEING_ERASED:
        raise IpmiException("its log is being erased", code=BEING_ERASED)
    return answer


def _faults(ipmi: Any, entries: list[LogEntry]) -> Iterator[str]:
    """Yield what is critical and not said to be over by a later one."""
    handler = EventHandler(_names(ipmi), ipmi)
    over: set[tuple[int, ...]] = set()
    for entry in entries:
        if entry.says_nothing_of_hardware or over & {entry.state, entry.sensor}:
            continue
        event = handler._sel_decode(entry.data)  # noqa: SLF001 - its public ways read the whole log
        severity = event.get("severity") or Health.Ok
        if severity & (Health.Critical | Health.Failed):
            yield _words(event)
        elif entry.is_deassertion:
            over.add(entry.state)
        elif entry.has_one_state and severity == Health.Ok:
            over.add(entry.sensor)


def _names(ipmi: Any) -> Any:
    """Return the sensors' names as pyghmi keeps them; none where the BMC tells of no sensors."""
    try:
        return ipmi.init_sdr()
    except IpmiException as error:
        if error.ipmicode in NO_SUCH_THING or is_absence(error):
            return SimpleNamespace(sensors={}, fru={})
        raise


def _words(event: dict[str, Any]) -> str:
    """Return an event in words: `CPU Temp: Upper critical`, `Memory: Uncorrectable error`."""
    what, kind = str(event.get("component") or ""), str(event.get("component_type") or "")
    if kind and (not what or what.startswith("Sensor ")):
        what = kind
    more = f" ({event['event_data']})" if event.get("event_data") else ""
    words = f"{what}: {event['event']}{more}" if what else f"{event['event']}{more}"
    return " ".join(words.split())[:LONGEST]
