"""A worker that reads providers, and does errands, when a test says so."""

from datetime import timedelta
from functools import partial

from app.domain.machines.drifts import list_drifts, list_providers, list_strays
from app.domain.machines.errand import ERRAND
from app.domain.machines.views import MachineDrift, ProviderView, StrayMachine
from app.domain.machines.watch import PERIOD
from app.drivers.game.contract import GamePeer
from app.drivers.hypervisor.contract import HypervisorPeer
from app.jobs.machine_errands import run_errand
from app.jobs.watch_machines import MachineWatch
from tests.machines.sale import Sale

ROUNDS = 60
ROUND_S = 20


async def read(sale: Sale, *, times: int = 2) -> None:
    """Read all providers, each time when the next reading is due."""
    desk = sale.desk
    watch = MachineWatch(desk.database, desk.live, desk.vault, sale.peers)
    for _ in range(times):
        desk.clock.advance(seconds=PERIOD.total_seconds())
        await watch.sweep()
        await watch.idle()


async def do_errands(sale: Sale) -> None:
    """Do what was ordered, until nothing of it is left."""
    desk = sale.desk
    errand = partial(run_errand, desk.database, desk.vault, sale.peers)
    relay = desk.relay({**desk.consumers, ERRAND: errand})
    for _ in range(ROUNDS):
        while await relay.sweep():
            await relay.idle()
        left = await desk.value(
            "SELECT count(*) FROM outbox WHERE topic = $1 AND done_at IS NULL", ERRAND
        )
        if not left:
            return
        desk.clock.advance(seconds=ROUND_S)
    raise AssertionError("an errand never ends")


async def drifts(sale: Sale) -> tuple[MachineDrift, ...]:
    async with sale.desk.database.snapshot() as tx:
        return await list_drifts(tx)


async def strays(sale: Sale) -> tuple[StrayMachine, ...]:
    async with sale.desk.database.snapshot() as tx:
        return await list_strays(tx)


async def provider(sale: Sale, name: str = "pve") -> ProviderView:
    async with sale.desk.database.snapshot() as tx:
        return next(one for one in await list_providers(tx) if one.connection == name)


async def lead_to(sale: Sale, peer: HypervisorPeer | GamePeer | None, name: str = "pve") -> None:
    """Have the connection lead to its provider, or to where nobody answers."""
    url = "https://127.0.0.1:1" if peer is None else peer.url
    async with sale.desk.database.transaction() as tx:
        await tx.execute(
            "UPDATE connection SET facts = facts || jsonb_build_object('base_url', $1::text), "
            "updated_at = $2 WHERE name = $3",
            url,
            tx.now() + timedelta(microseconds=1),
            name,
        )
