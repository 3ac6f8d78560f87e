"""`metal.errand`: enrol, adopt, inspect, clean or withdraw a server at a cloud, part by part."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from app.core.database import Database, Tx
from app.core.errors import NotFound, Refusal
from app.core.outbox import Parcel
from app.core.secrets import Vault
from app.domain.connections.open import open_connection
from app.domain.inventory.find import find_server
from app.domain.metal.ask import require_free
from app.domain.metal.errand import (
    ErrandState,
    ErrandView,
    end,
    find_errand,
    go_on,
)
from app.domain.metal.errors import ErrandIsOver, LeftCleaning
from app.domain.metal.keep import (
    forget_node,
    keep_facts,
    keep_node,
    put_aside,
    put_back_clean,
    put_into_stock,
)
from app.domain.metal.link import node_of
from app.domain.metal.seed import macs_of, seed_of
from app.domain.metal.want import Adopt, Clean, Enrol, Step, Withdraw
from app.drivers.errors import DriverError, Retriable
from app.drivers.metal.contract import (
    MetalCloud,
    MetalNode,
    MetalPeer,
    NodeFacts,
    WorkFailed,
    Working,
)
from app.drivers.peers import Peers
from app.jobs.metal_clean import cleaned

AGAIN = timedelta(seconds=15)
"""After a silence of the cloud, or words that may be others in a moment."""
PART_S = 24.0
"""Less than the relay gives; what the cloud does meanwhile is seen the next time."""


@dataclass(frozen=True, slots=True)
class Through:
    """A step is through: the node as it is then, and what was found."""

    step: Step
    node: MetalNode | None = None
    facts: NodeFacts | None = None


@dataclass(frozen=True, slots=True)
class Silent:
    """Nothing came of it this time; the same is tried again."""

    words: str


class Superseded(Exception):
    """The errand was stopped, or another worker did this part: nothing of it is written down."""


Found = Through | Working | Silent | str
Offer = Callable[[str, dict[str, Any]], Awaitable[MetalNode | Working]]


async def run_metal_errand(database: Database, vault: Vault, peers: Peers, parcel: Parcel) -> None:
    """Do the next part of an errand; what it comes to is written down. Safe to do twice."""
    errand = await _current(database, parcel)
    if errand is None:
        return
    found = await _next_part(database, vault, peers, errand)
    try:
        async with database.transaction() as tx:
            await _keep(tx, errand, found)
    except Superseded:
        return
    except Refusal as refusal:
        async with database.transaction() as tx:
            await _give_up(tx, errand, refusal.message)


async def _current(database: Database, parcel: Parcel) -> ErrandView | None:
    """Return the errand if this part of it is to be done still."""
    async with database.snapshot() as tx:
        try:
            errand = await find_errand(tx, UUID(parcel.payload["errand"]))
        except NotFound:  # its server was removed
            return None
    is_due = errand.state is ErrandState.working and errand.turn == parcel.payload["turn"]
    return errand if is_due else None


async def _next_part(database: Database, vault: Vault, peers: Peers, errand: ErrandView) -> Found:
    """Return what came of the next part; a text says why the errand is given up."""
    async with database.snapshot() as tx:
        if tx.now() > errand.ends_at:
            return f"It was not done in time. {errand.error}".strip()
    try:
        async with asyncio.timeout(PART_S):
            return await _at_cloud(database, vault, peers, errand)
    except TimeoutError:
        return Silent(f"{errand.connection} gave no answer within {PART_S:g} s.")
    except WorkFailed as error:
        return error.message
    except Retriable as error:
        return Silent(error.message)
    except (DriverError, Refusal) as error:
        return error.message


async def _at_cloud(database: Database, vault: Vault, peers: Peers, errand: ErrandView) -> Found:
    """Raise what stands in the way: DriverError, Refusal."""
    async with database.transaction() as tx:
        await require_free(tx, errand.server, errand.wanted)
        peer = await open_connection(tx, vault, errand.connection)
        linked = await node_of(tx, errand.server)
        service = (await find_server(tx, errand.server)).service_id
    if not isinstance(peer, MetalPeer):
        return f"{errand.connection} is no cloud of bare metal."
    cloud, memo, mark = peers.metal(peer), errand.memo, str(errand.server)
    node = linked.node if linked and linked.connection == errand.connection else ""
    found: Found
    match errand.next_step, errand.wanted:
        case Step.known, Enrol() as want:
            async with database.snapshot() as tx:
                seed = await seed_of(tx, vault, errand.server, want)
            found = _through(Step.known, await cloud.enrol(seed, memo))
        case Step.taken_on, Adopt() as want:
            found = Through(Step.taken_on, await cloud.take_on(want.node, mark))
        case Step.withdrawn, Withdraw(name=name):
            async with database.snapshot() as tx:
                macs = await macs_of(tx, errand.server)
            left = await _withdraw(cloud, node, mark, memo, name=name, macs=macs)
            found = left or Through(Step.withdrawn)
        case ((Step.inspected | Step.offered | Step.adopted | Step.cleaned), _) if not node:
            raise NotFound("node of server", errand.server_name)
        case Step.inspected, _:
            found = await _inspect(cloud, node, memo)
        case Step.offered, _:
            offer = await _way_to_offer(database, cloud, errand)
            found = _through(Step.offered, await offer(node, memo))
        case Step.cleaned, _:
            found = _through(Step.cleaned, await cleaned(database, cloud, node, memo))
        case Step.adopted, _:
            found = _through(Step.adopted, await cloud.adopt(node, service, memo))
        case _:
            raise ErrandIsOver(errand.state)
    return found


async def _way_to_offer(database: Database, cloud: MetalCloud, errand: ErrandView) -> Offer:
    """Return how the node comes to be offered: cleaned anew where data of a client may be on it."""
    async with database.snapshot() as tx:
        may_hold_data = await tx.fetchval(
            "SELECT may_hold_data FROM server WHERE id = $1", errand.server
        )
    return cloud.clean if may_hold_data else cloud.offer


async def _inspect(cloud: MetalCloud, node: str, memo: dict[str, Any]) -> Through | Working:
    facts = await cloud.inspect(node, memo)
    if isinstance(facts, Working):
        return facts
    return Through(Step.inspected, await cloud.read(node), facts)


def _through(step: Step, found: MetalNode | Working) -> Through | Working:
    return found if isinstance(found, Working) else Through(step, found)


async def _withdraw(
    cloud: MetalCloud,
    node: str,
    mark: str,
    memo: dict[str, Any],
    *,
    name: str,
    macs: tuple[str, ...],
) -> Working | None:
    if not node:
        # It was stopped before it was written down which node it is.
        found = await cloud.find(name=name, macs=macs)
        node = found.id if found else ""
    return await cloud.withdraw(node, mark, memo) if node else None


async def _keep(tx: Tx, errand: ErrandView, found: Found) -> None:
    """Write down what came of a part. Raises NodeTaken."""
    match found:
        case str():
            await _give_up(tx, errand, found)
        case Silent(words):
            at = tx.now() + AGAIN
            await go_on(tx, errand, at=at, memo=errand.memo, says=errand.says, error=words)
        case Working(memo, again_s, says):
            await go_on(tx, errand, at=tx.now() + timedelta(seconds=again_s), memo=memo, says=says)
        case Through():
            await _keep_step(tx, errand, found)


async def _give_up(tx: Tx, errand: ErrandView, why: str) -> None:
    """End an errand that failed; a server that its cloud could not clean goes to quarantine.

    One that does not wait to be cleaned any more is left as it is. It is locked before the errand,
    as by whoever asks for another one.
    """
    if not isinstance(errand.wanted, Clean):
        await end(tx, errand, ErrandState.failed, error=why)
        return
    try:
        await require_free(tx, errand.server, errand.wanted)
    except (LeftCleaning, NotFound) as left:
        await end(tx, errand, ErrandState.stopped, says=left.message)
        return
    if await end(tx, errand, ErrandState.failed, error=why):
        await put_aside(tx, errand, why)


async def _keep_step(tx: Tx, errand: ErrandView, found: Through) -> None:
    is_last = found.step == errand.wanted.steps[-1]
    says = ""
    if found.step is Step.withdrawn:
        await forget_node(tx, errand.server)
    if found.node is not None:
        await keep_node(tx, errand, found.node)
    if found.facts is not None:
        await keep_facts(tx, errand, found.facts)
    if found.step is Step.offered and found.node is not None:
        want = errand.wanted
        if isinstance(want, Enrol) and want.stock:
            says = await put_into_stock(tx, errand, found.node)
    if found.step is Step.cleaned and found.node is not None:
        says = await put_back_clean(tx, errand, found.node)
    if is_last:
        is_kept = await end(tx, errand, ErrandState.done, says=says, done=found.step)
    else:
        is_kept = await go_on(tx, errand, at=tx.now(), memo={}, says="", done=found.step)
    if not is_kept:
        raise Superseded
