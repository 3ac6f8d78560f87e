"""A client has the server rescued and installed anew: what is offered, asked and refused."""

from uuid import UUID

import pytest

from app.core.clock import SetClock
from app.core.database import Database, Tx
from app.core.secrets import Vault
from app.domain.accounts.views import AccountView
from app.domain.metal.link import link_node
from app.domain.services.ask import note_rescue
from app.domain.services.facts import service_facts
from app.domain.services.prepare_live import PreparedLive, prepare_rescue
from app.domain.services.report_install import give_up
from app.domain.services.states import InstallationState
from app.domain.services.untouched import AWAITED, BOOTS, UNTOUCHED, note_reach
from app.flows.bind import bind
from app.flows.gallery import find_template
from app.flows.publish import publish
from tests.machines.books import a_machine_of
from tests.machines.world import a_machine_shop
from tests.portal.world import deliver, ordered, pay
from tests.security.browser import Browser
from tests.services.hall import SITE

OPENS = 'data-dialog-open="{}"'
FLOWS = {
    "service.reinstall": "server-reinstall",
    "service.rescue": "server-rescue",
    "service.unrescue": "server-unrescue",
}


@pytest.fixture
async def service(database: Database, ada: AccountView, vault: Vault) -> str:
    async with database.transaction() as tx:
        order = await ordered(tx, ada)
        await pay(tx, order)
        return str(await deliver(tx, vault, order))


async def serve(database: Database, service: str) -> None:
    async with database.transaction() as tx:
        category = (await service_facts(tx, UUID(service))).category
        for trigger, flow in FLOWS.items():
            await publish(tx, find_template(flow), note="shipped")
            await bind(tx, category=category, trigger=trigger, flow=flow)


async def asked(database: Database) -> list[tuple[str, str | None]]:
    async with database.snapshot() as tx:
        rows = await tx.fetch(
            "SELECT topic, payload->>'wanted_os' AS os FROM outbox WHERE topic = ANY($1) "
            "ORDER BY id",
            list(FLOWS),
        )
    return [(row["topic"], row["os"]) for row in rows]


async def test_what_no_flow_would_do_is_not_offered(
    client: Browser, service: str, database: Database
) -> None:
    async with database.transaction() as tx:
        await tx.execute("DELETE FROM flow_binding WHERE trigger = ANY($1)", list(FLOWS))
    here = f"/services/{service}"
    assert "Rescue and reinstall" not in (await client.get(here)).text
    assert (await client.get(f"{here}/reinstall")).status_code == 404
    refused = await client.send_form("/account", f"{here}/rescue")
    assert refused.status_code == 404


async def test_a_server_is_installed_anew_on_its_clients_word(
    client: Browser, service: str, database: Database
) -> None:
    await serve(database, service)
    here = f"/services/{service}"
    assert f"{here}/reinstall" in (await client.get(here)).text
    form = (await client.get(f"{here}/reinstall")).text
    host = form.split("Type ", 1)[1].split(" to confirm", 1)[0]
    there = f"{here}/reinstall"
    for typed in ({"os": "debian-12", "typed": "no"}, {"os": "windows", "typed": host}):
        sent = await client.send_form(there, there, typed)
        assert sent.status_code == 422
    assert await asked(database) == []
    sent = await client.send_form(there, there, {"os": "debian-12", "typed": host})
    assert (sent.status_code, sent.headers["location"]) == (303, here)
    assert await asked(database) == [("service.reinstall", "debian-12")]
    assert "is installed anew" in (await client.get(here)).text


async def test_one_thing_at_a_time_and_out_of_the_rescue_again(
    client: Browser, service: str, database: Database, vault: Vault
) -> None:
    await serve(database, service)
    here = f"/services/{service}"
    assert OPENS.format("unrescue") not in (await client.get(here)).text
    for _ in range(2):  # a double click
        assert (await client.send_form(here, f"{here}/rescue")).status_code == 303
    assert "installed or rescued already" in (await client.get(here)).text
    assert await asked(database) == [("service.rescue", None)]
    status = (await client.get(f"{here}/status")).text
    assert "Asked for: the server is booted into the rescue system" in status, "before it begins"
    assert "Wait until what is being done" in (await client.get(f"{here}/asks")).text
    async with database.transaction() as tx:
        server = await tx.fetchval("SELECT server FROM service WHERE id = $1", UUID(service))
        await tx.execute(
            "UPDATE prefix SET gateway = host(network)::inet + 1 WHERE gateway IS NULL"
        )
        await prepare_rescue(
            tx, vault, service=UUID(service), server=server, step_key="r:/:rescue#1", site=SITE
        )
    page = (await client.get(here)).text
    assert "is to be booted into the rescue system" in page
    assert "Asked for: " not in page
    assert "Wait until what is being done" in page
    await client.send_form(f"{here}/reinstall", f"{here}/rescue")
    assert "installed or rescued already" in (await client.get(here)).text
    async with database.transaction() as tx:
        await tx.execute("UPDATE installation SET state = 'installed'")
        await note_rescue(tx, UUID(service), runs=True)
    page = (await client.get(here)).text
    assert "The rescue system runs" in page
    assert "Get in as always" in page
    async with database.transaction() as tx:
        await link_node(tx, server, "fra-ironic", "node-7")
    page = (await client.get(here)).text
    assert "Get in as the user rescue" in page, "a cloud has a rescue system of its own"
    for shown in (page, (await client.get(f"{here}/asks")).text):
        assert OPENS.format("unrescue") in shown
        assert OPENS.format("rescue") not in shown
    await client.send_form(here, f"{here}/rescue")  # from a page that is older
    assert "runs its rescue system already" in (await client.get(here)).text
    await client.send_form(here, f"{here}/unrescue")
    assert [topic for topic, _ in await asked(database)] == ["service.rescue", "service.unrescue"]
    status = (await client.get(f"{here}/status")).text
    assert "Asked for: the server is booted from its disk" in status


async def test_what_was_asked_for_and_failed_or_never_began_is_not_told_for_ever(
    client: Browser, service: str, database: Database, clock: SetClock
) -> None:
    await serve(database, service)
    status = f"/services/{service}/status"
    await client.send_form(f"/services/{service}", f"/services/{service}/rescue")
    assert "Asked for: " in (await client.get(status)).text
    clock.advance(seconds=60)
    async with database.transaction() as tx:
        await tx.execute(
            "INSERT INTO installation (id, service, server, purpose, state, step_key, token_hash, "
            "sealed_spec, created_at, updated_at) SELECT id, id, server, 'rescue', 'failed', 'k', "
            "'k', '', $2, $2 FROM service WHERE id = $1",
            UUID(service),
            tx.now(),
        )
    assert "Asked for: " not in (await client.get(status)).text
    async with database.transaction() as tx:
        await tx.execute("DELETE FROM installation")
    assert "Asked for: " in (await client.get(status)).text
    clock.advance(minutes=15)
    assert "Asked for: " not in (await client.get(status)).text


async def ask_for_rescue(client: Browser, service: str, database: Database, clock: SetClock) -> str:
    """Return the service's page, a second after its client asked for it there."""
    await serve(database, service)
    here = f"/services/{service}"
    await client.send_form(here, f"{here}/rescue")
    clock.advance(seconds=1)
    return here


async def a_rescue(tx: Tx, vault: Vault, service: UUID) -> PreparedLive:
    """One that is prepared, as the first try of its step."""
    server = await tx.fetchval("SELECT server FROM service WHERE id = $1", service)
    await tx.execute("UPDATE prefix SET gateway = host(network)::inet + 1 WHERE gateway IS NULL")
    return await prepare_rescue(
        tx, vault, service=service, server=server, step_key="r:/:rescue#1", site=SITE
    )


async def test_a_client_reads_whether_anything_was_done_to_a_server_whose_bmc_is_away(
    client: Browser, service: str, database: Database, vault: Vault, clock: SetClock
) -> None:
    here = await ask_for_rescue(client, service, database, clock)
    async with database.transaction() as tx:
        made = await a_rescue(tx, vault, UUID(service))

    async def shown(stage: str) -> str:
        async with database.transaction() as tx:
            if stage:
                await note_reach(tx, made.id, stage, step="r:/:rescue#")
        return str((await client.get(f"{here}/status")).text)

    page = await shown("")
    assert "It begins in a moment." in page
    assert "Nothing was done" not in page, "nobody knows"
    page = await shown(UNTOUCHED)
    assert "management controller to answer. Nothing was done to your server yet" in page
    assert "it runs as before" in page
    async with database.transaction() as tx:
        await tx.execute("UPDATE server SET power = 'off'")
    assert "it is off as before" in await shown(UNTOUCHED)
    async with database.transaction() as tx:
        await tx.execute("UPDATE server SET power = 'unknown'")
    assert "Nothing was done to your server yet." in await shown(UNTOUCHED)
    assert "0 %" not in page
    async with database.transaction() as tx:
        await give_up(tx, "r:/:rescue#1", InstallationState.failed, "no answer")
        await tx.execute("UPDATE server SET power = 'on'")
        await tx.execute(
            "UPDATE run SET subject = $1, dedup_key = 'service.rescue:' || dedup_key",
            UUID(service),
        )
    assert "The rescue system was not started" not in await shown(""), "it is tried again"
    async with database.transaction() as tx:
        await tx.execute("UPDATE run SET status = 'halted'")
    page = await shown("")
    assert "The rescue system was not started" in page
    assert "Nothing was done to your server: it runs as before." in page
    async with database.transaction() as tx:
        await tx.execute("UPDATE installation SET stage = $1", AWAITED)
    page = await shown("")
    assert "The rescue system was not started" in page
    assert "We were told, and look at it." in page
    assert "as before" not in page
    clock.advance(days=1, seconds=1)
    assert "The rescue system was not started" not in await shown("")


async def test_what_came_to_nothing_may_be_asked_for_again_at_once(
    client: Browser, service: str, database: Database, vault: Vault, clock: SetClock
) -> None:
    here = await ask_for_rescue(client, service, database, clock)
    async with database.transaction() as tx:
        await a_rescue(tx, vault, UUID(service))
        await give_up(tx, "r:/:rescue#1", InstallationState.failed, "no answer")
        await tx.execute(
            "UPDATE run SET status = 'halted', dedup_key = 'service.rescue:' || dedup_key"
        )
    clock.advance(seconds=1)
    await client.send_form(here, f"{here}/rescue")
    assert "installed or rescued already" not in (await client.get(here)).text
    assert "Asked for: the server is booted" in (await client.get(f"{here}/status")).text
    assert [action for action, _ in await asked(database)] == ["service.rescue"] * 2


async def test_what_went_on_once_its_bmc_answered_is_told_so(
    client: Browser, service: str, database: Database, vault: Vault
) -> None:
    await serve(database, service)
    async with database.transaction() as tx:
        made = await a_rescue(tx, vault, UUID(service))
        await note_reach(tx, made.id, BOOTS, step="r:/:rescue#")
    status = f"/services/{service}/status"
    assert "the machine boots, 0 %" in (await client.get(status)).text
    async with database.transaction() as tx:
        await note_reach(tx, made.id, UNTOUCHED, step="r:/:rescue#")
    page = (await client.get(status)).text
    assert "It goes on by itself then." in page
    assert "Nothing was done" not in page


async def test_a_virtual_server_gets_another_system_and_no_rescue(
    client: Browser, database: Database, ada: AccountView, vault: Vault
) -> None:
    async with database.transaction() as tx:
        await a_machine_shop(tx, vault)
        service = str(await a_machine_of(tx, ada.id, 7))
        category = (await service_facts(tx, UUID(service))).category
        await publish(tx, find_template("vps-reinstall-asked"), note="shipped")
        await bind(tx, category=category, trigger="service.reinstall", flow="vps-reinstall-asked")
        for trigger in ("service.rescue", "service.unrescue"):
            await publish(tx, find_template(FLOWS[trigger]), note="shipped")
            await bind(tx, category=category, trigger=trigger, flow=FLOWS[trigger])
    here = f"/services/{service}"
    page = (await client.get(here)).text
    assert f"{here}/reinstall" in page
    assert f"{here}/rescue" not in page
    there = f"{here}/reinstall"
    form = (await client.get(there)).text
    assert [name in form for name in ("Debian 12", "Ubuntu 24.04", "Windows")] == [
        True,
        True,
        False,
    ]
    assert (await client.send_form(there, f"{here}/rescue")).status_code == 404
    typed = {"os": "ubuntu-24.04", "typed": "vm7.example.org"}
    assert (await client.send_form(there, there, typed)).status_code == 303
    assert await asked(database) == [("service.reinstall", "ubuntu-24.04")]
    assert (await client.send_form(there, there, typed)).status_code == 409, "once"


async def test_nothing_is_offered_until_the_run_that_was_asked_for_is_over(
    client: Browser, service: str, database: Database
) -> None:
    """Its machine has told that it is installed; whether it answers is looked at yet."""
    await serve(database, service)
    here = f"/services/{service}"
    assert f"{here}/reinstall" in (await client.get(f"{here}/asks")).text
    async with database.transaction() as tx:
        await tx.execute(
            "UPDATE run SET subject = $1, dedup_key = 'service.reinstall:' || dedup_key",
            UUID(service),
        )
    shown = (await client.get(f"{here}/asks")).text
    assert "Wait until what is being done" in shown
    assert f"{here}/reinstall" not in shown
    async with database.transaction() as tx:
        await tx.execute("UPDATE run SET finished_at = $1", tx.now())
    assert f"{here}/reinstall" in (await client.get(f"{here}/asks")).text
