"""A machine that falls silent is late long before an hour, where others tell what is usual."""

from datetime import timedelta

import pytest

from app.core.clock import SetClock
from app.core.ids import new_id
from app.domain.services.pace import LEAST_OTHERS, Usual, usual_wait
from app.domain.services.report_install import (
    find_open,
    report_boot,
    report_done,
    report_failed,
    report_progress,
)
from app.flows.node import StepFailed, Wait
from app.flows.nodes import install_os
from tests.services.hall import Hall

KEY = "run:/:install#1"
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


async def enter(hall: Hall, **memo: object) -> Wait:
    params = install_os.Params(hall.service, hall.server)
    wait = await install_os.do(hall.step(**memo), params)
    assert isinstance(wait, Wait)
    return wait


async def says(hall: Hall, stage: str, percent: int) -> None:
    token = (await hall.installation(KEY)).spec.callback_base.rpartition("/")[2]
    async with hall.database.transaction() as tx:
        found = await find_open(tx, hall.vault, token=token)
        if stage == "booting":
            await report_boot(tx, found)
        else:
            await report_progress(tx, found, stage=stage, percent=percent)


async def others(
    hall: Hall, number: int = LEAST_OTHERS, *, minutes: int = 4, elsewhere: bool = False
) -> None:
    """Let as many have been installed as this one is, with so long from each word to the next.

    `elsewhere` is on another kind of machine.
    """
    async with hall.database.transaction() as tx:
        if elsewhere:
            await tx.execute(
                "WITH other AS (INSERT INTO cpu_model (id, name, cores, threads) "
                "VALUES ($1, $1::uuid::text, 8, 16) RETURNING id) "
                "UPDATE server SET cpu_model = (SELECT id FROM other) WHERE holder IS NULL",
                new_id(),
            )
        for _ in range(number):
            await tx.execute(
                "INSERT INTO installation (id, service, server, step_key, token_hash, sealed_spec, "
                "state, created_at, updated_at, log) SELECT $2::uuid, service, CASE WHEN $4 THEN "
                "(SELECT id FROM server WHERE holder IS NULL) ELSE server END, $2::uuid::text, "
                "$2::uuid::text::bytea, '', 'installed', created_at, updated_at, (SELECT jsonb_agg("
                "jsonb_build_object('percent', p, 'os', 'debian-12', 'at', "
                "created_at + n * $3::interval)) "
                "FROM unnest(ARRAY[0, 1, 30, 60, 85, 100]) WITH ORDINALITY AS w (p, n)) "
                "FROM installation WHERE step_key = $1",
                KEY,
                new_id(),
                minutes * MINUTE,
                elsewhere,
            )


async def usual(hall: Hall) -> Usual | None:
    made = await hall.installation(KEY)
    async with hall.database.snapshot() as tx:
        return await usual_wait(tx, made.id)


async def test_it_is_kept_when_an_installation_got_further(hall: Hall, clock: SetClock) -> None:
    await hall.installation(KEY)
    clock.advance(minutes=7)  # a worker died in between
    began = clock.now()
    await enter(hall)
    for stage, percent in (("booting", 1), ("packages", 60), ("late", 30), ("packages", 60)):
        clock.advance(minutes=1)
        await says(hall, stage, percent)
    clock.advance(minutes=1)
    token = (await hall.installation(KEY)).spec.callback_base.rpartition("/")[2]
    async with hall.database.transaction() as tx:
        await report_done(tx, await find_open(tx, hall.vault, token=token))
        rows = await tx.fetch(
            "SELECT (w->>'percent')::int AS percent, (w->>'at')::timestamptz AS at, w->>'os' AS os "
            "FROM installation, jsonb_array_elements(log) AS w"
        )
    assert [(row["percent"], row["at"] - began, row["os"]) for row in rows] == [
        (0, timedelta(), "debian-12"), (1, MINUTE, None), (60, 2 * MINUTE, None),
        (100, 5 * MINUTE, None),
    ]  # fmt: skip


async def test_a_machine_that_is_late_is_given_up_for_another(hall: Hall, clock: SetClock) -> None:
    first = await enter(hall)
    await others(hall)
    await says(hall, "packages", 60)
    wait = await enter(hall, **first.memo)
    for minutes in range(1, 9):
        # One minute at most: then more is known of others.
        assert wait.until == clock.now() + MINUTE
        clock.advance(minutes=1)
        if minutes < 8:
            wait = await enter(hall, **wait.memo)
    with pytest.raises(StepFailed, match=r"for 8 min; others took 4 min .* “packages”") as late:
        await enter(hall, **wait.memo)
    assert not late.value.transient, "the next rung, not the same again"
    assert (await hall.state())[0] == "failed"
    assert hall.bmc.told[-1] == "power off"


async def test_where_no_other_fits_it_gets_all_the_time_there_is(
    hall: Hall, clock: SetClock
) -> None:
    first = await enter(hall)
    await others(hall)
    async with hall.database.transaction() as tx:
        await tx.execute("UPDATE server SET state = 'maintenance' WHERE holder IS NULL")
    clock.advance(minutes=9)
    wait = await enter(hall, **first.memo)
    assert wait.until == clock.now() + MINUTE
    clock.advance(minutes=51)
    with pytest.raises(StepFailed, match=r"no word from the machine for 1 h$") as silent:
        await enter(hall, **wait.memo)
    assert silent.value.transient


async def test_a_machine_that_is_slow_all_the_time_is_not_late(hall: Hall, clock: SetClock) -> None:
    """It took twice as long as any other up to here, and may as well from here."""
    wait = await enter(hall)
    await others(hall)
    clock.advance(minutes=24)
    await says(hall, "packages", 60)
    assert await usual(hall) == Usual(4 * MINUTE, 5, 0, 2.0)
    for _ in range(15):
        clock.advance(minutes=1)
        wait = await enter(hall, **wait.memo)
    clock.advance(minutes=1)
    with pytest.raises(StepFailed, match="for 16 min; others took 4 min"):
        await enter(hall, **wait.memo)


async def test_what_is_usual_is_told_of_what_is_alike_alone(hall: Hall, clock: SetClock) -> None:
    await enter(hall)
    await others(hall, LEAST_OTHERS - 1)
    assert await usual(hall) is None, "too few"
    await others(hall, 1, minutes=5)
    assert await usual(hall) == Usual(5 * MINUTE, 5, 0)
    await others(hall, LEAST_OTHERS, minutes=7, elsewhere=True)
    assert await usual(hall) == Usual(5 * MINUTE, 5, 0), "this kind of machine is known"
    await says(hall, "kernel", 50)
    assert await usual(hall) is None, "nobody else said that"
    await says(hall, "configuring", 85)
    assert await usual(hall) is None, "a client's own scripts take what they take"
    for change in ("log = jsonb_set(log, '{0,os}', '\"other\"')", "purpose = 'rescue'"):
        async with hall.database.transaction() as tx:
            await tx.execute(
                f"UPDATE installation SET percent = 60, {change} WHERE step_key <> $1", KEY
            )
            await tx.execute("UPDATE installation SET percent = 60 WHERE step_key = $1", KEY)
        assert await usual(hall) is None


async def test_twice_as_many_on_other_kinds_of_machines_tell_it_too(hall: Hall) -> None:
    await enter(hall)
    await others(hall, LEAST_OTHERS - 1)
    await others(hall, LEAST_OTHERS, minutes=7, elsewhere=True)
    assert await usual(hall) is None
    await others(hall, 1, minutes=7, elsewhere=True)
    assert await usual(hall) == Usual(7 * MINUTE, 10, 0)


async def test_each_failure_doubles_the_time(hall: Hall) -> None:
    first = (await hall.installation(KEY)).spec.callback_base.rpartition("/")[2]
    await others(hall)
    async with hall.database.transaction() as tx:
        await report_failed(tx, await find_open(tx, hall.vault, token=first), "no disk")
        again = await hall.prepare(tx, "run:/:again#1")
        assert await usual_wait(tx, again.id) == Usual(4 * MINUTE, 5, 1)
    assert [Usual(4 * MINUTE, 10, failed).late_after(HOUR) for failed in (0, 1, 3, 4, 90)] == [
        6 * MINUTE, 12 * MINUTE, 48 * MINUTE, HOUR, HOUR,
    ]  # fmt: skip


def test_the_more_is_known_the_sooner_it_is_late_and_never_in_no_time() -> None:
    assert [Usual(4 * MINUTE, others, 0).late_after(HOUR) for others in (5, 10, 20, 50)] == [
        8 * MINUTE, 6 * MINUTE, 5 * MINUTE, 5 * MINUTE,
    ]  # fmt: skip
    assert Usual(9 * SECOND, 50, 0).late_after(HOUR) == MINUTE
    assert Usual(SECOND, 50, 0).late_after(MINUTE) == 5 * SECOND
    assert Usual(SECOND, 50, 9).late_after(3 * SECOND) == 3 * SECOND
