"""A service's page: how to get in, and a password that is shown once."""

import html
import re
from datetime import timedelta
from uuid import UUID

import msgspec
import pytest

from app.components.portal.service_access import ssh_command
from app.core.clock import SetClock
from app.core.database import Database
from app.core.secrets import Vault
from app.domain.accounts.roles import Role
from app.domain.accounts.views import AccountView
from app.domain.inventory.power import note_power
from app.domain.inventory.register import register_bmc
from app.domain.inventory.seed import BmcSeed
from app.domain.machines.errand import Deed
from app.domain.metal.switch import (
    ServerSwitch,
    note_not_switched,
    note_switched,
    order_switch,
)
from app.domain.orders.find import find_order
from app.domain.services.credentials import read_access
from app.domain.services.find import find_service
from app.domain.services.open import open_service
from app.domain.services.states import ServiceState, move
from app.drivers.power import Power
from tests.accounts.people import make_account
from tests.portal.world import KEY, a_key, deliver, ordered, pay
from tests.security.browser import Browser


@pytest.fixture
async def service(database: Database, ada: AccountView, vault: Vault) -> str:
    async with database.transaction() as tx:
        order = await ordered(tx, ada, extra_ipv4="2", panel="cockpit", datacentre="fra1")
        await pay(tx, order)
        return str(await deliver(tx, vault, order))


async def secret_of(database: Database, vault: Vault, service: str) -> str:
    async with database.snapshot() as tx:
        access = await read_access(tx, vault, UUID(service))
    assert access.password is not None
    return access.password


async def test_the_page_has_everything_to_get_in_but_not_the_password(
    client: Browser, service: str, database: Database, vault: Vault
) -> None:
    page = (await client.get(f"/services/{service}")).text
    for words in (
        "ssh root@203.0.18.2",
        'data-copy="203.0.18.2"',
        'data-copy="203.0.18.129"',
        'data-copy="203.0.18.130"',
        "2001:db8:18:",
        "/64",
        "Debian 12",
        "https://203.0.18.2:9090",
        "fra1-r01-u0",
        "1 Apr 2026",
        "Running",
        "Show the password",
    ):
        assert words in page, words
    assert await secret_of(database, vault, service) not in page


async def test_the_password_is_shown_once_and_then_never_again(
    client: Browser, service: str, database: Database, vault: Vault, clock: SetClock
) -> None:
    here = f"/services/{service}"
    password = html.escape(await secret_of(database, vault, service))
    first = await client.send_form(here, f"{here}/credentials/reveal")
    assert first.status_code == 200
    assert f'data-copy="{password}"' in first.text
    assert "the only time it is shown here" in first.text
    assert first.headers["cache-control"] == "no-store"
    clock.advance(minutes=1)
    second = await client.send_form(here, f"{here}/credentials/reveal")
    assert second.status_code == 409
    assert "was shown before" in second.text
    page = await client.get(here)
    assert "Show the password" not in page.text
    assert password not in second.text + page.text
    again = await client.get(f"{here}/credentials/reveal")
    assert (again.status_code, again.headers["location"]) == (303, here)


async def test_keys_are_confirmed_by_fingerprint(
    client: Browser, database: Database, ada: AccountView, vault: Vault
) -> None:
    key = await a_key(database, ada)
    async with database.transaction() as tx:
        order = await ordered(tx, ada, ssh_keys=[str(key.id)])
        await pay(tx, order)
        service = await deliver(tx, vault, order, keys_only=True)
    here = f"/services/{service}"
    page = (await client.get(here)).text
    assert key.fingerprint in page
    assert re.search(r"laptop\s+<small>ssh-ed25519</small>", page)
    assert "Show the password" not in page
    assert "passwd" not in page
    # There is none to show, whoever asks for it.
    answer = await client.send_form("/products/metal-s", f"{here}/credentials/reveal")
    assert answer.status_code == 404
    async with database.transaction() as tx:
        await tx.execute("DELETE FROM ssh_key")
    assert "Pasted at the order" in (await client.get(here)).text


async def test_power_follows_the_bmc(
    client: Browser, service: str, database: Database, clock: SetClock
) -> None:
    async with database.transaction() as tx:
        server = await tx.fetchval("SELECT server FROM service")
        await note_power(tx, server, Power.OFF)
        order = await tx.fetchval('SELECT "order" FROM service')
        assert f"order:{order}" in tx.topics
    fragment = (await client.get(f"/services/{service}/status")).text
    assert "Switched off" in fragment
    assert f'data-live="service:{service} order:{order}"' in fragment
    assert "Switched off" in (await client.get("/services")).text


async def test_a_service_in_the_making_leads_to_its_delivery(
    client: Browser, database: Database, ada: AccountView
) -> None:
    async with database.transaction() as tx:
        order = await ordered(tx, ada)
        await pay(tx, order)
        service = await open_service(tx, order.id)
    page = (await client.get(f"/services/{service}")).text
    assert "is being set up" in page
    assert f'href="/orders/{order.id}"' in page
    assert "ssh " not in page


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (ServiceState.suspended, "This service is suspended"),
        (ServiceState.terminated, "This service has ended"),
    ],
)
async def test_a_service_that_does_not_run_says_so_and_keeps_its_password(
    client: Browser, service: str, database: Database, state: ServiceState, words: str
) -> None:
    here = f"/services/{service}"
    async with database.transaction() as tx:
        await move(tx, UUID(service), state)
    page = (await client.get(here)).text
    assert words in page
    assert "Show the password" not in page
    answer = await client.send_form("/products/metal-s", f"{here}/credentials/reveal")
    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("port", "command"), [(22, "ssh root@203.0.18.2"), (2222, "ssh -p 2222 root@203.0.18.2")]
)
async def test_another_ssh_port_is_in_the_command(
    service: str, database: Database, ada: AccountView, port: int, command: str
) -> None:
    async with database.snapshot() as tx:
        view = await find_service(tx, UUID(service), account=ada.id)
    assert ssh_command(view, port) == command


async def test_the_list_begins_empty(client: Browser) -> None:
    assert "No servers yet" in (await client.get("/services")).text


async def test_the_list_has_address_and_price(client: Browser, service: str) -> None:
    page = (await client.get("/services")).text
    assert "203.0.18.2" in page
    assert "€64.00" in page
    assert (await client.get("/services/rows?page=1")).text in page


async def test_the_pasted_key_is_named_as_such(
    client: Browser, database: Database, ada: AccountView, vault: Vault
) -> None:
    async with database.transaction() as tx:
        order = await ordered(tx, ada, ssh_key=KEY)
        await pay(tx, order)
        service = await deliver(tx, vault, order, keys_only=True)
        assert (await find_order(tx, order.id)).selection.ssh_keys
    assert "Pasted at the order" in (await client.get(f"/services/{service}")).text


async def test_a_server_is_switched_by_its_client_and_says_how_far_that_is(
    client: Browser, service: str, database: Database, vault: Vault
) -> None:
    here = f"/services/{service}"
    async with database.transaction() as tx:
        server = await tx.fetchval("SELECT server FROM service")
        await tx.execute("DELETE FROM bmc WHERE server = $1", server)
        await note_power(tx, server, Power.ON)
    assert "data-dialog-open" not in (await client.get(f"{here}/status")).text, "there is no way"
    async with database.transaction() as tx:
        seed = BmcSeed(url="https://one", username="root", password="calvin")
        await register_bmc(tx, vault, server, seed)
    fragment = (await client.get(f"{here}/status")).text
    assert "Something is being done to it" in fragment, "the run that delivers it is not over"
    assert "data-dialog-open" not in fragment
    async with database.transaction() as tx:
        await tx.execute("UPDATE run SET wake_at = $1", tx.now() + timedelta(days=7))
    assert "data-dialog-open" in (await client.get(f"{here}/status")).text, "it sleeps for a week"
    async with database.transaction() as tx:
        await tx.execute("UPDATE run SET status = 'succeeded', finished_at = $1", tx.now())
    page = (await client.get(here)).text
    for deed in ("stop", "restart", "reset"):
        assert f'data-dialog-open="power-{deed}"' in page
        assert f'action="{here}/power/{deed}"' in page
    assert f'action="{here}/power/start"' not in page, "it runs"
    sent = await client.send_form(here, f"{here}/power/restart", {})
    assert (sent.status_code, sent.headers["location"]) == (303, here)
    page = (await client.get(here)).text
    assert "It is being restarted" in page
    assert "data-dialog-open" not in (await client.get(f"{here}/status")).text
    await client.send_form(here, f"{here}/power/stop", {})
    assert "It is being switched already" in (await client.get(here)).text
    async with database.transaction() as tx:
        assert await tx.fetchval("SELECT count(*) FROM outbox WHERE topic = 'server.switch'") == 1
        await tx.execute(
            "UPDATE outbox SET payload = jsonb_set(payload, '{memo,asked}', '\"then\"') "
            "WHERE topic = 'server.switch'"
        )
    waits = (await client.get(f"{here}/status")).text
    assert "It is being restarted" in waits
    assert 'data-dialog-open="power-reset"' in waits, "who hangs need not be waited for"
    assert 'data-dialog-open="power-stop"' not in waits
    async with database.transaction() as tx:
        await tx.execute("UPDATE outbox SET done_at = $1 WHERE topic = 'server.switch'", tx.now())
        await note_power(tx, server, Power.OFF)
    page = (await client.get(f"{here}/status")).text
    assert f'action="{here}/power/start"' in page
    assert "power-stop" not in page
    async with database.transaction() as tx:
        payload = await tx.fetchval("SELECT payload FROM outbox WHERE topic = 'server.switch'")
        switch = msgspec.json.decode(payload, type=ServerSwitch)
        await note_switched(tx, switch, Power.ON)
    assert "It was restarted" in (await client.get(f"{here}/status")).text
    for power, how in (
        (Power.ON, "Nothing was done to it: it runs as before."),
        (Power.OFF, "Nothing was done to it: it is off as before."),
        (Power.UNKNOWN, "Nothing was done to it."),
    ):
        async with database.transaction() as tx:
            await note_not_switched(tx, switch, "no answer")
            await tx.execute("UPDATE server SET power = $1", power)
        page = (await client.get(f"{here}/status")).text
        assert "Restart: it could not be done" in page
        assert how in page
    async with database.transaction() as tx:
        await note_not_switched(tx, msgspec.structs.replace(switch, is_told=True), "no answer")
    page = (await client.get(f"{here}/status")).text
    assert "Restart: it could not be done" in page
    assert "Nothing was done to it" not in page


async def test_a_client_is_told_that_the_provider_shut_the_server_down(
    database: Database, vault: Vault, client: Browser, ada: AccountView, service: str,
    clock: SetClock,
) -> None:  # fmt: skip
    here = f"/services/{service}"
    staff = await make_account(database, "op@slipway.test", role=Role.OPERATOR, name="Olga")
    async with database.transaction() as tx:
        server = await tx.fetchval("SELECT server FROM service")
        await tx.execute("DELETE FROM bmc WHERE server = $1", server)
        seed = BmcSeed(url="https://one", username="root", password="calvin")
        await register_bmc(tx, vault, server, seed)
        await tx.execute("UPDATE run SET status = 'succeeded', finished_at = $1", tx.now())

    async def switched(deed: Deed, who: AccountView, found: Power) -> str:
        clock.advance(minutes=1)
        async with database.transaction() as tx:
            await order_switch(
                tx, server, deed, actor=who.id, actor_label=who.email, reason="it floods"
            )
            payload = await tx.fetchval(
                "UPDATE outbox SET done_at = $1 WHERE topic = 'server.switch' AND done_at IS NULL "
                "RETURNING payload", tx.now(),
            )  # fmt: skip
            await note_switched(tx, msgspec.json.decode(payload, type=ServerSwitch), found)
        return (await client.get(f"{here}/status")).text

    page = await switched(Deed.stop, ada, Power.OFF)
    assert "It was shut down" in page
    assert "We have shut it down" not in page, "it was the client"
    page = await switched(Deed.start, ada, Power.ON)
    page = await switched(Deed.stop, staff, Power.OFF)
    assert "We have shut it down" in page
    assert "It was shut down" not in page
    for word in ("Olga", staff.email, "it floods"):
        assert word not in page, "that is for staff"
    clock.advance(hours=1)
    assert "We have shut it down" in (await client.get(f"{here}/status")).text, "it still is"
    async with database.transaction() as tx:
        await note_power(tx, server, Power.ON)
        await note_power(tx, server, Power.OFF)
    assert "We have shut it down" not in (await client.get(f"{here}/status")).text, "it ran since"
    await switched(Deed.stop, staff, Power.OFF)
    page = await switched(Deed.start, ada, Power.ON)
    assert "We have shut it down" not in page
