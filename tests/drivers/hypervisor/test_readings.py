"""Who asks for a reading of a cluster at the same moment shares one that began after all asked."""

import asyncio
from types import SimpleNamespace

import pytest

from app.drivers.errors import Unreachable
from app.drivers.hypervisor.proxmox import readings
from app.drivers.hypervisor.proxmox.readings import Readings

WHOSE = ("https://pve.example.test:8006", None)


class Cluster:
    """Counts its readings; each waits until it is let go on."""

    def __init__(self) -> None:
        self.begun = 0
        self.go_on = asyncio.Event()
        self.error: Exception | None = None

    async def read(self) -> int:
        self.begun += 1
        number = self.begun
        await self.go_on.wait()
        if self.error is not None:
            raise self.error
        return number


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_those_who_ask_while_one_is_read_share_the_next() -> None:
    cluster, shared = Cluster(), Readings()
    first = asyncio.create_task(shared.get(WHOSE, cluster.read))
    await settle()
    others = [asyncio.create_task(shared.get(WHOSE, cluster.read)) for _ in range(5)]
    await settle()
    assert cluster.begun == 1
    cluster.go_on.set()
    assert await first == 1
    assert await asyncio.gather(*others) == [2] * 5, "the one under way began before they asked"
    assert await shared.get(WHOSE, cluster.read) == 3


async def test_another_login_sees_what_it_may_see() -> None:
    cluster, shared = Cluster(), Readings()
    cluster.go_on.set()
    assert await shared.get(WHOSE, cluster.read, within_s=60.0) == 1
    assert await shared.get((WHOSE[0], "other"), cluster.read, within_s=60.0) == 2


async def test_one_may_be_as_old_as_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster, shared, now_s = Cluster(), Readings(), [10.0]
    monkeypatch.setattr(readings, "time", SimpleNamespace(monotonic=lambda: now_s[0]))
    cluster.go_on.set()
    assert await shared.get(WHOSE, cluster.read) == 1
    now_s[0] += 1.0
    assert await shared.get(WHOSE, cluster.read, within_s=2.0) == 1
    now_s[0] += 2.0
    assert await shared.get(WHOSE, cluster.read, within_s=2.0) == 2


async def test_all_who_share_it_are_told_of_its_error_and_the_next_is_read_anew() -> None:
    cluster, shared = Cluster(), Readings()
    cluster.error = Unreachable("pve", "no route to host")
    asked = [asyncio.create_task(shared.get(WHOSE, cluster.read)) for _ in range(3)]
    await settle()
    cluster.go_on.set()
    for one in asked:
        with pytest.raises(Unreachable):
            await one
    cluster.error = None
    assert await shared.get(WHOSE, cluster.read) == cluster.begun


async def test_one_who_gives_up_leaves_the_reading_to_the_next() -> None:
    cluster, shared = Cluster(), Readings()
    first = asyncio.create_task(shared.get(WHOSE, cluster.read))
    second = asyncio.create_task(shared.get(WHOSE, cluster.read))
    await settle()
    first.cancel()
    cluster.go_on.set()
    assert await second == 2
