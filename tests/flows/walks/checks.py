"""What is asked of every node type: done twice is done once, and failing at it leaves nothing."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from app.core.clock import SetClock
from app.core.secrets import Vault
from app.drivers.egress import Egress
from app.drivers.hypervisor.contract import HypervisorPeer
from app.drivers.peers import open_peers
from app.flows import answering
from app.flows.node import NodeType
from tests.conftest import START
from tests.databases import Databases
from tests.drivers.dns.knot import knot
from tests.drivers.game.panel import panel_on_loopback
from tests.drivers.http.peer import serving
from tests.drivers.ssh.host import sshd
from tests.flows.engine.bench import nodes
from tests.flows.walks.examples import Example
from tests.flows.walks.picture import JOURNAL, TOLD, changed
from tests.flows.walks.stage import Outside, on_stage
from tests.flows.walks.walk import Walk

FAILURES = ("before", "after", "next")
"""It fails before its effect, or with its answer lost, or what follows it fails."""


@dataclass(frozen=True)
class Walks:
    """Begins walks of one node type, each on a stage of its own."""

    kind: NodeType
    example: Example
    databases: Databases
    template: str
    vault: Vault
    redis: Redis
    outside: Outside

    @contextlib.asynccontextmanager
    async def begin(self) -> AsyncIterator[Walk]:
        clock = SetClock(START)
        database = await self.databases.open(await self.databases.fresh(self.template), clock)
        async with on_stage(database, clock, self.vault, self.outside) as stage:
            with pytest.MonkeyPatch.context() as during:
                walk = Walk(self.kind, self.example, nodes(), stage, self.redis, during)
                try:
                    yield walk
                finally:
                    await walk.workshop.close()

    async def check_done_twice(self) -> None:
        """Its worker dies after the effect, before the outcome is written; another does it again."""
        async with self.begin() as walk:
            once = await walk.seen(await walk.start())
        assert once.status == self.example.ends
        async with self.begin() as walk:
            kills = walk.kill_after_each_effect()
            twice = await walk.seen(await walk.start(), found=once.output)
        assert kills, "no outcome of it was about to be written"
        assert (twice.status, twice.output) == (once.status, once.output)
        assert twice.peer == once.peer
        noted = JOURNAL | TOLD if twice.was_settled else frozenset()
        assert changed(once.database, twice.database, but=noted) == {}

    async def check_failed_at(self, failure: str) -> None:
        """The run is undone, and what it took is given back."""
        is_told = self.kind.undo is None or self.example.left is not None
        assert is_told, f"{self.kind.name} can be undone: say in its example what is `left` then"
        async with self.begin() as walk:
            if failure == "before":
                walk.fail_before()
            elif failure == "after":
                walk.fail_after()
            run = await walk.start(then="t.refuse")
            before = await walk.left()
            status = await walk.undone(run)
            assert status in ("failed", "cancelled", self.example.ends)
            assert await walk.left() == before
            assert {state for _, state in await walk.ledger(run)} <= {"returned"}


@contextlib.asynccontextmanager
async def walks_of(
    kind: NodeType,
    example: Example,
    databases: Databases,
    template: str,
    vault: Vault,
    redis: Redis,
    folder: Path,
    pve: HypervisorPeer | None = None,
) -> AsyncIterator[Walks]:
    """Have the peers that the example needs, for all of its walks; `folder` is an empty one."""

    async def banner(*_: Any, **__: Any) -> str:
        return "SSH-2.0-OpenSSH"

    async with contextlib.AsyncExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setattr(answering, "ssh_banner", banner)
        peers = open_peers(Egress(["127.0.0.0/8"]), SetClock(START))
        stack.push_async_callback(peers.close)
        outside = Outside(peers, await stack.enter_async_context(serving()))
        outside.http.routes |= {"/status": {"ready": True}, "/chat": (200, "ok", {})}
        if "ssh" in example.needs:
            outside.ssh = await stack.enter_async_context(sshd())
        if "dns" in example.needs:
            outside.dns = stack.enter_context(knot(folder))
        if "panel" in example.needs:
            outside.panel, outside.game = await stack.enter_async_context(
                panel_on_loopback(install_s=0.0)
            )
        outside.pve = pve
        yield Walks(kind, example, databases, template, vault, redis, outside)
