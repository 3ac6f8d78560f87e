"""The worker process: arq hosts the periodic jobs, the flow runner and the outbox relay."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import msgspec
import structlog
from arq import cron
from arq.connections import RedisSettings
from arq.worker import Worker
from prometheus_client import start_http_server
from redis.exceptions import RedisError

from app.adapters import make_fleet, make_gateways, make_mailer, make_peers, make_prober, make_tools
from app.core.database import Database
from app.domain.addresses.hints import listening
from app.domain.addresses.index import INDEX
from app.domain.devices.owed_power import OWED
from app.domain.inventory.bmc import protocols_in_use
from app.domain.inventory.discover import ASKED
from app.domain.inventory.put_back import TO_CLOUD
from app.domain.machines.errand import ERRAND
from app.domain.metal.errand import ERRAND as METAL_ERRAND
from app.domain.metal.order_remedy import REMEDY
from app.domain.metal.switch import SWITCH
from app.drivers.bmc.fleet import MixedFleet
from app.flows.interpreter import Interpreter
from app.flows.runner import Runner
from app.jobs.check_addresses import AddressCheck
from app.jobs.consumers import make_consumers
from app.jobs.context import WorkerContext
from app.jobs.discover_hardware import discover_hardware
from app.jobs.drive_switches import SwitchWork
from app.jobs.fire_schedules import Schedules
from app.jobs.give_power import give_power
from app.jobs.keep_names import Names
from app.jobs.look_at_panels import look_at_panels
from app.jobs.machine_errands import run_errand
from app.jobs.metal_clean import begin_cleaning
from app.jobs.metal_errands import run_metal_errand
from app.jobs.node_remedies import run_remedy
from app.jobs.recheck_nodes import recheck_nodes
from app.jobs.recheck_servers import recheck_servers
from app.jobs.relay_outbox import Consumer, Relay
from app.jobs.sweeps import (
    audit_claims,
    expire,
    forget,
    look_at_devices,
    note_stocks,
    reconcile_payments,
    report_left_behind,
    roll_up_usage,
)
from app.jobs.switch_servers import ServerSwitches
from app.jobs.watch_free import FreeWatch
from app.jobs.watch_machines import MachineWatch
from app.jobs.watch_nodes import NodeWatch
from app.jobs.watch_power import PowerWatch
from app.jobs.watch_usage import UsageWatch
from app.resources import Resources, Servers

EVERY_10_S = set(range(0, 60, 10))
EVERY_30_S = {0, 30}
REDIS_RETRY_S = 1.0
CLOCK_WAS_SET = timedelta(minutes=1)
"""arq looks at the clock twice a second: a difference of that much is none of time passing."""
log = structlog.get_logger()


@contextlib.asynccontextmanager
async def working(resources: Resources) -> AsyncIterator[WorkerContext]:
    """Run what a worker does by itself for as long as the block lasts."""
    settings, database = resources.settings, resources.database
    peers = make_peers(settings, database.clock)
    fleet = make_fleet(database, resources.vault)
    context = WorkerContext(
        settings=settings,
        database=database,
        vault=resources.vault,
        fleet=fleet,
        mailer=make_mailer(settings, database.clock),
        gateways=make_gateways(settings),
        peers=peers,
    )
    tools = make_tools(settings, resources.vault, context.fleet, peers)
    runner = Runner(
        database, resources.live, Interpreter(database, tools), lease_s=settings.lease_s
    )
    check = AddressCheck(database, resources.vault, make_prober(), peers.dns)
    consumers = make_consumers(
        settings, database, resources.vault, context.mailer, check=check, fleet=context.fleet
    )
    discover = partial(discover_hardware, database, resources.vault, context.fleet)
    errand = partial(run_errand, database, resources.vault, peers)
    switching = SwitchWork(database, resources.vault, peers.switches).consumers()
    metal_errand = partial(run_metal_errand, database, resources.vault, peers)
    remedy = partial(run_remedy, database, resources.vault, peers)
    switch = ServerSwitches(database, resources.vault, context.fleet, peers).consume
    clean = partial(begin_cleaning, database)
    owed = partial(give_power, database, resources.vault, peers.pdus)
    asked: dict[str, Consumer] = {ASKED: discover, ERRAND: errand, REMEDY: remedy}
    asked |= {METAL_ERRAND: metal_errand, TO_CLOUD: clean, SWITCH: switch, OWED: owed}
    relay = Relay(database, resources.live, {**consumers, **asked, **switching})
    names = Names(database, resources.live, resources.vault, peers.dns)
    watch = PowerWatch(database, resources.live, resources.vault, context.fleet)
    free = FreeWatch(database, resources.live, resources.vault, context.fleet)
    machines = MachineWatch(database, resources.live, resources.vault, peers)
    nodes = NodeWatch(database, resources.live, resources.vault, peers)
    usage = UsageWatch(database, resources.live, resources.vault, peers)
    tasks = [
        asyncio.create_task(runner.run(), name="flow-runner"),
        asyncio.create_task(relay.run(), name="outbox-relay"),
        asyncio.create_task(Schedules(database, resources.live).run(), name="schedules"),
        asyncio.create_task(names.run(), name="names"),
        asyncio.create_task(watch.run(), name="power-watch"),
        asyncio.create_task(free.run(), name="free-watch"),
        asyncio.create_task(machines.run(), name="machine-watch"),
        asyncio.create_task(nodes.run(), name="node-watch"),
        asyncio.create_task(usage.run(), name="usage-watch"),
        asyncio.create_task(_prepare(database, fleet), name="bmcs"),
    ]
    stop_showing = show_metrics(settings.worker_metrics_port)
    try:
        yield context
    finally:
        stop_showing()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await context.fleet.close()
        await peers.close()
        for gateway in context.gateways.values():
            await gateway.close()


async def _prepare(database: Database, fleet: MixedFleet) -> None:
    """Start beforehand what the BMCs that there are need, or the first asked would look hung."""
    async with database.snapshot() as tx:
        protocols = await protocols_in_use(tx)
    await fleet.prepare(protocols)


def show_metrics(port: int) -> Callable[[], None]:
    """Serve this process's figures at 127.0.0.1, unless the port is 0; returns how to stop."""
    if not port:
        return lambda: None
    server, thread = start_http_server(port, addr="127.0.0.1")

    def stop() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    return stop


class PeriodicWorker(Worker):
    """arq's worker, which plans its periodic jobs anew when the machine's clock was set.

    arq goes by that clock: set back by two hours it would do nothing for as long, and set forward
    it would make up for every tick.
    """

    _looked_at: datetime | None = None

    async def run_cron(self, n: datetime, delay: float, num_windows: int = 2) -> None:
        if self._looked_at is not None and abs(n - self._looked_at) > CLOCK_WAS_SET:
            log.warning("worker.clock_was_set", at=n.isoformat(), was=self._looked_at.isoformat())
            for job in self.cron_jobs:
                job.next_run = None
        self._looked_at = n
        await super().run_cron(n, delay, num_windows)


def arq_worker(servers: Servers, context: WorkerContext) -> PeriodicWorker:
    """Return arq's worker for the periodic jobs; jobs travel as JSON, never pickled."""

    async def hand_over(ctx: dict[str, Any]) -> None:
        ctx["slipway"] = context

    return PeriodicWorker(
        functions=[expire, forget, look_at_devices, reconcile_payments, report_left_behind],
        cron_jobs=[
            cron(expire, second=EVERY_10_S, run_at_startup=True),
            cron(forget, minute=7),
            cron(roll_up_usage, minute={17, 47}),
            cron(look_at_devices, second=20),
            cron(recheck_servers, second=20, timeout=240),
            cron(recheck_nodes, second=40, timeout=120),
            cron(audit_claims, minute=23),
            cron(note_stocks, minute={14, 44}, second=10, run_at_startup=True),
            cron(look_at_panels, minute=set(range(3, 60, 5)), second=20, run_at_startup=True),
            cron(report_left_behind, minute={11, 41}, second=30),
            cron(reconcile_payments, second=EVERY_30_S, run_at_startup=True),
        ],
        redis_settings=RedisSettings.from_dsn(servers.redis_url),
        on_startup=hand_over,
        job_serializer=msgspec.json.encode,
        job_deserializer=msgspec.json.decode,
        handle_signals=False,
        keep_result=0,
        max_jobs=10,
        poll_delay=0.5,
    )


async def run_worker(resources: Resources, servers: Servers) -> None:
    """Work until cancelled. Without Redis flows and outbox go on; periodic jobs wait for it."""
    async with working(resources) as context, listening(resources.database, INDEX):
        while True:
            worker = arq_worker(servers, context)
            try:
                await worker.async_run()
            except (RedisError, OSError) as error:
                log.warning("worker.redis_lost", error=str(error))
                await asyncio.sleep(REDIS_RETRY_S)
            finally:
                with contextlib.suppress(RedisError, OSError):
                    await worker.close()
