"""What every provider of virtual machines must do; an adapter's test class inherits.

The coroutines are tests: pytest-asyncio runs them with `asyncio_mode = "auto"`.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypeVar
from uuid import UUID, uuid4

import msgspec
import pytest

from app.drivers.errors import Refused
from app.drivers.hypervisor.contract import Hypervisor, Ref, Vm, VmPower, VmWant, Working

T = TypeVar("T")
Advance = Callable[[dict[str, Any]], Awaitable[T | Working]]


async def through(advance: Advance[T], *, forgetful: bool = False) -> T:
    """Call until it is through, as a flow does; `forgetful`: every memo is lost on the way."""
    memo: dict[str, Any] = {}
    for _ in range(400):
        found = await advance(memo)
        if not isinstance(found, Working):
            return found
        memo = {} if forgetful else msgspec.json.decode(msgspec.json.encode(found.memo))
        await asyncio.sleep(min(found.again_s, 0.05))  # the peer's clock runs fast too
    raise AssertionError(f"never through: {found}")


class HypervisorContract:
    """Needs the fixtures `hypervisor` and `want` (a machine that has room, of a new service)."""

    larger_plan = ""
    """Of a machine of two cores and twice the memory, where sizes go by plan alone."""

    async def test_the_provider_says_who_it_is(self, hypervisor: Hypervisor) -> None:
        assert await hypervisor.check()

    async def test_what_can_be_sold_is_named(self, hypervisor: Hypervisor, want: VmWant) -> None:
        offers = await hypervisor.offers()
        assert want.template in {offer.code for offer in offers.templates}
        assert all(offer.code and offer.label for offer in (*offers.nodes, *offers.storages))

    async def test_room_is_told_by_node(self, hypervisor: Hypervisor) -> None:
        for node in await hypervisor.capacity():
            assert 0 <= node.free_memory_mb <= node.memory_mb
            assert 0 <= node.free_disk_gb <= node.disk_gb

    async def test_a_whole_life(self, hypervisor: Hypervisor, want: VmWant) -> None:
        ref = want.ref
        assert await hypervisor.find(ref) is None
        made = await through(lambda memo: hypervisor.create(want, memo))
        assert (made.power, made.name, made.service) == (
            VmPower.RUNNING,
            ref.hostname,
            ref.service,
        )
        assert (made.size.cores, made.size.memory_mb) == (want.size.cores, want.size.memory_mb)
        assert await hypervisor.find(ref) == made
        assert made in await hypervisor.machines()
        assert await through(lambda memo: hypervisor.create(want, memo)) == made
        for wanted in (VmPower.STOPPED, VmPower.STOPPED, VmPower.RUNNING, VmPower.RUNNING):
            seen = await through(partial(hypervisor.power, ref, wanted))
            assert seen.power is wanted
        assert (await through(lambda memo: hypervisor.reboot(ref, memo))).power is VmPower.RUNNING
        await self._is_suspended_and_comes_back(hypervisor, ref)
        larger = msgspec.structs.replace(want.size, cores=2, memory_mb=want.size.memory_mb * 2)
        plan = self.larger_plan
        seen = await through(lambda memo: hypervisor.resize(ref, larger, memo, plan=plan))
        assert seen.size == larger
        again = msgspec.structs.replace(want, size=larger)
        anew = await through(lambda memo: hypervisor.reinstall(again, memo))
        assert (anew.id, anew.node, anew.power) == (made.id, made.node, VmPower.RUNNING)
        await through(lambda memo: hypervisor.delete(ref, memo))
        assert await hypervisor.find(ref) is None
        await through(lambda memo: hypervisor.delete(ref, memo))

    async def _is_suspended_and_comes_back(self, hypervisor: Hypervisor, ref: Ref) -> None:
        for _ in range(2):
            seen = await through(lambda memo: hypervisor.suspend(ref, memo))
            assert (seen.power, seen.is_suspended) == (VmPower.STOPPED, True)
        found = await hypervisor.find(ref)
        assert found is not None
        assert found.is_suspended
        with pytest.raises(Refused, match="suspended"):
            await through(lambda memo: hypervisor.power(ref, VmPower.RUNNING, memo))
        for _ in range(2):
            seen = await through(lambda memo: hypervisor.unsuspend(ref, memo))
            assert (seen.power, seen.is_suspended) == (VmPower.RUNNING, False)

    async def test_each_call_may_forget_what_the_last_one_said(
        self, hypervisor: Hypervisor, want: VmWant
    ) -> None:
        """As after a crash before a memo was kept: one machine is made, and it is taken away."""
        before = await hypervisor.machines()
        made = await through(lambda memo: hypervisor.create(want, memo), forgetful=True)
        ours = [vm for vm in await hypervisor.machines() if vm.service == want.ref.service]
        assert [vm.id for vm in ours] == [made.id]
        await through(lambda memo: hypervisor.suspend(want.ref, memo), forgetful=True)
        await through(lambda memo: hypervisor.unsuspend(want.ref, memo), forgetful=True)
        await through(lambda memo: hypervisor.delete(want.ref, memo), forgetful=True)
        assert {vm.id for vm in await hypervisor.machines()} == {vm.id for vm in before}

    async def test_many_at_once_are_each_their_own(
        self, hypervisor: Hypervisor, want: VmWant
    ) -> None:
        wants = [
            msgspec.structs.replace(want, ref=Ref(service, f"many{number}.example.org"))
            for number, service in enumerate(UUID(int=uuid4().int) for _ in range(4))
        ]
        made: list[Vm] = await asyncio.gather(
            *(through(partial(hypervisor.create, one)) for one in wants)
        )
        assert len({vm.id for vm in made}) == len(wants)
        for one in wants:
            await through(partial(hypervisor.delete, one.ref))

    async def test_a_machine_that_is_not_there(self, hypervisor: Hypervisor, want: VmWant) -> None:
        for advance in (
            lambda memo: hypervisor.power(want.ref, VmPower.RUNNING, memo),
            lambda memo: hypervisor.reinstall(want, memo),
            lambda memo: hypervisor.resize(want.ref, want.size, memo),
        ):
            with pytest.raises(Refused, match="no machine"):
                await through(advance)

    async def test_what_cannot_be_is_refused_with_its_reason(
        self, hypervisor: Hypervisor, want: VmWant
    ) -> None:
        with pytest.raises(Refused, match="no-such-template"):
            await through(
                lambda memo: hypervisor.create(
                    msgspec.structs.replace(want, template="no-such-template"), memo
                )
            )
        assert await hypervisor.find(want.ref) is None
