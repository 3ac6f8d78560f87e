"""What a Redfish BMC tells of the machine's health."""

from collections.abc import Iterator
from typing import Any

from sushy import Health, State
from sushy import exceptions as sushy_errors

from app.drivers.bmc.contract import Sensor
from app.drivers.bmc.redfish.session import fetch
from app.drivers.bmc.redfish.words import ABSENT_STATUSES


def sensors_of(system: Any) -> tuple[Sensor, ...]:
    """Read temperatures, fans and power supplies of the chassis that the system is in."""
    return tuple(sensor for chassis in _chassis(system) for sensor in _of_chassis(chassis))


def _chassis(system: Any) -> list[Any]:
    try:
        return list(system.chassis)
    except sushy_errors.MissingAttributeError:
        return []


def _of_chassis(chassis: Any) -> Iterator[Sensor]:
    if (thermal := _part(chassis, "thermal")) is not None:
        for each in thermal.temperatures:
            yield _sensor(each, each.reading_celsius, "°C")
        for each in thermal.fans:
            unit = each.reading_units.value if each.reading_units else ""
            yield _sensor(each, each.reading, "%" if unit == "Percent" else unit)
    if (power := _part(chassis, "power")) is not None:
        for each in power.power_supplies:
            yield _sensor(each, each.last_power_output_watts, "W")


def _part(chassis: Any, name: str) -> Any:
    """Return the chassis' resource, read anew; None where it has none."""
    try:
        part = getattr(chassis, name)
        fetch(part)
    except sushy_errors.MissingAttributeError:
        return None
    except sushy_errors.HTTPError as error:
        if error.status_code in ABSENT_STATUSES:
            return None
        raise
    return part


def _sensor(each: Any, value: float | None, unit: str) -> Sensor:
    status = each.status
    is_there = status is None or status.state not in {State.ABSENT, State.DISABLED}
    return Sensor(
        name=each.name or each.identity,
        value=None if value is None else float(value),
        unit=unit,
        is_well=status is None or status.health in {None, Health.OK},
        is_critical=is_there and status is not None and status.health is Health.CRITICAL,
    )
