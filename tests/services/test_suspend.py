"""What becomes of a service: each change once, on the record, and an event each time."""

import asyncio
from collections.abc import Awaitable
from typing import Any
from uuid import UUID

import msgspec
import pytest

from app.core.errors import NotFound
from app.core.ids import new_id
from app.domain.services.deliver import deliver_service
from app.domain.services.facts import service_facts
from app.domain.services.open import end_undelivered
from app.domain.services.states import WrongServiceState
from app.domain.services.suspend import suspend_service, unsuspend_service
from app.domain.services.terminate import terminate_service
from tests.services.hall import Hall

BY: dict[str, Any] = {"actor": None, "actor_label": "test"}


async def delivered(hall: Hall) -> None:
    async with hall.database.transaction() as tx:
        await deliver_service(tx, hall.service, server=hall.server)


async def suspend(hall: Hall, reason: str = "The invoice is overdue.") -> None:
    async with hall.database.transaction() as tx:
        await suspend_service(tx, hall.service, reason=reason, **BY)


async def unsuspend(hall: Hall) -> None:
    async with hall.database.transaction() as tx:
        await unsuspend_service(tx, hall.service, **BY)


async def terminate(hall: Hall, service: UUID | None = None) -> None:
    async with hall.database.transaction() as tx:
        await terminate_service(tx, service or hall.service, reason="Cancelled.", **BY)


async def events(hall: Hall) -> list[tuple[str, dict[str, Any]]]:
    async with hall.database.snapshot() as tx:
        rows = await tx.fetch(
            "SELECT topic, payload FROM outbox WHERE topic LIKE 'service.%' ORDER BY id"
        )
    return [(row["topic"], msgspec.json.decode(row["payload"])) for row in rows]


async def trail(hall: Hall) -> list[tuple[str, str, str, str]]:
    async with hall.database.snapshot() as tx:
        rows = await tx.fetch(
            """SELECT action, before->>'state' AS b, "after"->>'state' AS a, reason """
            "FROM audit_entry WHERE subject_kind = 'service' ORDER BY id"
        )
    return [tuple(row) for row in rows]


async def test_a_service_that_is_delivered_is_an_event_once(hall: Hall) -> None:
    assert await events(hall) == []
    await delivered(hall)
    await delivered(hall)
    ((topic, said),) = await events(hall)
    assert topic == "service.created"
    assert (said["service"], said["order"]) == (str(hall.service), str(hall.order))
    assert (said["state"], said["server"]) == ("active", str(hall.server))
    assert said["address"].startswith("192.0.2.")
    async with hall.database.snapshot() as tx:
        facts = await service_facts(tx, hall.service)
    assert msgspec.to_builtins(facts) == said
    assert await trail(hall) == []


async def test_a_service_that_runs_again_is_no_new_one(hall: Hall) -> None:
    await delivered(hall)
    await suspend(hall)
    await delivered(hall)
    async with hall.database.transaction() as tx:
        await tx.execute("DELETE FROM outbox")
    await suspend(hall)
    await delivered(hall)
    assert [topic for topic, _ in await events(hall)] == ["service.suspended"]


async def test_what_is_not_there_cannot_be_delivered(hall: Hall) -> None:
    async with hall.database.transaction() as tx:
        with pytest.raises(NotFound):
            await deliver_service(tx, new_id(), server=hall.server)
        with pytest.raises(NotFound):
            await service_facts(tx, new_id())


async def test_each_suspension_is_an_event_of_its_own(hall: Hall) -> None:
    await delivered(hall)
    for reason in ("The invoice is overdue.", "Abuse."):
        await suspend(hall, reason)
        await suspend(hall, "Again.")
        await unsuspend(hall)
        await unsuspend(hall)
    told = await events(hall)
    assert [(topic, said["reason"]) for topic, said in told[1:]] == [
        ("service.suspended", "The invoice is overdue."),
        ("service.unsuspended", ""),
        ("service.suspended", "Abuse."),
        ("service.unsuspended", ""),
    ]
    assert [said["state"] for _, said in told[1:3]] == ["suspended", "active"]
    assert await trail(hall) == [
        ("service.suspended", "active", "suspended", "The invoice is overdue."),
        ("service.unsuspended", "suspended", "active", ""),
        ("service.suspended", "active", "suspended", "Abuse."),
        ("service.unsuspended", "suspended", "active", ""),
    ]


async def test_two_people_suspend_it_at_once(hall: Hall) -> None:
    await delivered(hall)
    await asyncio.gather(*(suspend(hall) for _ in range(4)))
    assert len(await trail(hall)) == 1
    assert len(await events(hall)) == 2


@pytest.mark.parametrize("is_suspended", [False, True])
async def test_the_end_of_a_service_is_an_event_once(hall: Hall, is_suspended: bool) -> None:
    await delivered(hall)
    if is_suspended:
        await suspend(hall)
    await terminate(hall)
    await terminate(hall)
    topic, said = (await events(hall))[-1]
    assert (topic, said["state"], said["reason"]) == (
        "service.terminated",
        "terminated",
        "Cancelled.",
    )
    assert said["server"] == str(hall.server)
    before = "suspended" if is_suspended else "active"
    assert (await trail(hall))[-1] == ("service.terminated", before, "terminated", "Cancelled.")


async def refused(change: Awaitable[None], actual: str) -> None:
    with pytest.raises(WrongServiceState) as told:
        await change
    assert told.value.actual == actual


async def test_a_service_that_is_being_delivered_is_left_to_its_run(hall: Hall) -> None:
    for change in (suspend(hall), unsuspend(hall), terminate(hall)):
        await refused(change, "provisioning")
    async with hall.database.transaction() as tx:
        await end_undelivered(tx, hall.order)
    assert await events(hall) == []
    assert await trail(hall) == []


async def test_nothing_brings_back_a_service_that_is_over(hall: Hall) -> None:
    await delivered(hall)
    await terminate(hall)
    for change in (suspend(hall), unsuspend(hall)):
        await refused(change, "terminated")
    with pytest.raises(NotFound):
        await terminate(hall, new_id())
