"""What an inspection's inventory says of a machine, as the agent of Ironic and Redfish tell it."""

from typing import Any

from app.domain.metal.keep import inventory_of
from app.drivers.bmc.contract import Drive, Nic
from app.drivers.metal.ironic.facts import facts_of

MAC, SECOND = "52:54:00:aa:00:01", "52:54:00:aa:00:02"
ROW: dict[str, Any] = {"properties": {"memory_mb": 1, "local_gb": 446}, "boot_mode": "uefi"}
AGENT: dict[str, Any] = {
    "cpu": {"model_name": "Intel(R) Xeon(R) CPU", "count": 32, "socket_count": 2},
    "memory": {"total": 134_812_012_544, "physical_mb": 131_072},
    "disks": [
        {"name": "/dev/nvme0n1", "size": 960_197_124_096, "rotational": False, "serial": "A1"},
        {"name": "/dev/sda", "size": 480_103_981_056, "rotational": False},
        {"name": "/dev/sdb", "size": 4_000_787_030_016, "rotational": True},
    ],
    "interfaces": [
        {"name": "eno1", "mac_address": "52:54:00:AA:00:01"},
        {"name": "eno2", "mac_address": SECOND},
    ],
    "system_vendor": {"manufacturer": "Acme", "product_name": "R1", "serial_number": "S1"},
    "boot": {"current_boot_mode": "bios"},
}


def test_what_the_agent_tells_becomes_an_inventory() -> None:
    facts = facts_of(ROW, AGENT, [MAC])
    assert facts.is_uefi is False
    assert (facts.cpus, facts.sockets, facts.memory_mb) == (32, 2, 131_072)
    found = inventory_of(facts)
    assert (found.memory_gib, found.cpu_count, found.cpu_model) == (128, 2, "Intel(R) Xeon(R) CPU")
    assert (found.manufacturer, found.model, found.serial) == ("Acme", "R1", "S1")
    assert found.nics == (Nic(name="eno1", mac=MAC), Nic(name="eno2", mac=SECOND))
    assert found.drives == (
        Drive(kind="nvme", capacity_gb=960, serial="A1"),
        Drive(kind="ssd", capacity_gb=480, serial=None),
        Drive(kind="hdd", capacity_gb=4001, serial=None),
    )


def test_what_is_not_told_is_not_guessed() -> None:
    # By Redfish a disk that does not turn may be NVMe or SSD: then none of them is compared.
    disk = {"name": "Drive 1", "size": 960_197_124_096, "rotational": False}
    facts = facts_of(ROW, {"disks": [disk]}, [MAC])
    assert (facts.drives, facts.disks_gb, facts.memory_mb) == (None, (446,), 1)
    assert facts.nics == (Nic(name=MAC, mac=MAC),), "a card without a name is called by its address"
    nothing = inventory_of(facts_of({"properties": {}}, {}, []))
    assert (nothing.memory_gib, nothing.cpu_count, nothing.drives, nothing.nics) == (
        None, None, None, (),
    )  # fmt: skip
