"""What the lab tells the emulator's process, apart so that only that one loads sushy-tools."""

import msgspec


class FakeDrive(msgspec.Struct):
    """One disk; `kind` is nvme, ssd or hdd."""

    id: str
    kind: str
    capacity_gb: int


class FakeSystem(msgspec.Struct):
    """What the emulator is told of one machine."""

    uuid: str
    name: str
    mac: str
    ram_gb: int
    cpu_count: int
    drives: list[FakeDrive]


class EmulatorSettings(msgspec.Struct):
    """All that the process needs; written by the lab, read once at start."""

    state_folder: str
    auth_file: str
    certificate: str
    private_key: str
    speed_file: str
    systems: list[FakeSystem]
