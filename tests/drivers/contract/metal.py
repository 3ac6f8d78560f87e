"""What every cloud of bare metal must do; an adapter's test class inherits."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import pytest
from msgspec.structs import replace

from app.drivers.errors import DriverError
from app.drivers.metal.contract import (
    MetalCloud,
    MetalNode,
    MetalWant,
    NodeLost,
    NodeRef,
    NodeSeed,
    Stage,
    Working,
)
from app.drivers.power import Power
from app.drivers.secret import Secret
from app.suites.hypervisor import through

Enrolled = Callable[[], Awaitable[MetalNode]]
Wanted = Callable[[str], MetalWant]


class MetalContract:
    """Needs the fixtures `cloud`, `seed` (of a machine that it can make) and `wanted`.

    The last gives an installation, for a new service, on the node of an id.
    """

    async def test_the_cloud_says_what_it_is(self, cloud: MetalCloud) -> None:
        assert "node" in await cloud.check()

    async def test_a_machine_is_brought_in_once(self, cloud: MetalCloud, seed: NodeSeed) -> None:
        assert await cloud.find(name=seed.name, macs=seed.macs) is None
        made = await through(lambda memo: cloud.enrol(seed, memo))
        assert (made.name, made.stage) == (seed.name, Stage.MANAGEABLE)
        assert await through(lambda memo: cloud.enrol(seed, memo), forgetful=True) == made
        renamed = replace(seed, name=f"{seed.name}-again")
        adopted = await through(lambda memo: cloud.enrol(renamed, memo))
        assert adopted.id == made.id, "its card says which it is"
        assert await cloud.find(macs=seed.macs) == await cloud.find(name=seed.name) == made
        facts = await through(lambda memo: cloud.inspect(made.id, memo))
        assert set(seed.macs) <= set(facts.macs)
        offered = await through(lambda memo: cloud.offer(made.id, memo))
        assert offered.stage is Stage.AVAILABLE
        assert await through(lambda memo: cloud.inspect(made.id, memo)) == facts
        assert (await cloud.read(made.id)).stage is Stage.AVAILABLE, "it is offered again"
        assert made.id in {node.id for node in await cloud.nodes()}

    async def test_a_whole_life(self, cloud: MetalCloud, seed: NodeSeed, wanted: Wanted) -> None:
        await through(lambda memo: cloud.enrol(seed, memo))
        node = await through(lambda memo: cloud.offer(seed.name, memo))
        want = wanted(node.id)
        ref = want.ref
        made = await through(lambda memo: cloud.deploy(want, memo), forgetful=True)
        assert (made.id, made.stage) == (node.id, Stage.ACTIVE)
        assert made.instance
        assert await through(lambda memo: cloud.deploy(want, memo)) == made
        for power in (Power.OFF, Power.OFF, Power.ON, Power.ON):
            seen = await through(lambda memo, power=power: cloud.power(ref, power, memo))
            assert seen.power is power
        seen = await through(lambda memo: cloud.power(ref, Power.OFF, memo, soft=True))
        assert seen.power is Power.OFF
        assert (await through(lambda memo: cloud.reboot(ref, memo))).power is Power.ON
        password = Secret("only for the rescue")
        for _ in range(2):
            rescued = await through(lambda memo: cloud.rescue(ref, password, memo))
            assert rescued.stage is Stage.RESCUED
        for _ in range(2):
            back = await through(lambda memo: cloud.unrescue(ref, memo))
            assert back.stage is Stage.ACTIVE
        again = replace(want, attempt=str(uuid4()))
        anew = await through(lambda memo: cloud.reinstall(again, memo), forgetful=True)
        assert (anew.instance, anew.stage) == (made.instance, Stage.ACTIVE)
        for _ in range(2):
            assert await through(lambda memo: cloud.release(ref, memo)) is None
            assert (await cloud.read(node.id)).stage is Stage.AVAILABLE
        assert (await cloud.read(node.id)).instance == ""
        assert await cloud.history(node.id)

    async def test_a_node_is_examined_and_cleaned_anew(
        self, cloud: MetalCloud, seed: NodeSeed, wanted: Wanted
    ) -> None:
        await through(lambda memo: cloud.enrol(seed, memo))
        examined = await cloud.examine(seed.name)
        assert (examined.node.stage, examined.faults) == (Stage.MANAGEABLE, ())
        for _ in range(2):
            node = await through(lambda memo: cloud.clean(seed.name, memo))
            assert node.stage is Stage.AVAILABLE
        states: list[str] = []

        async def follow(memo: dict[str, Any]) -> MetalNode | Working:
            found = await cloud.clean(node.id, memo)
            states.append((await cloud.read(node.id)).state)
            return found

        await through(follow)
        assert set(states) > {"available"}, "what is offered is cleaned all the same"
        want = wanted(node.id)
        await through(lambda memo: cloud.deploy(want, memo))
        examined = await cloud.examine(node.id)
        assert (examined.node.stage, examined.node.service) == (Stage.ACTIVE, want.ref.service)
        with pytest.raises(NodeLost, match="has it"):
            await cloud.clean(node.id, {})
        await through(lambda memo: cloud.release(want.ref, memo))
        for _ in range(2):
            assert not (await cloud.end_maintenance(node.id)).in_maintenance

    async def test_a_node_has_one_service(
        self, cloud: MetalCloud, seed: NodeSeed, wanted: Wanted
    ) -> None:
        await through(lambda memo: cloud.enrol(seed, memo))
        node = await through(lambda memo: cloud.offer(seed.name, memo))
        mine, other = wanted(node.id), wanted(node.id)
        await through(lambda memo: cloud.deploy(mine, memo))
        acts: tuple[Callable[[], Awaitable[object]], ...] = (
            lambda: through(lambda memo: cloud.deploy(other, memo)),
            lambda: through(lambda memo: cloud.reinstall(other, memo)),
            lambda: through(lambda memo: cloud.power(other.ref, Power.OFF, memo)),
            lambda: through(lambda memo: cloud.rescue(other.ref, Secret("let me in"), memo)),
        )
        for act in acts:
            with pytest.raises(NodeLost, match="has it"):
                await act()
        assert await through(lambda memo: cloud.release(other.ref, memo)) is None
        assert (await cloud.read(node.id)).stage is Stage.ACTIVE, "another's is left alone"
        await through(lambda memo: cloud.release(mine.ref, memo))

    async def test_a_node_that_is_not_there(self, cloud: MetalCloud, wanted: Wanted) -> None:
        nowhere = wanted(str(uuid4()))
        with pytest.raises(NodeLost):
            await through(lambda memo: cloud.deploy(nowhere, memo))
        with pytest.raises(DriverError):
            await cloud.read(nowhere.ref.node)
        for act in (cloud.examine, cloud.end_maintenance):
            with pytest.raises(NodeLost):
                await act(nowhere.ref.node)
        with pytest.raises(NodeLost):
            await cloud.clean(nowhere.ref.node, {})
        gone = NodeRef(nowhere.ref.node, uuid4())
        assert await through(lambda memo: cloud.release(gone, memo)) is None
