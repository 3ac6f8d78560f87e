"""The inventory: which machines stand in which rack, the same for the same seed."""

import random
import uuid
from dataclasses import dataclass

import msgspec

MACHINES_PER_POD = 24
RACKS_PER_POD = 3
RACK_U = 42
RACK_BUDGET_WATTS = 4_000


class Datacentre(msgspec.Struct, frozen=True):
    """A site of the provider."""

    code: str
    name: str
    city: str
    country: str


class Rack(msgspec.Struct, frozen=True):
    """A rack and what it can carry."""

    datacentre: str
    name: str
    u_height: int
    power_budget_watts: int


class Disks(msgspec.Struct, frozen=True):
    """`count` equal disks of `capacity_gb` each; kind is nvme, ssd or hdd."""

    kind: str
    capacity_gb: int
    count: int


class Hardware(msgspec.Struct, frozen=True):
    """One machine as its label and its data sheet describe it."""

    name: str
    serial: str
    uuid: str
    mac: str
    datacentre: str
    rack: str
    u_position: int
    u_height: int
    cpu_model: str
    cpu_cores: int
    cpu_threads: int
    cpu_mhz: int
    cpu_count: int
    ram_gb: int
    disks: list[Disks]
    raid_controller: bool
    power_draw_watts: int


@dataclass(frozen=True, slots=True)
class Profile:
    """A model that the provider buys; RAM and disks vary within it."""

    cpu_model: str
    cores: int
    threads: int
    mhz: int
    ram_gb: tuple[int, ...]
    disks: tuple[tuple[Disks, ...], ...]
    raid: bool
    u_height: int
    watts: int


E2386G = Profile(
    "Intel Xeon E-2386G", 6, 12, 3_500, (32, 64),
    ((Disks("nvme", 960, 2),), (Disks("ssd", 480, 2),)), raid=False, u_height=1, watts=180,
)  # fmt: skip
E2388G = Profile(
    "Intel Xeon E-2388G", 8, 16, 3_200, (64, 128),
    ((Disks("nvme", 1_920, 2),), (Disks("nvme", 960, 2), Disks("hdd", 4_000, 2))),
    raid=False, u_height=1, watts=220,
)  # fmt: skip
EPYC = Profile(
    "AMD EPYC 7443P", 24, 48, 2_850, (128, 256),
    ((Disks("nvme", 3_840, 2),), (Disks("ssd", 1_920, 4),)), raid=True, u_height=2, watts=420,
)  # fmt: skip
RYZEN = Profile(
    "AMD Ryzen 9 7950X", 16, 32, 4_500, (128, 64),
    ((Disks("nvme", 1_920, 2),),), raid=False, u_height=1, watts=300,
)  # fmt: skip
STORAGE = Profile(
    "Intel Xeon E-2386G", 6, 12, 3_500, (64,),
    ((Disks("hdd", 8_000, 4), Disks("ssd", 480, 2)),), raid=True, u_height=2, watts=260,
)  # fmt: skip

ROWS = (E2386G, E2386G, E2388G, RYZEN, EPYC, E2388G, E2386G, STORAGE)
"""The eight machines of a rack, from the lowest unit upwards."""

DATACENTRES = [
    Datacentre("ams1", "Amsterdam 1", "Amsterdam", "NL"),
    Datacentre("fra1", "Frankfurt 1", "Frankfurt", "DE"),
]


def racks(machine_count: int) -> list[Rack]:
    """Return the racks that hold `machine_count` machines: three for each 24 of them."""
    pods = max(1, -(-machine_count // MACHINES_PER_POD))
    return [_rack(pod, place) for pod in range(pods) for place in range(RACKS_PER_POD)]


def machine(index: int, seed: int) -> Hardware:
    """Return the machine at `index`; it depends on nothing but `index` and `seed`."""
    chance = random.Random(f"{seed}/{index}")
    pod, within = divmod(index, MACHINES_PER_POD)
    row, place = divmod(within, RACKS_PER_POD)
    rack, profile = _rack(pod, place), ROWS[row]
    u_position = 1 + sum(earlier.u_height for earlier in ROWS[:row])
    return Hardware(
        name=f"{rack.datacentre}-{rack.name.lower()}-u{u_position:02d}",
        serial="LAB" + "".join(chance.choices("0123456789ABCDEFGHJKLMNPQRSTUVWXYZ", k=7)),
        uuid=str(uuid.UUID(int=chance.getrandbits(128), version=4)),
        mac=":".join(["02", *(f"{chance.randrange(256):02x}" for _ in range(5))]),
        datacentre=rack.datacentre,
        rack=rack.name,
        u_position=u_position,
        u_height=profile.u_height,
        cpu_model=profile.cpu_model,
        cpu_cores=profile.cores,
        cpu_threads=profile.threads,
        cpu_mhz=profile.mhz,
        cpu_count=1,
        ram_gb=profile.ram_gb[(row + place) % len(profile.ram_gb)],
        disks=list(profile.disks[place % len(profile.disks)]),
        raid_controller=profile.raid,
        power_draw_watts=profile.watts,
    )


def _rack(pod: int, place: int) -> Rack:
    code, letter, number = (
        ("ams1", "A", 2 * pod + 1 + place) if place < 2 else ("fra1", "B", pod + 1)
    )
    return Rack(code, f"{letter}{number:02d}", RACK_U, RACK_BUDGET_WATTS)
