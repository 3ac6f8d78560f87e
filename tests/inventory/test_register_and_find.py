"""Writing hardware down twice changes nothing that is not told; reading shows what is there."""

import pytest
from msgspec.structs import replace

from app.core.database import Tx
from app.core.errors import Invalid, NotFound
from app.core.ids import new_id
from app.core.paging import PAGE_SIZE
from app.core.secrets import Vault
from app.domain.inventory.errors import NoBmc
from app.domain.inventory.find import (
    bmc_of,
    counts_by_state,
    find_server,
    list_datacentres,
    list_servers,
    server_of,
)
from app.domain.inventory.find_racks import rack_view
from app.domain.inventory.register import (
    register_equivalence,
    register_inventory,
    register_server,
)
from app.domain.inventory.register_rack import register_rack
from app.domain.inventory.reserve import reserve
from app.domain.inventory.seed import DiskSeed, EquivalenceSeed, RackSeed
from app.domain.inventory.states import ServerState
from app.domain.inventory.stock import stock
from app.drivers.bmc.contract import BmcProtocol
from app.drivers.tls import TrustAnything, TrustCa, TrustPin, TrustSystem
from app.solver.inventory import DiskFacts
from app.solver.want import DiskKind, ServerWant, StorageWant
from tests.inventory.hall import BMC, an_order, furnish, hall, machine


async def test_a_seed_written_twice_is_the_same_inventory(tx: Tx, vault: Vault) -> None:
    seed = hall([machine(1), machine(2, in_stock=False)])
    first = await register_inventory(tx, vault, seed)
    tables = ("datacentre", "rack", "cpu_model", "cpu_equivalence", "server", "disk", "bmc")
    counts = {table: await tx.fetchval(f"SELECT count(*) FROM {table}") for table in tables}
    assert counts == {
        "datacentre": 2,
        "rack": 3,
        "cpu_model": 2,
        "cpu_equivalence": 1,
        "server": 2,
        "disk": 2,
        "bmc": 2,
    }
    assert await register_inventory(tx, vault, seed) == first
    assert counts == {table: await tx.fetchval(f"SELECT count(*) FROM {table}") for table in tables}
    assert await counts_by_state(tx) == {
        **dict.fromkeys(ServerState, 0),
        ServerState.available: 1,
        ServerState.enrolled: 1,
    }
    assert await tx.fetchval("SELECT count(*) FROM outbox WHERE topic = 'stock.appeared'") == 1


async def test_a_server_written_again_keeps_its_state_and_holder(tx: Tx, vault: Vault) -> None:
    ids = await furnish(tx, machine(1), vault=vault)
    order = await an_order(tx)
    held = await reserve(tx, ServerWant(), holder=order, expires_at=None)
    moved = replace(
        machine(1, rack="R2", ram_gb=128, disks=(DiskSeed(kind=DiskKind.hdd, capacity_gb=8000),)),
        name="renamed",
        bmc=replace(BMC, url="https://10.9.0.2/", password="changed"),
    )
    assert await register_server(tx, vault, moved) == ids["m001"]
    seen = await find_server(tx, held.id)
    assert (seen.state, seen.holder, seen.seq) == (ServerState.held, order, held.seq)
    assert (seen.name, seen.rack, seen.ram_gb) == ("renamed", "R2", 128)
    assert seen.disks == (DiskFacts(DiskKind.hdd, 8000, 1),)
    address, _ = await bmc_of(tx, vault, held.id)
    assert (address.url, address.password.reveal()) == ("https://10.9.0.2", "changed")


async def test_the_password_of_a_bmc_is_sealed_and_never_shown(tx: Tx, vault: Vault) -> None:
    ids = await furnish(tx, machine(1), vault=vault)
    sealed = await tx.fetchval("SELECT sealed_password FROM bmc WHERE server = $1", ids["m001"])
    assert b"calvin" not in sealed
    assert "calvin" not in repr(machine(1))
    address, method = await bmc_of(tx, vault, ids["m001"])
    assert address.password.reveal() == "calvin"
    assert "calvin" not in repr(address)
    assert (address.username, address.system_path, method) == ("root", "/redfish/v1", "network")
    assert address.tls == TrustSystem()


@pytest.mark.parametrize(
    ("mode", "text", "trust"),
    [
        ("ca", "PEM", TrustCa("PEM")),
        ("pin", "aa:bb", TrustPin("aa:bb")),
        ("off", "", TrustAnything()),
    ],
)
async def test_a_bmc_is_trusted_as_it_was_written_down(
    tx: Tx, vault: Vault, mode: str, text: str, trust: object
) -> None:
    bmc = replace(BMC, tls_mode=mode, ca_pem=text, boot_method="virtual-media", system_path="")
    ids = await furnish(tx, machine(1, bmc=bmc), vault=vault)
    address, method = await bmc_of(tx, vault, ids["m001"])
    assert (address.tls, address.system_path, method) == (trust, None, "virtual-media")


async def test_by_ipmi_no_server_boots_but_over_the_network(tx: Tx, vault: Vault) -> None:
    for method in ("virtual-media", "http"):
        bmc = replace(BMC, protocol=BmcProtocol.IPMI, url="ipmi://10.0.0.7", boot_method=method)
        with pytest.raises(Invalid, match="choose the network, or Redfish") as caught:
            await furnish(tx, machine(1, bmc=bmc), vault=vault)
        assert list(caught.value.fields) == ["boot_method"]


async def test_a_server_without_a_bmc_says_so(tx: Tx, vault: Vault) -> None:
    ids = await furnish(tx, machine(1, bmc=None), vault=vault)
    with pytest.raises(NoBmc):
        await bmc_of(tx, vault, ids["m001"])
    assert (await find_server(tx, ids["m001"])).bmc_url is None


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"rack": "R9"}, "rack"),
        ({"datacentre": "nyc1"}, "rack"),
        ({"cpu_model": "6502"}, "cpu_model"),
        ({"u_position": 1}, "u_position"),
        ({"u_position": 2, "u_height": 2}, "u_position"),
        ({"u_position": 1001}, "u_position"),
        ({"name": "m001"}, "name"),
        ({"mac": "02:00:00:00:00:01"}, "mac"),
    ],
)
async def test_a_server_that_cannot_be_is_refused(
    tx: Tx, vault: Vault, facts: dict[str, object], field: str
) -> None:
    await furnish(tx, machine(1), machine(3, u_height=2), vault=vault)
    with pytest.raises(Invalid) as caught:
        await register_server(tx, vault, machine(7, **facts))
    assert list(caught.value.fields) == [field]
    assert await tx.fetchval("SELECT count(*) FROM server") == 2


async def test_what_refers_to_nothing_is_refused(tx: Tx) -> None:
    await furnish(tx)
    with pytest.raises(Invalid):
        await register_rack(tx, RackSeed(datacentre="nyc1", name="R1"))
    for wanted in ("6502", "Epyc"):
        with pytest.raises(Invalid):
            await register_equivalence(
                tx, EquivalenceSeed(group="g", wanted=wanted, stand_in="Epyc")
            )


async def test_lists_filter_search_and_paginate(tx: Tx) -> None:
    machines = [machine(number) for number in range(1, PAGE_SIZE + 2)]
    ids = await furnish(tx, *machines, machine(900, datacentre="fra1", cpu_model="Epyc"))
    order = await an_order(tx)
    held = await reserve(tx, ServerWant(cpu_models=("Epyc",)), holder=order, expires_at=None)
    number = await tx.fetchval("SELECT number FROM client_order WHERE id = $1", order)
    first = await list_servers(tx)
    assert (len(first.items), first.page_count, first.total) == (PAGE_SIZE, 2, PAGE_SIZE + 2)
    second = await list_servers(tx, page=2)
    assert [row.name for row in second.items] == ["m051", "m900"]
    for filters in (
        {"states": [ServerState.held]},
        {"datacentre": "fra1"},
        {"search": "epy"},
        {"search": "S00900"},
        {"search": f"#{number}"},
        {"search": "02:00:00:00:03:84"},
    ):
        (row,) = (await list_servers(tx, **filters)).items
        assert row.id == held.id == ids["m900"]
        assert (row.holder, row.order_number) == (order, number)
    assert (await list_servers(tx, search="m0%")).total == 0
    assert (await list_servers(tx, search="nothing", page=0)).page_count == 1


async def test_one_server_is_shown_with_its_order_and_service(tx: Tx) -> None:
    ids = await furnish(tx, machine(1))
    order = await an_order(tx)
    await reserve(tx, ServerWant(), holder=order, expires_at=None)
    seen = await find_server(tx, ids["m001"])
    assert (seen.cores, seen.disks) == (8, (DiskFacts(DiskKind.nvme, 960, 2),))
    assert (seen.datacentre_name, seen.bmc_url) == ("Amsterdam 1", "https://10.9.0.1")
    assert seen.hostname == "web.example.test"
    assert seen.service_id is not None
    assert seen.account_email is not None
    row = await server_of(tx, order)
    assert row is not None
    assert row.id == seen.id
    assert await server_of(tx, new_id()) is None
    with pytest.raises(NotFound):
        await find_server(tx, new_id())


async def test_a_rack_is_shown_from_the_lowest_unit(tx: Tx) -> None:
    await furnish(tx, machine(2, power_draw_watts=300), machine(1, power_draw_watts=200))
    rack = await tx.fetchval(
        "SELECT r.id FROM rack r JOIN datacentre d ON d.id = r.datacentre "
        "WHERE d.code = 'ams1' AND r.name = 'R1'"
    )
    seen = await rack_view(tx, rack)
    assert [server.name for server in seen.servers] == ["m001", "m002"]
    assert (seen.power_draw_watts, seen.power_budget_watts) == (500, 4000)
    with pytest.raises(NotFound):
        await rack_view(tx, new_id())
    ams, fra = await list_datacentres(tx)
    assert (ams.code, ams.racks, ams.servers, ams.available) == ("ams1", 2, 2, 2)
    assert (fra.code, fra.racks, fra.servers, fra.available) == ("fra1", 1, 0, 0)


async def test_stock_counts_each_want_as_if_it_alone_were_sold(tx: Tx) -> None:
    await furnish(tx, machine(1), machine(2, cpu_model="Epyc"), machine(3, disks=()))
    assert await stock(tx, {}) == {}
    assert await stock(
        tx,
        {
            "any": ServerWant(),
            "xeon": ServerWant(cpu_models=("Xeon",)),
            "epyc": ServerWant(cpu_models=("Epyc",)),
            "group": ServerWant(cpu_group="eight", min_cores=24),
            "disks": ServerWant(storage=(StorageWant(capacity_gb=960, raid=1),)),
            "none": ServerWant(ram_gb=1024),
        },
    ) == {"any": 3, "xeon": 3, "epyc": 1, "group": 1, "disks": 2, "none": 0}
