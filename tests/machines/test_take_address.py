"""The address that a provider chose becomes the order's, whoever held it."""

from uuid import UUID

import pytest

from app.core.clock import SetClock
from app.core.database import Database, Tx
from app.core.secrets import Vault
from app.domain.addresses.exchange import NotOurs
from app.domain.addresses.find import addresses_of
from app.domain.addresses.release import release
from app.domain.machines.choose import Chosen
from app.domain.machines.note import note_machine
from app.domain.machines.plan import write_plan
from app.domain.machines.take_address import take_addresses
from app.domain.orders.mark_provisioning import mark_provisioning
from app.domain.services.open import open_service
from app.drivers.hypervisor.contract import Size, Vm, VmPower
from tests.machines.world import PLACE, RULES, a_machine_order, a_machine_shop, pay
from tests.orders.world import a_client


async def planned(tx: Tx, client: UUID, **typed: str) -> tuple[UUID, UUID]:
    """Return a paid order and its service, whose machine is planned."""
    order = await a_machine_order(tx, client, **typed)
    await pay(tx, order)
    await mark_provisioning(tx, order.id)
    service = await open_service(tx, order.id)
    await write_plan(tx, service, Chosen(PLACE, "node1"), RULES.size, "debian-12")
    return order.id, service


async def primary(tx: Tx, order: UUID) -> str:
    (one,) = (await addresses_of(tx, order)).ip4
    return str(one.address)


async def made(tx: Tx, service: UUID) -> None:
    size = Size(cores=0, memory_mb=0, disk_gb=5)
    vm = Vm(id="7", node="node1", name="x", power=VmPower.RUNNING, size=size, service=service)
    await note_machine(tx, service, vm)


async def test_one_that_is_free_is_taken_and_the_old_one_is_free_at_once(
    database: Database, vault: Vault
) -> None:
    async with database.transaction() as tx:
        await a_machine_shop(tx, vault)
        client = await a_client(tx)
        order, service = await planned(tx, client)
        assert await primary(tx, order) == "100.64.7.2"
        for _ in range(2):
            await take_addresses(tx, service, ["100.64.7.77"])
        assert await primary(tx, order) == "100.64.7.77"
        other, _ = await planned(tx, client)
        assert await primary(tx, other) == "100.64.7.2"
        await made(tx, service)
        cores = await tx.fetchval("SELECT cores FROM machine WHERE service = $1", service)
        assert cores == RULES.size.cores, "what a provider does not tell stays as it was"


async def test_one_that_waits_for_its_machine_gives_it_up_for_the_other(
    database: Database, vault: Vault, clock: SetClock
) -> None:
    async with database.transaction() as tx:
        await a_machine_shop(tx, vault)
        client = await a_client(tx)
        (one, service), (other, others) = await planned(tx, client), await planned(tx, client)
        held = await a_machine_order(tx, client)
        await take_addresses(tx, service, ["100.64.7.3"])
        await made(tx, service)
        assert (await primary(tx, one), await primary(tx, other)) == ("100.64.7.3", "100.64.7.2")
        await take_addresses(tx, others, ["100.64.7.4"])
        rows = await tx.fetch("SELECT holder, state FROM address_claim WHERE holder IS NOT NULL")
        assert {row["holder"]: row["state"] for row in rows} == {
            one: "assigned", other: "assigned", held.id: "held",
        }  # fmt: skip
        assert await primary(tx, held.id) == "100.64.7.2"
        with pytest.raises(NotOurs, match="is another machine's here"):
            await take_addresses(tx, others, ["100.64.7.3"])


async def test_one_in_its_cooldown_is_taken_and_others_are_refused(
    database: Database, vault: Vault
) -> None:
    async with database.transaction() as tx:
        await a_machine_shop(tx, vault)
        client = await a_client(tx)
        (gone, _), (order, service) = await planned(tx, client), await planned(tx, client)
        await release(tx, gone)
        await take_addresses(tx, service, ["100.64.7.2"])
        assert await primary(tx, order) == "100.64.7.2"
        for address, why in (("100.64.7.1", "kept back"), ("192.0.2.9", "in no prefix")):
            with pytest.raises(NotOurs, match=why):
                await take_addresses(tx, service, [address])


async def test_further_ones_are_exchanged_for_those_that_were_held(
    database: Database, vault: Vault
) -> None:
    async with database.transaction() as tx:
        await a_machine_shop(tx, vault)
        order, service = await planned(tx, await a_client(tx), extra_ipv4="2")
        chosen = ["100.64.7.4", "100.64.7.9", "2001:db8::1", "100.64.7.8"]  # .2, .3 and .4 are held
        for _ in range(2):
            await take_addresses(tx, service, chosen)
            had = [str(one.address) for one in (await addresses_of(tx, order)).ip4]
            assert (had[0], set(had)) == ("100.64.7.4", {"100.64.7.4", "100.64.7.8", "100.64.7.9"})
        with pytest.raises(NotOurs, match="one more than its order has"):
            await take_addresses(tx, service, [*chosen, "100.64.7.10"])
