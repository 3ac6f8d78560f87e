"""A machine that does not go on as it is told is found out long before two minutes have passed."""

import math
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from app.core.clock import SetClock
from app.domain.services.pace import LEAST_OTHERS
from app.domain.services.power_pace import power_patience
from app.drivers.errors import NotReached, Refused
from app.drivers.power import Power
from app.flows.booting import Disobeyed
from app.flows.node import Done, StepFailed, Wait
from app.flows.nodes import install_os, recover_bmc
from tests.services.hall import Hall
from tests.services.test_pace import others

LONGEST_S = 1.0
"""As long as any machine may take, in these tests."""


async def install(hall: Hall, node: str = "install", *, attempt: int = 1) -> Done | Wait:
    params = install_os.Params(hall.service, hall.server)
    return await install_os.do(hall.step(node=node, attempt=attempt), params)


async def recover(hall: Hall, **memo: Any) -> Done | Wait:
    params = recover_bmc.Params(server=hall.server)
    return await recover_bmc.do(hall.step(node="bmc", **memo), params)


async def others_took(hall: Hall, power_s: float, number: int = LEAST_OTHERS) -> None:
    """Let so many have been installed before the second attempt, each on within `power_s`."""
    await hall.installation()
    await others(hall, number)
    async with hall.database.transaction() as tx:
        await tx.execute(
            "UPDATE installation SET log = jsonb_set(log, '{0,power_s}', to_jsonb($1::float8)) "
            "WHERE state = 'installed'",
            power_s,
        )


async def first_word(hall: Hall, key: str = "run:/:install#1") -> dict[str, Any]:
    async with hall.database.snapshot() as tx:
        word: str = await tx.fetchval("SELECT log -> 0 FROM installation WHERE step_key = $1", key)
    return msgspec.json.decode(word, type=dict[str, Any])


async def patience_s(hall: Hall) -> float:
    async with hall.database.snapshot() as tx:
        return await power_patience(tx, hall.server, LONGEST_S)


async def test_it_is_kept_how_long_a_machine_took_to_go_on(
    hall: Hall, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def follow(wanted: Power, *, deadline_s: float) -> None:
        clock.advance(seconds=3 if wanted is Power.ON else 5)

    monkeypatch.setattr(hall.bmc, "ensure", follow)
    wait = await install(hall)
    assert isinstance(wait, Wait)
    assert (await first_word(hall))["power_s"] == 3.0


async def test_late_is_what_takes_longer_than_others_did(hall: Hall) -> None:
    assert await patience_s(hall) == LONGEST_S, "nothing is known"
    await others_took(hall, 0.3, LEAST_OTHERS - 1)
    assert await patience_s(hall) == LONGEST_S, "too little is known"
    await others_took(hall, 0.3, 1)
    assert await patience_s(hall) == pytest.approx(0.6)
    await others_took(hall, 0.3, 15)
    assert await patience_s(hall) == pytest.approx(0.375)
    await others_took(hall, 0.01)
    assert await patience_s(hall) == LONGEST_S / 8, "never in no time"
    await others_took(hall, 0.95)
    assert await patience_s(hall) == LONGEST_S


async def test_what_ignores_that_it_is_switched_on_is_given_up_for_another(
    hall: Hall, clock: SetClock
) -> None:
    """It is not tried again at once, nor is it well because its BMC answers."""
    await others_took(hall, 0.1)
    hall.bmc.on_after_s = math.inf
    with pytest.raises(Refused, match=r"asked for on, still off after 0\.2 s"):
        await install(hall, attempt=2)
    assert (await first_word(hall, "run:/:install#2"))["power_late_s"] == 0.2
    assert hall.bmc.told[-1] == "power on"
    wait = await recover(hall)
    assert isinstance(wait, Wait)
    assert hall.bmc.told[-2:] == ["power on", "reset"]
    assert hall.bmc.waited_s == [0.2, 0.4], "twice as long as before"
    clock.advance(seconds=20)
    wait = await recover(hall, **wait.memo)
    assert isinstance(wait, Wait)
    clock.advance(seconds=15)
    with pytest.raises(StepFailed, match="was restarted, and still: asked for on"):
        await recover(hall, **wait.memo)


async def test_what_is_slow_to_go_on_and_healthy_is_installed(hall: Hall) -> None:
    await others_took(hall, 0.1)
    hall.bmc.on_after_s = 0.35
    with pytest.raises(Refused):
        await install(hall, attempt=2)
    done = await recover(hall)
    assert isinstance(done, Done)
    assert (done.port, done.output.trouble) == ("out", "it did not go on or off within 0.2 s")
    assert hall.bmc.told[-2:] == ["power on", "power off"]
    assert "reset" not in hall.bmc.told
    assert isinstance(await install(hall, "again"), Wait)
    assert hall.bmc.waited_s[-1] == 0.4
    done = await recover(hall)
    assert isinstance(done, Done)
    assert done.port == "fine", "it has gone on since"


async def test_a_bmc_that_said_nothing_has_all_the_time_there_is(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another worker had its turn there, say, and died in it."""
    told: list[tuple[Power, float]] = []

    async def silent_at_first(wanted: Power, *, deadline_s: float) -> None:
        told.append((wanted, deadline_s))
        if len(told) == 1:
            raise NotReached("its BMC", wanted=wanted, seen=Power.UNKNOWN, deadline_s=deadline_s)

    await others_took(hall, 0.1)
    monkeypatch.setattr(hall.bmc, "ensure", silent_at_first)
    assert isinstance(await install(hall, attempt=2), Wait)
    assert told == [
        (Power.OFF, pytest.approx(0.2)), (Power.OFF, pytest.approx(0.8)),
        (Power.ON, pytest.approx(0.2)),
    ]  # fmt: skip


async def test_where_no_other_fits_it_is_tried_again_for_longer(hall: Hall) -> None:
    await others_took(hall, 0.1)
    async with hall.database.transaction() as tx:
        await tx.execute("UPDATE server SET state = 'maintenance' WHERE holder IS NULL")
    hall.bmc.on_after_s = math.inf
    for attempt in range(2, 6):
        with pytest.raises(Disobeyed):
            await install(hall, attempt=attempt)
    assert hall.bmc.waited_s == [0.2, 0.4, 0.8, LONGEST_S]


async def test_a_restarted_bmc_that_starts_is_waited_for_and_one_that_disobeys_is_not(
    hall: Hall, clock: SetClock
) -> None:
    hall.bmc.refuses = "starting"
    wait = await recover(hall)
    for _ in range(4):
        assert isinstance(wait, Wait)
        clock.advance(seconds=20)
        wait = await recover(hall, **wait.memo)
    hall.bmc.refuses, hall.bmc.reverts = "", True
    assert isinstance(wait, Wait)
    wait = await recover(hall, **wait.memo)
    assert isinstance(wait, Wait)
    assert wait.until == clock.now() + timedelta(seconds=15)
    with pytest.raises(StepFailed, match="was restarted, and still: boot: it was reverted"):
        await recover(hall, **wait.memo)
