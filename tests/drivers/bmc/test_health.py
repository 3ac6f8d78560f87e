"""What a Redfish BMC calls critical: told with its words, and nothing that is old or resolved."""

from typing import Any

from app.drivers.bmc.contract import Health
from app.drivers.bmc.redfish.fleet import RedfishBmc
from tests.drivers.bmc.faulty import MANAGER, SYSTEM, FaultyBmc
from tests.drivers.bmc.test_faults import authority, bmc, faulty, fleet

__all__ = ["authority", "bmc", "faulty", "fleet"]  # fixtures

CHASSIS, STORAGE = "/redfish/v1/Chassis/1", f"{SYSTEM}/Storage"
LOGS, SEL = f"{MANAGER}/LogServices", f"{MANAGER}/LogServices/Sel"


def link(path: str) -> dict[str, str]:
    return {"@odata.id": path}


def well(state: str = "Enabled", health: str = "OK") -> dict[str, str]:
    return {"State": state, "Health": health}


def temperature(name: str, degrees: float, **status: str) -> dict[str, Any]:
    return {
        "MemberId": name, "Name": name, "ReadingCelsius": degrees, "Status": well(**status),
        "@odata.id": f"{CHASSIS}/Thermal#/Temperatures/{name}",
    }  # fmt: skip


def drive(name: str, **more: Any) -> dict[str, Any]:
    return {
        "Id": name, "Name": name, "SerialNumber": f"S-{name}", "Protocol": "NVMe",
        "CapacityBytes": 960_197_124_096, "Status": well(),
    } | more  # fmt: skip


def entry(number: int, message: str, severity: str = "Critical", **more: Any) -> dict[str, Any]:
    made = f"2026-03-01T01:{number:02}:00"
    return {
        "@odata.id": f"{SEL}/Entries/{number}", "Id": str(number), "Message": message,
        "Severity": severity, "Created": made,
    } | more  # fmt: skip


def furnish(bmc: FaultyBmc, temperatures: list[Any], drives: list[Any], pages: list[Any]) -> None:
    """Give it a chassis, disks, a clock at 02:00 in a zone of its own, and a log of these pages."""
    bmc.system_has = {
        "Status": well(health="Critical"),
        "MemorySummary": {"Status": well()},
        "Storage": link(STORAGE),
        "Links": {"Chassis": [link(CHASSIS)]},
    }
    bmc.resources[CHASSIS] = {
        "Id": "1",
        "Name": "c",
        "ChassisType": "RackMount",
        "Thermal": link(f"{CHASSIS}/Thermal"),
    }
    bmc.resources[f"{CHASSIS}/Thermal"] = {
        "Id": "Thermal", "Name": "t", "Fans": [], "Temperatures": temperatures
    }  # fmt: skip
    bmc.resources[STORAGE] = {"Name": "s", "Members": [link(f"{STORAGE}/1")]}
    paths = [f"{STORAGE}/1/Drives/{one['Id']}" for one in drives]
    bmc.resources[f"{STORAGE}/1"] = {"Id": "1", "Name": "s", "Drives": [*map(link, paths)]}
    bmc.resources |= dict(zip(paths, drives, strict=True))
    bmc.manager_has = {"DateTime": "2026-03-01T02:00:00+01:00", "LogServices": link(LOGS)}
    bmc.resources[LOGS] = {"Members": [link(SEL)]}
    bmc.resources[SEL] = {"Id": "Sel", "Entries": link(f"{SEL}/Entries")}
    for number, members in enumerate(pages):
        path = f"{SEL}/Entries" + (f"/page{number}" if number else "")
        bmc.resources[path] = {"Members": members}
        if number + 1 < len(pages):
            bmc.resources[path]["Members@odata.nextLink"] = f"{SEL}/Entries/page{number + 1}"


async def test_a_bmc_that_tells_of_nothing_knows_nothing(bmc: RedfishBmc) -> None:
    assert await bmc.health(within_s=3_600) == Health(critical=(), told=())


async def test_what_is_critical_is_told_in_words(bmc: RedfishBmc, faulty: FaultyBmc) -> None:
    furnish(
        faulty,
        [
            temperature("Inlet", 24),
            temperature("CPU 1", 104, health="Critical"),
            temperature("CPU 2", 0, state="Absent", health="Critical"),
            temperature("Outlet", 61, health="Warning"),
        ],
        [
            drive("d0"),
            drive("d1", FailurePredicted=True),
            drive("d2", Status=well(health="Critical")),
        ],
        [
            [
                entry(3, "long ago"),
                entry(31, "it was\nmended", Resolved=True),
                entry(32, "a fan is slow", "Warning"),
            ],
            [link(f"{SEL}/Entries/40"), entry(41, "undated", Created="soon")],
        ],
    )
    faulty.resources[f"{SEL}/Entries/40"] = entry(40, "uncorrectable  memory error in DIMM A3")
    assert await bmc.health(within_s=1_800) == Health(
        critical=(
            "CPU 1 reads 104 °C",
            "disk d1 (S-d1) will fail soon",
            "disk d2 (S-d2) is failing",
            "its log says: uncorrectable memory error in DIMM A3",
        ),
        told=("system", "sensors", "disks", "log"),
    )


async def test_a_system_that_is_critical_for_no_named_reason_is_told(
    bmc: RedfishBmc, faulty: FaultyBmc
) -> None:
    furnish(faulty, [temperature("Inlet", 24)], [drive("d0")], [[]])
    health = await bmc.health(within_s=60)
    assert health.critical == ("the BMC calls the system critical",)
    faulty.system_has["Status"] = well(health="Warning")
    faulty.system_has["MemorySummary"] = {"Status": {"HealthRollup": "Critical"}}
    assert (await bmc.health(within_s=60)).critical == ("the BMC calls the memory critical",)
