"""A virtual server at each panel, from the paid order to the delivered mail, and to its end."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import pytest
from msgspec.structs import replace
from redis.asyncio import Redis

from app.core.clock import SetClock
from app.core.database import Database
from app.core.live import Live
from app.core.secrets import Vault
from app.domain.machines.rules import MachineRules
from app.domain.orders.states import OrderState
from app.domain.services.find import find_service
from app.domain.services.suspend import suspend_service, unsuspend_service
from app.domain.services.terminate import terminate_service
from app.drivers.hypervisor.contract import Ref, Size, Vm, VmPower
from app.settings import Settings
from tests.drivers.hypervisor import panels
from tests.jobs.desk import SETTINGS
from tests.machines.ills import BY, asked_for, by_hand, each_call_fails, each_call_of_a_life_fails
from tests.machines.sale import Sale, open_sale
from tests.machines.world import PLACE, RULES


@dataclass(frozen=True)
class Kind:
    """A provider, and what is sold there."""

    stand_in: Callable[..., Any]
    flow: str
    template: str
    plan: str
    other_plan: str
    other_template: str
    installed: Callable[[Any], object]
    """What its panel has on its only machine."""
    other: object
    """That, of the other template."""

    @property
    def rules(self) -> MachineRules:
        return replace(
            RULES,
            templates={"debian-12": self.template, "ubuntu-24.04": self.other_template},
            places=(replace(PLACE, plan=self.plan),),
        )


KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl ada"
KINDS = {
    "solusvm1": Kind(
        panels.solusvm1, "vps-solusvm1", "debian-12", "Small", "Large", "ubuntu-24.04",
        lambda panel: [one.template for one in panel.machines.values()], ["ubuntu-24.04"],
    ),
    "virtualizor": Kind(
        panels.virtualizor, "vps-virtualizor", "debian-12-x86_64 [kvm]", "Small", "Large",
        "ubuntu-24.04-x86_64", lambda panel: [one.osid for one in panel.machines.values()], [101],
    ),
    "solusvm2": Kind(
        panels.solusvm2, "vps-solusvm2", "Debian 12", "Small", "Large", "Ubuntu 24.04",
        lambda panel: [one.body["os"] for one in panel.servers.values()], [21],
    ),
}  # fmt: skip


@pytest.fixture(params=sorted(KINDS))
def kind(request: pytest.FixtureRequest) -> Kind:
    return KINDS[request.param]


@pytest.fixture
async def stand_in(kind: Kind, clock: SetClock) -> AsyncIterator[tuple[Any, Any]]:
    """The panel, and where it is."""
    made = kind.stand_in(lambda: clock.now().timestamp(), task_s=2.0, name="pve")
    async with made as (standin, peer):
        yield standin.panel, peer


@pytest.fixture
async def sale(
    kind: Kind,
    stand_in: tuple[Any, Any],
    database: Database,
    clock: SetClock,
    vault: Vault,
    redis: Redis,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Sale]:
    settings = Settings(_env_file=None, **SETTINGS)
    async with open_sale(
        database, clock, vault, Live(redis), settings, stand_in[1], monkeypatch, kind.rules
    ) as sale:
        yield sale


async def test_it_is_sold_changed_suspended_and_ended(
    sale: Sale, kind: Kind, stand_in: tuple[Any, Any]
) -> None:
    """Each event of its life starts the shipped flow, and the panel has it so."""
    desk = sale.desk
    (order,) = await sale.buy(None, ssh_key=KEY, extra_ipv4="2")
    await sale.go_on()
    order = await sale.order(order)
    assert (order.state, order.state_reason) == (OrderState.delivered, "")
    service = order.service_id
    assert service is not None
    (vm,) = await sale.machines()
    assert (vm.service, vm.power, vm.name) == (service, VmPower.RUNNING, "vm0.example.org")
    assert vm.size == Size(cores=1, memory_mb=512, disk_gb=5)
    mail = await desk.mail("service-delivered")
    kinds = [row["kind"] for row in await desk.rows("SELECT kind FROM credential")]
    assert kinds == (["ssh_keys"] if sale.cluster.takes_keys else ["root_password"])
    address, *extra = addresses = await sale.cluster.addresses(_ref(vm))
    async with desk.database.snapshot() as tx:
        shown = await find_service(tx, service, account=sale.account)
    had = [str(one.address) for one in shown.addresses.ip4]
    assert (had[0], sorted(had[1:]), len(extra)) == (address, sorted(extra), 2)
    assert await sale.addresses(order) == ["assigned"] * 3
    assert f"ssh root@{address}" in mail.text
    assert (
        await desk.value(
            "SELECT f.slug FROM run r JOIN flow_version v ON v.id = r.flow_version "
            "JOIN flow f ON f.id = v.flow WHERE r.subject = $1",
            order.id,
        )
        == kind.flow
    )

    package = {"cores": 2, "memory_mb": 1024, "disk_gb": 20, "plan": kind.other_plan}
    assert await by_hand(sale, "vps-resize", [service], package) == {"succeeded"}
    (vm,) = await sale.machines()
    assert (vm.size, vm.power) == (Size(cores=2, memory_mb=1024, disk_gb=20), VmPower.RUNNING)
    row = (await desk.rows("SELECT cores, memory_mb, disk_gb, plan FROM machine"))[0]
    assert dict(row) == package
    assert await by_hand(sale, "vps-resize", [service], package | {"disk_gb": 10}) == {"halted"}
    assert await by_hand(sale, "vps-reinstall", [service], {}) == {"succeeded"}
    (again,) = await sale.machines()
    assert (again.id, again.size, again.power) == (vm.id, vm.size, VmPower.RUNNING)
    assert await asked_for(sale, service, "ubuntu-24.04") == "succeeded"
    (again,) = await sale.machines()
    assert (again.id, again.size, again.power) == (vm.id, vm.size, VmPower.RUNNING)
    assert await sale.cluster.addresses(_ref(again)) == addresses
    assert kind.installed(stand_in[0]) == kind.other

    async with desk.database.transaction() as tx:
        await suspend_service(tx, service, **BY)
    await sale.go_on()
    (vm,) = await sale.machines()
    assert (vm.power, vm.is_suspended) == (VmPower.STOPPED, True)
    async with desk.database.transaction() as tx:
        await unsuspend_service(tx, service, **BY)
    await sale.go_on()
    (vm,) = await sale.machines()
    assert (vm.power, vm.is_suspended) == (VmPower.RUNNING, False)
    async with desk.database.transaction() as tx:
        await terminate_service(tx, service, **BY)
    await sale.go_on()
    assert await sale.machines() == []
    assert await sale.addresses(order) == []


async def test_a_call_that_fails_costs_a_retry_and_leaves_nothing_behind(sale: Sale) -> None:
    await each_call_fails(sale, changes=1, together=20)


async def test_each_call_of_its_life_may_fail(sale: Sale, kind: Kind) -> None:
    package = {"cores": 2, "memory_mb": 1024, "disk_gb": 20, "plan": kind.other_plan}
    await each_call_of_a_life_fails(sale, package)


def _ref(vm: Vm) -> Ref:
    return Ref(vm.service, vm.name)
