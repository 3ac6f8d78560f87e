"""What the staff decide about a service: the state, the word to the flows, the trail."""

import re
from typing import Any
from uuid import UUID

from app.core.database import Database
from app.core.ids import new_id
from tests.admin.stage import Stage, bind_template
from tests.security.browser import Browser
from tests.security.test_pages import errors_of


async def _decide(owner: Browser, service: UUID, deed: str, **typed: str) -> Any:
    here = f"/admin/services/{service}/{deed}"
    return await owner.send_form(here, here, {"reason": "unpaid for a month", **typed})


async def _service(stage: Stage, host: str) -> UUID:
    order = await stage.delivered(host=host)
    assert order.service_id is not None
    return order.service_id


async def _told(database: Database) -> list[tuple[str, str]]:
    async with database.snapshot() as tx:
        rows = await tx.fetch(
            "SELECT topic, payload->>'reason' AS reason FROM outbox "
            "WHERE topic LIKE 'service.%' AND topic <> 'service.created' ORDER BY id"
        )
    return [(row["topic"], row["reason"]) for row in rows]


async def test_a_service_is_suspended_goes_on_and_ends(stage: Stage, owner: Browser) -> None:
    service = await _service(stage, "one.example.org")
    here = f"/admin/services/{service}"
    page = (await owner.get(here)).text
    assert f"{here}/suspend" in page
    assert f"{here}/unsuspend" not in page
    asked = (await owner.get(f"{here}/suspend")).text
    assert "No enabled flow serves service.suspended" in asked
    sent = await _decide(owner, service, "suspend")
    assert (sent.status_code, sent.headers["location"]) == (303, here)
    page = (await owner.get(here)).text
    assert "The service is suspended." in page
    assert "unpaid for a month" in page
    assert f"{here}/unsuspend" in page
    await _decide(owner, service, "unsuspend", reason="it is paid")
    done = await _decide(owner, service, "terminate", typed="one.example.org")
    assert done.status_code == 303
    page = (await owner.get(here)).text
    assert "The service is terminated." in page
    assert not any(f"{here}/{deed}" in page for deed in ("suspend", "unsuspend", "terminate"))
    assert await _told(stage.database) == [
        ("service.suspended", "unpaid for a month"),
        ("service.unsuspended", "it is paid"),
        ("service.terminated", "unpaid for a month"),
    ]


async def test_each_boot_of_its_server_is_named_for_what_it_was(
    stage: Stage, owner: Browser
) -> None:
    service = await _service(stage, "one.example.org")
    async with stage.database.transaction() as tx:
        for purpose in ("install", "rescue"):
            key = new_id()
            await tx.execute(
                "INSERT INTO installation (id, service, server, purpose, state, step_key, "
                "token_hash, sealed_spec, created_at, updated_at) "
                "SELECT $1, id, server, $2, 'installed', $3, $4, '', $5, $5 FROM service WHERE id = $6",
                key,
                purpose,
                str(key),
                key.bytes,
                tx.now(),
                service,
            )
    page = (await owner.get(f"/admin/services/{service}")).text
    rows = re.findall(r'<tr[^>]* id="installation-.*?</tr>', page, re.DOTALL)
    told = [re.sub(r"(<[^>]*>)+", "|", row) for row in rows]
    assert [one.split("|")[2:4] for one in told] == [
        ["Rescue system", "Booted"], ["Installation", "Installed"],
    ]  # fmt: skip


async def test_the_page_names_the_flow_that_does_it(stage: Stage, owner: Browser) -> None:
    service = await _service(stage, "one.example.org")
    async with stage.database.transaction() as tx:
        await bind_template(tx, "server-suspended", "service.suspended")
    page = (await owner.get(f"/admin/services/{service}/suspend")).text
    assert "makes it so" in page
    assert "No enabled flow" not in page


async def test_ending_one_takes_its_name_and_a_reason(stage: Stage, owner: Browser) -> None:
    service = await _service(stage, "one.example.org")
    refused = await _decide(owner, service, "terminate", typed="two.example.org", reason=" ")
    assert refused.status_code == 422
    assert errors_of(refused.text) == {
        "typed": "Type one.example.org, to be sure that it is the right one.",
        "reason": "Say why; it is kept.",
    }
    assert "two.example.org" in refused.text
    assert await _told(stage.database) == []


async def test_a_decision_that_comes_too_late_says_so(stage: Stage, owner: Browser) -> None:
    service = await _service(stage, "one.example.org")
    await _decide(owner, service, "terminate", typed="one.example.org")
    late = await _decide(owner, service, "suspend")
    assert late.status_code == 409
    assert "The service is terminated" in late.text
    for place in (f"{service}/explode", f"{UUID(int=7)}/suspend"):
        assert (await owner.get(f"/admin/services/{place}")).status_code == 404
