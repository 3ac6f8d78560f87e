"""Connections by hand: added, changed, tested, removed; their secrets never shown."""

import re
from typing import Any
from uuid import UUID

import pytest
from playwright.async_api import expect

from app.core.database import Database
from app.domain.accounts.roles import Role
from app.domain.connections.find import find_connection
from app.domain.connections.kinds import HttpFacts, Kind
from app.domain.connections.open import open_connection
from app.drivers.http.contract import Bearer
from app.drivers.secret import Secret
from tests.admin.conftest import Enter
from tests.admin.stage import Stage
from tests.admin.test_looks import address
from tests.admin.test_looks import enter as look
from tests.chromium import Contexts
from tests.connections.world import TYPED, WEBHOOK, a_flow, add
from tests.drivers.http.peer import raw_server, serving
from tests.drivers.ssh.host import PASSWORD, sshd
from tests.security.browser import Browser
from tests.security.test_pages import errors_of

NEW = "/admin/connections/new"
__all__ = ["address"]  # a fixture


async def view(database: Database, made: UUID) -> Any:
    async with database.snapshot() as tx:
        return await find_connection(tx, made)


@pytest.mark.parametrize("kind", Kind)
async def test_a_connection_of_every_kind_is_added(
    stage: Stage, owner: Browser, kind: Kind
) -> None:
    here = f"{NEW}/{kind}"
    assert here in (await owner.get(NEW)).text
    done = await owner.send_form(here, here, {"name": "mine", **TYPED[kind]})
    assert done.status_code == 303
    page = (await owner.get(done.headers["location"])).text
    assert "The connection is added" in page
    assert TYPED[kind]["secret"] not in page
    listed = (await owner.get("/admin/connections")).text
    assert "mine" in listed
    assert kind.label in listed
    assert TYPED[kind]["secret"] not in listed


async def test_faults_stand_beside_their_fields_and_no_secret_comes_back(
    stage: Stage, owner: Browser
) -> None:
    here = f"{NEW}/http"
    bad = {"name": "My API", "auth": "bearer", "base_url": "nowhere", "secret": "token-1234"}
    refused = await owner.send_form(here, here, bad)
    assert refused.status_code == 422
    assert set(errors_of(refused.text)) == {"name", "base_url"}
    assert 'value="nowhere"' in refused.text
    assert "token-1234" not in refused.text
    assert '<option value="bearer" selected>' in refused.text


async def test_an_unknown_kind_is_404(stage: Stage, owner: Browser) -> None:
    assert (await owner.get(f"{NEW}/ftp")).status_code == 404


async def test_a_choice_brings_its_own_fields(stage: Stage, owner: Browser) -> None:
    here = f"{NEW}/http"
    values = {"auth": "oauth2", "trust": "pin", "base_url": "https://api.test", "is_new": "on"}
    shown = (await owner.send_form(here, f"{here}/fields", values)).text
    names = re.findall(r'name="(\w+)"', shown)
    assert {"token_url", "client_id", "scope", "pin"} <= set(names)
    assert not {"username", "key_name", "ca_pem"} & set(names)
    assert 'value="https://api.test"' in shown


async def test_it_is_changed_and_its_secret_kept(stage: Stage, owner: Browser) -> None:
    made = await add(stage.database, stage.vault)
    here = f"/admin/connections/{made}"
    page = (await owner.get(here)).text
    assert 'value="https://api.test/v1"' in page
    assert "token-1234" not in page
    seen = (await view(stage.database, made)).updated_at.isoformat()
    values = {"base_url": "https://api.test/v2", "auth": "bearer", "trust": "system", "seen": seen}
    done = await owner.send_form(here, here, values)
    assert (done.status_code, done.headers["location"]) == (303, here)
    facts = (await view(stage.database, made)).facts
    assert isinstance(facts, HttpFacts)
    assert facts.base_url == "https://api.test/v2"
    async with stage.database.snapshot() as tx:
        peer: Any = await open_connection(tx, stage.vault, "shop")
    assert peer.auth == Bearer(Secret("token-1234"))
    assert "base url https://api.test/v1" in (await owner.get(here)).text


async def test_a_thief_is_asked_for_the_secret(stage: Stage, owner: Browser) -> None:
    made = await add(stage.database, stage.vault)
    here = f"/admin/connections/{made}"
    seen = (await view(stage.database, made)).updated_at.isoformat()
    values = {"base_url": "https://thief.test", "auth": "bearer", "trust": "system", "seen": seen}
    refused = await owner.send_form(here, here, values)
    assert refused.status_code == 422
    assert "leads elsewhere now" in errors_of(refused.text)["secret"]


async def test_two_who_change_it_at_once(stage: Stage, owner: Browser) -> None:
    made = await add(stage.database, stage.vault)
    here = f"/admin/connections/{made}"
    values = {"base_url": "https://api.test/v9", "auth": "bearer", "trust": "system"}
    for seen in ("2020-01-01T00:00:00", "nonsense"):
        refused = await owner.send_form(here, here, {**values, "seen": seen})
        assert refused.status_code == 409
        assert "Someone else changed" in refused.text
        assert "https://api.test/v9" in refused.text
    newer = re.search(r'name="seen" value="([^"]+)"', refused.text)
    assert newer is not None
    done = await owner.send_form(here, here, {**values, "seen": newer[1]})
    assert done.status_code == 303


async def test_it_is_removed_unless_a_flow_calls_it(stage: Stage, owner: Browser) -> None:
    made = await add(stage.database, stage.vault)
    here = f"/admin/connections/{made}"
    async with stage.database.transaction() as tx:
        await a_flow(tx, "shop")
    page = (await owner.get(here)).text
    assert "Shopping" in page
    assert f"{here}/remove" not in page
    kept = await owner.send_form(here, f"{here}/remove")
    assert kept.headers["location"] == here
    assert "Shopping calls shop" in (await owner.get(here)).text
    async with stage.database.transaction() as tx:
        await a_flow(tx, None)
    gone = await owner.send_form(here, f"{here}/remove")
    assert gone.headers["location"] == "/admin/connections"
    assert (await owner.get(here)).status_code == 404


async def test_what_a_test_says(stage: Stage, owner: Browser) -> None:
    async with serving() as peer:
        made = await add(stage.database, stage.vault, base_url=f"{peer.url}/v1", test_path="me")
        here = f"/admin/connections/{made}"

        async def says(*answer: Any) -> str:
            peer.routes["/v1/me"] = answer
            sent = await owner.send_form(here, f"{here}/test", headers={"HX-Request": "true"})
            assert sent.status_code == 200
            return sent.text

        good = await says(200, "", {})
        assert "It works" in good
        assert "GET /v1/me answers 200 OK" in good
        assert peer.last.headers["Authorization"] == "Bearer token-1234"
        bad = await says(401, "", {})
        assert "It does not work" in bad
        assert "tone-danger" in bad
        peer.routes["/v1/me"] = (200, "", {})
        plain = await owner.send_form(here, f"{here}/test")
        assert plain.headers["location"] == here
        assert "It works" in (await owner.get(here)).text


async def test_a_test_of_what_is_silent_ends(
    stage: Stage, owner: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.routes.admin.connections.TEST_S", 0.1)
    async with raw_server(None) as url:
        made = await add(stage.database, stage.vault, base_url=url)
        here = f"/admin/connections/{made}"
        sent = await owner.send_form(here, f"{here}/test", headers={"HX-Request": "true"})
    assert "no answer within 0.1 s" in sent.text


async def test_who_draws_flows_reads_where_it_leads_and_no_more(stage: Stage, enter: Enter) -> None:
    made = await add(stage.database, stage.vault, Kind.CHAT)
    designer = await enter(Role.DESIGNER)
    page = (await designer.get(f"/admin/connections/{made}")).text
    assert "hooks.chat.test" in page
    assert WEBHOOK not in page
    assert "<textarea" not in page
    assert f"/admin/connections/{made}/" not in page
    assert NEW not in (await designer.get("/admin/connections")).text


async def test_it_is_made_and_tested_in_the_browser(
    stage: Stage, contexts: Contexts, address: str
) -> None:
    page = await look(stage, contexts, address, size="desk", theme="light")
    async with sshd() as host:
        await page.goto(f"{address}{NEW}/ssh")
        await page.get_by_label("Name", exact=True).fill("backup-host")
        await page.get_by_label("Host", exact=True).fill("127.0.0.1")
        await page.get_by_label("Port").fill(str(host.port))
        await page.get_by_label("User name").fill("ada")
        await page.get_by_label("Host key").fill(host.public_key)
        await expect(page.get_by_label("Private key")).to_be_visible()
        await page.get_by_label("Sign in with").select_option("password")
        await page.get_by_label("Password", exact=True).fill(PASSWORD)
        await expect(page.get_by_label("Host", exact=True)).to_have_value("127.0.0.1")
        await page.get_by_role("button", name="Add the connection").click()
        await page.get_by_text("The connection is added").wait_for()
        await page.get_by_role("button", name="Test it").click()
        await page.get_by_text("It works").wait_for()
        await page.get_by_text("ada is let in by SSH-2.0").wait_for()
    assert await page.evaluate("broken") == []
