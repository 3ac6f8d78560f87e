"""A made-up fleet: servers in racks that are partly used, and orders, by seed."""

import random
from uuid import UUID

from app.solver.batch import WaitingOrder
from app.solver.inventory import DiskFacts, Inventory, ServerFacts, inventory_of
from app.solver.room import RackRoom
from app.solver.want import DiskKind, ServerWant, StorageWant

PER_RACK = 40
MODELS = (
    ("E-2386G", 6, (32, 64)),
    ("E-2388G", 8, (32, 64, 128)),
    ("EPYC 7443P", 24, (128, 256)),
    ("EPYC 9454P", 48, (256, 512)),
)
DATACENTRES = ("ams", "fra", "nyc", "sin")
DISKS = (
    (DiskFacts(DiskKind.nvme, 960, 2),),
    (DiskFacts(DiskKind.nvme, 1920, 2),),
    (DiskFacts(DiskKind.hdd, 8000, 4), DiskFacts(DiskKind.ssd, 480, 2)),
)


def fleet(number: int, seed: int) -> Inventory:
    """Return so many free servers as columns."""
    return inventory_of(servers(number, seed))


def servers(number: int, seed: int) -> list[ServerFacts]:
    """Return so many free servers of some dozens of kinds, 40 to a rack; fewer are the first."""
    rng = random.Random(seed)
    found = []
    for place in range(number):
        model, cores, memories = MODELS[rng.choices(range(4), (40, 40, 12, 8))[0]]
        rack = place // PER_RACK
        found.append(
            ServerFacts(
                id=UUID(int=place + 1),
                name=f"srv-{place}",
                datacentre=DATACENTRES[rack % len(DATACENTRES)],
                rack=f"r{rack}",
                cpu_model=model,
                cores=cores,
                ram_gb=rng.choice(memories),
                disks=rng.choice(DISKS),
                raid_controller=rng.choice([None, "PERC"]),
                power_watts=150 + 10 * cores,
            )
        )
    return found


def rooms(number: int, seed: int, *, tight: float = 0.25) -> list[RackRoom]:
    """Return what the racks of such a fleet have left.

    A share `tight` of them admits up to some ten of the 40 machines or none, short of now
    one thing and now another; the others are short of nothing for 20 machines.
    """
    rng = random.Random(seed + 1)
    found = []
    for rack in range(-(-number // PER_RACK)):
        spare = 0 if rng.random() < tight else 20
        found.append(
            RackRoom(
                datacentre=DATACENTRES[rack % len(DATACENTRES)],
                rack=f"r{rack}",
                feed_a_watts=rng.randrange(0, 4000, 100) + 250 * spare,
                feed_b_watts=rng.randrange(400, 4400, 100) + 250 * spare,
                cooling_watts=rng.randrange(600, 5000, 100) + 250 * spare,
                ports=rng.randrange(0, 16) + spare,
                vlans=rng.randrange(1, 17) + spare,
                clients={f"client {rng.randrange(200)}": 1},
            )
        )
    return found


def orders(number: int, seed: int) -> list[WaitingOrder]:
    """Return so many orders of 200 clients, with two priorities and all the side rules."""
    rng = random.Random(seed + 2)
    waiting = []
    for place in range(number):
        large = rng.random() < 0.2
        want = ServerWant(
            min_cores=24 if large else rng.choice([None, 6, 8]),
            ram_gb=rng.choice([128, 256]) if large else rng.choice([None, 32, 64]),
            storage=rng.choice([(), (StorageWant(kind=DiskKind.nvme, count=2, raid=1),)]),
            datacentres=rng.choice([(), ("ams",), ("fra", "ams"), ("nyc",)]),
            spread_racks=True,
            most_in_rack=2,
        )
        client = f"client {rng.randrange(200)}"
        waiting.append(WaitingOrder(UUID(int=place + 1), want, rng.randrange(2), client, 1))
    return waiting
