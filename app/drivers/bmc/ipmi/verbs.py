"""What can be asked of a BMC by IPMI, over a signed-in pyghmi command; synchronous.

Power and boot are sent as the specification has them (IPMI 2.0, chapter 28): pyghmi's own helpers
ask for the manufacturer first and swallow completion codes. Values are plain, for JSON.
"""

import struct
from collections.abc import Callable, Mapping
from typing import Any

from pyghmi.constants import Health
from pyghmi.exceptions import IpmiException
from pyghmi.ipmi.private.util import decode_wireformat_uuid

from app.drivers.bmc.ipmi.answers import NO_SUCH_THING, data_of, is_absence, told
from app.drivers.bmc.ipmi.event_log import event_log

CHASSIS, APP, TRANSPORT = 0x00, 0x06, 0x0C
GET_CHASSIS_STATUS, CHASSIS_CONTROL, SET_BOOT_OPTIONS, GET_BOOT_OPTIONS = 0x01, 0x02, 0x08, 0x09
GET_DEVICE_ID, COLD_RESET, GET_SYSTEM_GUID = 0x01, 0x02, 0x37
GET_SOL_PARAMETER = 0x22
ORDERS = {"off": 0, "on": 1, "reset": 3, "shut_down": 5}
FLAG_VALID_CLEARING, BOOT_FLAGS = 3, 5
STAY_AFTER_TIMEOUT = 0b0000_1000
"""Else the BMC drops the boot flags when the machine takes more than 60 s to restart."""
VALID, PERSISTENT, EFI = 0x80, 0x40, 0x20

FIRST_SOL_CHANNEL, SOL_ENABLE = 1, 1


def read_power(ipmi: Any) -> str:
    answer = told(ipmi, "power", CHASSIS, GET_CHASSIS_STATUS)
    return "on" if answer[0] & 1 else "off"


def send_power(ipmi: Any, order: str) -> None:
    told(ipmi, "power", CHASSIS, CHASSIS_CONTROL, (ORDERS[order],))


def read_boot(ipmi: Any) -> dict[str, Any]:
    """Return the boot flags as they stand, and the manufacturer, who tells what they are worth."""
    answer = told(ipmi, "boot", CHASSIS, GET_BOOT_OPTIONS, (BOOT_FLAGS, 0, 0))
    flags, device = answer[2], answer[3] >> 2 & 0b1111
    return {
        "valid": not answer[1] & 0x80 and bool(flags & VALID),
        "persistent": bool(flags & PERSISTENT),
        "efi": bool(flags & EFI),
        "device": device,
        "manufacturer": _manufacturer(ipmi),
    }


def set_boot(ipmi: Any, device: int, *, efi: bool) -> dict[str, Any]:
    """Set the device for the next boot only, and return what is set then."""
    answer = ipmi.raw_command(
        netfn=CHASSIS,
        command=SET_BOOT_OPTIONS,
        data=(FLAG_VALID_CLEARING, STAY_AFTER_TIMEOUT),
    )
    # A BMC without that parameter keeps the flags for as long as it does.
    if answer["code"] not in NO_SUCH_THING:
        data_of(answer, "boot")
    flags = (BOOT_FLAGS, VALID | (EFI if efi else 0), device << 2, 0, 0, 0)
    told(ipmi, "boot", CHASSIS, SET_BOOT_OPTIONS, flags)
    return read_boot(ipmi)


def inventory(ipmi: Any) -> dict[str, Any]:
    """Return what the board's FRU and the BMC say; every part may be missing."""
    facts: dict[str, Any] = {}
    try:
        # "System" is the machine itself; the other components are its parts.
        facts = dict(ipmi.get_inventory_of_component("System") or {})
    except IpmiException as error:
        if error.ipmicode not in NO_SUCH_THING and not is_absence(error):
            raise
    if "UUID" not in facts:
        answer = ipmi.raw_command(netfn=APP, command=GET_SYSTEM_GUID)
        if not answer["code"]:
            facts["UUID"] = decode_wireformat_uuid(answer["data"])
    return {
        "uuid": _text(facts, "UUID"),
        "manufacturer": _text(facts, "Manufacturer", "Board manufacturer"),
        "model": _text(facts, "Product name", "Board product name", "Model"),
        "serial": _text(facts, "Serial Number", "Board serial number", "Chassis serial number"),
    }


def sensors(ipmi: Any) -> list[dict[str, Any]]:
    try:
        readings = list(ipmi.get_sensor_data())
    except IpmiException as error:
        if error.ipmicode in NO_SUCH_THING or is_absence(error):
            return []
        raise
    return [
        {
            "name": str(each.name),
            "value": None if each.value is None else float(each.value),
            "unit": str(each.units or ""),
            "is_well": each.health in {Health.Ok, None},
            "is_critical": bool((each.health or 0) & (Health.Critical | Health.Failed)),
        }
        for each in readings
        if not each.unavailable
    ]


def access(ipmi: Any) -> dict[str, Any]:
    """Return the manufacturer's number and, as `serial`, whether serial over LAN is enabled.

    `serial` is None where the BMC has none.
    """
    return {"manufacturer": _manufacturer(ipmi), "serial": _serial_over_lan(ipmi)}


def _serial_over_lan(ipmi: Any) -> bool | None:
    answer = ipmi.raw_command(
        netfn=TRANSPORT, command=GET_SOL_PARAMETER, data=(FIRST_SOL_CHANNEL, SOL_ENABLE, 0, 0)
    )
    if answer["code"] in NO_SUCH_THING:
        return None
    return bool(data_of(answer, "console")[1] & 1)


def cold_reset(ipmi: Any) -> None:
    """Restart the BMC; many answer only afterwards, or not at all."""
    answer = ipmi.raw_command(netfn=APP, command=COLD_RESET, retry=False)
    if answer:
        data_of(answer, "bmc")


def _manufacturer(ipmi: Any) -> int:
    data = told(ipmi, "bmc", APP, GET_DEVICE_ID)
    number: int = struct.unpack("<I", bytes(data[6:9]) + b"\0")[0]
    return number & 0xF_FFFF


def _text(facts: Mapping[str, Any], *names: str) -> str | None:
    """Return the first of these facts that says something."""
    for name in names:
        text = str(facts.get(name) or "").strip(" \0")
        if text:
            return text
    return None


VERBS: Mapping[str, Callable[..., Any]] = {
    verb.__name__: verb
    for verb in (
        read_power,
        send_power,
        read_boot,
        set_boot,
        inventory,
        sensors,
        event_log,
        access,
        cold_reset,
    )
}
