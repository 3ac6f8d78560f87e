"""Machines that PVE's high availability looks after: nothing is done to them behind its back."""

from collections.abc import AsyncIterator
from functools import partial
from uuid import uuid4

import msgspec
import pytest

from app.drivers.errors import Retriable
from app.drivers.http.client import HttpClient
from app.drivers.hypervisor.contract import HypervisorPeer, Nic, Ref, Size, VmPower, VmWant
from app.drivers.hypervisor.proxmox import marks
from app.drivers.hypervisor.proxmox.adapter import Proxmox
from app.drivers.secret import Secret
from app.suites.hypervisor import through
from tests.drivers.hypervisor.ha_stack import HaStack, ha_before
from tests.drivers.hypervisor.turns import LocalTurns


@pytest.fixture
async def both(pve: HypervisorPeer, http: HttpClient) -> AsyncIterator[tuple[HaStack, Proxmox]]:
    async with ha_before(pve) as (stack, peer):
        yield stack, Proxmox(http, peer, LocalTurns())


@pytest.fixture
def want() -> VmWant:
    return VmWant(
        ref=Ref(uuid4(), "ha1.example.org"),
        template="debian-12",
        size=Size(cores=1, memory_mb=512, disk_gb=3),
        nic=Nic(address4="192.0.2.10/24", gateway4="192.0.2.1"),
        password=Secret("Fit for a client, 1!"),
    )


async def test_a_machine_under_ha_is_switched_by_ha(
    both: tuple[HaStack, Proxmox], want: VmWant
) -> None:
    stack, proxmox = both
    ref = want.ref
    made = await through(lambda memo: proxmox.create(want, memo))
    sid = stack.look_after(made.id, group="rack-a", max_restart=3)
    for wanted, told in ((VmPower.STOPPED, "stopped"), (VmPower.RUNNING, "started")):
        seen = await through(partial(proxmox.power, ref, wanted))
        assert (seen.power, stack.state[sid]) == (wanted, told)
    await through(lambda memo: proxmox.suspend(ref, memo))
    for _ in range(3):
        found = await proxmox.find(ref)
        assert found is not None
        assert (found.power, found.is_suspended) == (VmPower.STOPPED, True), "HA leaves it off"
    await through(lambda memo: proxmox.unsuspend(ref, memo))
    larger = Size(cores=2, memory_mb=1024, disk_gb=3)
    assert (await through(lambda memo: proxmox.resize(ref, larger, memo))).size == larger
    stack.said.clear()
    anew = await through(
        lambda memo: proxmox.reinstall(msgspec.structs.replace(want, size=larger), memo)
    )
    assert (anew.id, stack.said) == (made.id, ["left", "entered"])
    told = {key: str(value) for key, value in stack.asked_for[sid].items()}
    assert told == {"sid": sid, "state": "started", "group": "rack-a", "max_restart": "3"}
    await through(lambda memo: proxmox.delete(ref, memo))
    assert (await proxmox.find(ref), stack.asked_for) == (None, {})


async def test_what_ha_has_in_state_error_is_cleared_first(
    both: tuple[HaStack, Proxmox], want: VmWant
) -> None:
    stack, proxmox = both
    ref = want.ref
    made = await through(lambda memo: proxmox.create(want, memo))
    sid = stack.look_after(made.id, "error")
    await through(lambda memo: proxmox.suspend(ref, memo))
    assert stack.said == ["disabled", "started", "stopped"], "what runs is known to run, then ended"
    stack.state[sid] = "error"
    seen = await through(lambda memo: proxmox.unsuspend(ref, memo))
    assert (seen.power, stack.said[3:]) == (VmPower.RUNNING, ["disabled", "started"])
    stack.state[sid] = "error"
    await through(lambda memo: proxmox.delete(ref, memo), forgetful=True)
    assert (await proxmox.find(ref), stack.said[-1]) == (None, "left")


async def test_what_ha_cannot_do_is_told_and_tried_again(
    both: tuple[HaStack, Proxmox], want: VmWant
) -> None:
    stack, proxmox = both
    made = await through(lambda memo: proxmox.create(want, memo))
    stack.look_after(made.id)
    stack.failing, stack.version = 1, 8
    with pytest.raises(Retriable, match="state error"):
        await through(lambda memo: proxmox.power(want.ref, VmPower.STOPPED, memo))
    seen = await through(lambda memo: proxmox.power(want.ref, VmPower.STOPPED, memo))
    assert seen.power is VmPower.STOPPED
    await through(lambda memo: proxmox.reinstall(want, memo))
    await through(lambda memo: proxmox.delete(want.ref, memo))


async def test_fakepves_own_ha_is_waited_for(pve: HypervisorPeer, http: HttpClient) -> None:
    """Its `hastart` ends at once, and the machine runs ten of its seconds later."""
    proxmox = Proxmox(http, pve, LocalTurns())
    ref = Ref(uuid4(), "ha")
    machine = "nodes/pve2/qemu/102/config"
    await proxmox._api.put(machine, tags=marks.tag(ref.service))
    for wanted in (VmPower.RUNNING, VmPower.STOPPED):
        seen = await through(partial(proxmox.power, ref, wanted))
        assert seen.power is wanted
    await proxmox._api.put(machine, delete="tags")
