"""What a Redfish BMC calls critical: the system, its sensors, disks and log."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sushy import exceptions as sushy_errors

from app.drivers.bmc.contract import Health, Part
from app.drivers.bmc.redfish.access import manager_of
from app.drivers.bmc.redfish.drives import each_drive
from app.drivers.bmc.redfish.session import fetch, read_page
from app.drivers.bmc.redfish.tell import sensors_of

CRITICAL = "Critical"
SUMMARIES = {"MemorySummary": "the memory", "ProcessorSummary": "the processors"}
MOST_LOGS = 6
MOST_PAGES = 4
"""Of one log; some BMCs have the latest first, others all on one page."""
MOST_ENTRIES = 20
"""Of a log that only links to its entries: each is a request of its own."""
LONGEST = 200
AHEAD = timedelta(minutes=5)
"""An entry may be dated after the time that the BMC gave, by a little."""


def health_of(system: Any, within_s: float) -> Health:
    """Return what is critical; a part that the BMC does not have is not told of."""
    fetch(system)
    critical: list[str] = []
    told: list[Part] = []
    if isinstance(system.json.get("Status"), dict):
        told.append("system")
        critical += [
            f"the BMC calls {name} critical"
            for key, name in SUMMARIES.items()
            if _is_critical(system.json.get(key))
        ]
    if sensors := sensors_of(system):
        told.append("sensors")
        critical += [sensor.words for sensor in sensors if sensor.is_critical]
    if (disks := _disks(system)) is not None:
        told.append("disks")
        critical += disks
    if (events := _events(system, timedelta(seconds=within_s))) is not None:
        told.append("log")
        critical += events
    if not critical and _is_critical(system.json):
        critical.append("the BMC calls the system critical")
    return Health(critical=tuple(dict.fromkeys(critical)), told=tuple(told))


def _is_critical(part: Any) -> bool:
    status = part.get("Status") if isinstance(part, dict) else None
    if not isinstance(status, dict) or status.get("State") in {"Absent", "Disabled"}:
        return False
    # sushy-tools and some BMCs write RollUp.
    return CRITICAL in {status.get(key) for key in ("Health", "HealthRollup", "HealthRollUp")}


def _disks(system: Any) -> list[str] | None:
    """Return the disks that fail or will; None where the BMC tells of none."""
    faults: list[str] = []
    is_told = False
    try:
        for each in each_drive(system):
            is_told = True
            name = f"disk {each.name or each.identity} ({each.serial_number or 'no serial number'})"
            if _is_critical(each.json):
                faults.append(f"{name} is failing")
            elif each.json.get("FailurePredicted") is True:
                faults.append(f"{name} will fail soon")
    except sushy_errors.AccessError:
        raise
    except (sushy_errors.HTTPError, sushy_errors.MissingAttributeError):
        pass  # what was told before it stands
    return faults if is_told else None


def _events(system: Any, within: timedelta) -> list[str] | None:
    """Return the unresolved critical entries of the logs; None where there is no log to date."""
    manager = manager_of(system)
    if manager is None:
        return None
    fetch(manager)
    now = _time(manager.json.get("DateTime"))
    logs = [
        log for owner in (system, manager) for log in _linked(owner, owner.json.get("LogServices"))
    ]
    if now is None or not logs:
        return None
    return [
        f"its log says: {' '.join(str(entry.get('Message') or entry.get('Id')).split())[:LONGEST]}"
        for log in logs[:MOST_LOGS]
        for entry in _entries(system, log.get("Entries"))
        if _counts(entry, now, within)
    ]


def _counts(entry: dict[str, Any], now: datetime, within: timedelta) -> bool:
    if entry.get("Severity") != CRITICAL or entry.get("Resolved") is True:
        return False
    made = _time(entry.get("Created"), now)
    return made is not None and now - within <= made <= now + AHEAD


def _linked(owner: Any, link: Any) -> list[dict[str, Any]]:
    """Return the members of a collection, each read; none where there is no such collection."""
    page = _page(owner, link)
    found = (_page(owner, member) for member in page.get("Members") or ())
    return [member for member in found if member]


def _entries(owner: Any, link: Any) -> Iterator[dict[str, Any]]:
    for _ in range(MOST_PAGES):
        page = _page(owner, link)
        members = page.get("Members") or []
        bare = [member for member in members if set(member) == {"@odata.id"}]
        yield from (member for member in members if member not in bare)
        yield from (_page(owner, member) for member in bare[-MOST_ENTRIES:])
        if not (following := page.get("Members@odata.nextLink")):
            return
        link = {"@odata.id": following}


def _page(owner: Any, link: Any) -> dict[str, Any]:
    """Return what is linked to; nothing where it is not there, or not for us."""
    path = link.get("@odata.id") if isinstance(link, dict) else None
    if not path:
        return {}
    try:
        return read_page(owner, path)
    except sushy_errors.AccessError as error:
        if error.status_code == 403:  # the account may not read the log
            return {}
        raise
    except sushy_errors.HTTPError:
        return {}


def _time(text: Any, like: datetime | None = None) -> datetime | None:
    """Return a time with its zone; one without is in the zone of `like`, and else unknown."""
    try:
        read = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    if read.tzinfo is None:
        return None if like is None else read.replace(tzinfo=like.tzinfo)
    return read
