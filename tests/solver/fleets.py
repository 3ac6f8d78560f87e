"""Random servers and wants from few values, so that they meet often."""

from uuid import UUID

import msgspec
from hypothesis import strategies as st

from app.solver.inventory import DiskFacts, Equivalence, ServerFacts
from app.solver.want import DiskKind, ServerWant, StorageWant

MODELS = ("E-2386G", "E-2388G", "EPYC 7443P", "Xeon 4310")
DATACENTRES = ("ams", "fra", "nyc")
RACKS = ("r1", "r2", "r3")
GROUPS = {"small": ("E-2386G", "E-2388G"), "large": ("EPYC 7443P",)}
KINDS = st.sampled_from(DiskKind)
CAPACITIES = st.sampled_from([480, 960, 1920])

disks = st.builds(DiskFacts, kind=KINDS, capacity_gb=CAPACITIES, count=st.integers(1, 4))

servers = st.lists(
    st.builds(
        ServerFacts,
        id=st.uuids(version=4),
        name=st.just("server"),
        datacentre=st.sampled_from(DATACENTRES),
        rack=st.sampled_from(RACKS) | st.none(),
        cpu_model=st.sampled_from(MODELS),
        cores=st.sampled_from([6, 8, 24]),
        ram_gb=st.sampled_from([32, 64, 128]),
        disks=st.lists(disks, max_size=2).map(tuple),
        raid_controller=st.sampled_from([None, "PERC"]),
        power_watts=st.integers(100, 400),
    ),
    max_size=14,
    unique_by=lambda server: server.id,
)

storage_wants = st.builds(
    StorageWant,
    kind=KINDS | st.none(),
    capacity_gb=CAPACITIES,
    count=st.integers(1, 3),
    raid=st.sampled_from([None, None, 0, 1, 5, 6, 10]),
    hardware_raid=st.booleans(),
)


def _some(names):
    return st.lists(st.sampled_from(names), max_size=2, unique=True).map(tuple)


wants = st.builds(
    ServerWant,
    cpu_models=_some((*MODELS, "unknown")),
    cpu_group=st.sampled_from([None, None, "small", "large", "no such group"]),
    min_cores=st.sampled_from([None, None, 6, 8, 24, 32]),
    cores_exact=st.booleans(),
    ram_gb=st.sampled_from([None, None, 32, 64, 128, 256]),
    ram_exact=st.booleans(),
    storage=st.lists(storage_wants, max_size=2).map(tuple),
    layout=st.none() | storage_wants,
    datacentres=_some((*DATACENTRES, "syd")),
    datacentre_required=st.booleans(),
    racks=_some((*RACKS, "ams/r1", "fra/r2")),
    spread_racks=st.booleans(),
)

equivalences = st.lists(
    st.builds(
        Equivalence,
        wanted=st.sampled_from(MODELS),
        stand_in=st.sampled_from(MODELS),
        cost=st.integers(0, 3),
    ),
    max_size=4,
)

avoid_racks = st.dictionaries(
    st.tuples(st.sampled_from(DATACENTRES), st.sampled_from(RACKS)), st.integers(0, 3)
)


def server(number=1, **facts):
    """Return a small server, changed as told."""
    plain = {
        "id": UUID(int=number),
        "name": f"server {number}",
        "datacentre": "ams",
        "rack": "r1",
        "cpu_model": "E-2386G",
        "cores": 6,
        "ram_gb": 32,
        "disks": (DiskFacts(DiskKind.nvme, 960, 2),),
    }
    return ServerFacts(**{**plain, **facts})


def numbered(facts, number):
    """Return the same server under another id."""
    return msgspec.structs.replace(facts, id=UUID(int=number), name=f"server {number}")
