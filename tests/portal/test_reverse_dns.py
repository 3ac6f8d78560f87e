"""A client names the addresses of their own service, and nobody else's."""

import re

import pytest

from app.core.database import Database
from app.core.secrets import Vault
from app.domain.accounts.roles import Role
from app.domain.accounts.views import AccountView
from app.domain.addresses.names import NameState, list_names
from app.domain.addresses.push_names import note_failed, note_pushed, take_due
from tests.accounts.people import make_account
from tests.chromium import Contexts
from tests.portal.conftest import Site
from tests.portal.test_browser import check, open_browser, sign_in
from tests.portal.world import deliver, ordered, pay
from tests.security.browser import Browser


@pytest.fixture
async def here(database: Database, ada: AccountView, vault: Vault) -> str:
    """The page of a service with 203.0.18.2, two extras and a /64; another has 203.0.18.3."""
    async with database.transaction() as tx:
        order = await ordered(tx, ada, extra_ipv4="2", datacentre="fra1")
        await pay(tx, order)
        service = await deliver(tx, vault, order)
        await pay(tx, await ordered(tx, ada, datacentre="fra1"))
    return f"/services/{service}/reverse-dns"


async def names(database: Database) -> list[tuple[str, str | None, str]]:
    async with database.snapshot() as tx:
        found = (await list_names(tx)).items
    return [(str(one.address), one.hostname, one.state) for one in found]


async def test_a_client_names_addresses_of_the_service(
    client: Browser, database: Database, here: str
) -> None:
    service = await client.get(here.removesuffix("/reverse-dns"))
    assert f'href="{here}"' in service.text
    page = (await client.get(here)).text
    inside = re.search(r"2001:db8:18:[0-9a-f:]*:2", page)
    assert inside is not None
    assert page.count(">none<") == 4
    filled = (await client.get(f"{here}?address=203.0.18.2")).text
    assert 'value="203.0.18.2"' in filled
    # The last: another address of the /64 than the machine's first.
    six = inside[0].removesuffix("2") + "25"
    for address in ("203.0.18.2", six):
        given = {"address": address, "hostname": "Mail.Example.org."}
        saved = await client.send_form(here, here, given)
        assert saved.headers["location"] == here
    assert sorted(await names(database)) == [
        (six, "mail.example.org", "pending"),
        ("203.0.18.2", "mail.example.org", "pending"),
    ]
    region = (await client.get(f"{here}/names")).text
    assert region.count("Being set") == 2
    assert six in region
    async with database.transaction() as tx:
        pushed, failed = await take_due(tx, 2)
        await note_pushed(tx, pushed)
        await note_failed(tx, failed, "ns1: no answer in time")
    region = (await client.get(f"{here}/names")).text
    assert "Delayed" in region
    assert "ns1" not in region  # our servers' names are for staff
    await client.send_form(here, here, {"address": "203.0.18.2", "hostname": ""})
    assert "203.0.18.2" not in [one for one, name, _ in await names(database) if name]


@pytest.mark.parametrize(
    ("address", "hostname", "says"),
    [
        ("203.0.18.2", "mail", "Enter the whole name, for example mail.example.org."),
        ("203.0.18.2", "mail_1.example.org", "not “_”"),
        ("203.0.18.3", "mail.example.org", "203.0.18.3 is none of this server&#39;s addresses."),
        ("2001:db8::1", "mail.example.org", "2001:db8::1 is none of this server"),
        ("mail", "mail.example.org", "Enter an IPv4 or IPv6 address."),
    ],
    ids=["no domain", "underscore", "another service", "foreign", "no address"],
)
async def test_what_is_refused_stays_in_the_form(
    client: Browser, database: Database, here: str, address: str, hostname: str, says: str
) -> None:
    refused = await client.send_form(here, here, {"address": address, "hostname": hostname})
    assert refused.status_code == 422
    assert says in refused.text
    assert f'value="{hostname}"' in refused.text
    assert await names(database) == []


async def test_staff_see_what_failed_and_name_any_address(
    app: object, database: Database, client: Browser, here: str
) -> None:
    await client.send_form(here, here, {"address": "203.0.18.2", "hostname": "a.example.org"})
    async with database.transaction() as tx:
        [due] = await take_due(tx, 2)
        await note_failed(tx, due, "ns1: no answer in time")
    await make_account(database, "op@example.com", role=Role.OPERATOR)
    admin = "/admin/reverse-dns"
    async with Browser(app) as operator:
        await operator.sign_in("op@example.com")
        page = (await operator.get(f"{admin}?view=failed&q=a.example")).text
        assert "ns1: no answer in time" in page
        saved = await operator.send_form(
            admin, admin, {"address": "203.0.18.3", "hostname": "b.example.org"}
        )
        assert saved.headers["location"] == admin
        refused = await operator.send_form(
            admin, admin, {"address": "203.0.18.99", "hostname": "b.example.org"}
        )
        assert refused.status_code == 422
        assert "203.0.18.99 is nobody&#39;s: no order has it, and staff did not" in refused.text
        rows = (await operator.get(f"{admin}/rows")).text
        assert "b.example.org" in rows
    assert ("203.0.18.3", "b.example.org", NameState.pending) in await names(database)
    assert (await client.get(admin)).status_code == 404


async def test_the_page_in_a_browser(
    site: Site, contexts: Contexts, database: Database, here: str
) -> None:
    """At a desk and, by keyboard, on a phone in the dark: live, and nothing axe minds."""
    for size, theme in (("desk", "light"), ("phone", "dark")):
        page = await open_browser(contexts, size, theme)
        await sign_in(page, site)
        await page.goto(site.url(here))
        await page.get_by_role("link", name="Change 203.0.18.2").click()
        hostname = page.get_by_label("Host name")
        await hostname.fill(f"{size}.example.org")
        await hostname.press("Enter")
        await page.get_by_text("The host name of 203.0.18.2 is being set.").wait_for()
        await page.get_by_text("Live", exact=True).wait_for()
        async with database.transaction() as tx:
            [due] = await take_due(tx, 1)
        async with database.transaction() as tx:
            await note_pushed(tx, due)
        await page.get_by_text("Set", exact=True).wait_for()
        await check(page)
