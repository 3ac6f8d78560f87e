"""A flow taken in from a file: looked at first, then published, and what is refused."""

import html
import json
import re
from importlib.resources import files
from typing import Any

from httpx import Response

from app.domain.accounts.roles import Role
from tests.admin.conftest import Enter
from tests.admin.stage import Stage
from tests.admin.test_flow_deeds import audited, publish_other, told
from tests.security.browser import Browser, csrf_of

IMPORT = "/admin/flow-import"


def shipped(slug: str = "dedicated-server") -> dict[str, Any]:
    raw = files("app.flows.templates").joinpath(f"{slug}.json").read_text()
    found: dict[str, Any] = json.loads(raw)
    return found


async def upload(browser: Browser, content: bytes, **values: str) -> Response:
    token = csrf_of((await browser.get(IMPORT)).text)
    return await browser.post(
        IMPORT,
        data={"_csrf_token": token, **values},
        files={"file": ("flow.json", content, "application/json")},
    )


def confirming(page: str, note: str) -> dict[str, str]:
    """Return what the form of a preview sends."""
    found = re.findall(r'type="hidden" name="(document|latest)" value="([^"]*)"', page)
    assert found, page
    return {name: html.unescape(value) for name, value in found} | {"note": note}


async def test_a_file_becomes_a_version_once_it_was_looked_at(stage: Stage, owner: Browser) -> None:
    document = shipped()
    document["nodes"]["install"]["name"] = "Put it <in>"
    page = (await upload(owner, json.dumps(document).encode())).text
    assert "It becomes version 2 of dedicated-server" in page
    assert "<ins>Put it &lt;in&gt;</ins>" in page
    silent = await owner.send_form(IMPORT, f"{IMPORT}/confirm", confirming(page, " "))
    assert (silent.status_code, "Say what changed" in silent.text) == (422, True)
    for words in ("The flow is published", "Version 2 says what the file says"):
        sent = await owner.send_form(IMPORT, f"{IMPORT}/confirm", confirming(page, "a better name"))
        assert words in await told(owner, sent)
    last = (await audited(stage.database, "flow.published"))[-1]
    assert last == {"actor_label": "owner@slipway.test", "reason": "a better name"}
    same = (await upload(owner, json.dumps(document).encode())).text
    assert "It says what version 2 of dedicated-server says" in same
    assert "Publish it" not in same


async def test_another_version_meanwhile_is_told(stage: Stage, owner: Browser) -> None:
    document = shipped()
    document["nodes"]["install"]["name"] = "Mine"
    page = (await upload(owner, json.dumps(document).encode())).text
    await publish_other(stage, name="Theirs")
    late = await owner.send_form(IMPORT, f"{IMPORT}/confirm", confirming(page, "mine"))
    assert late.status_code == 422
    assert "Version 2 was published meanwhile" in late.text
    assert "<del>Theirs</del>" in late.text


async def test_what_it_needs_that_is_not_here_is_named(stage: Stage, owner: Browser) -> None:
    document = shipped("alert-to-chat")
    text = json.dumps(document)
    page = await owner.send_form(IMPORT, IMPORT, {"document": text, "slug": "chat-too"})
    assert page.status_code == 200
    for words in ("A flow that is new here: chat-too", "It cannot be taken in yet", "Make it"):
        assert words in page.text
    assert "Publish it" not in page.text
    document["nodes"]["strange"] = {"type": "action.strange", "v": 7}
    page = await owner.send_form(IMPORT, IMPORT, {"document": json.dumps(document)})
    for words in ("action.strange v7", "is not installed", "Named by strange"):
        assert words in page.text
    forced = {"document": text, "latest": "", "note": "all the same"}
    refused = await owner.send_form(IMPORT, f"{IMPORT}/confirm", forced)
    assert (refused.status_code, "It cannot be taken in yet" in refused.text) == (422, True)


async def test_what_is_no_flow_is_refused_beside_its_field(stage: Stage, owner: Browser) -> None:
    bad = await upload(owner, b"\x89PNG")
    assert (bad.status_code, 'id="file-error"' in bad.text) == (422, True)
    for text, words in (
        ("", "Choose a file, or paste"),
        ("{", "not a flow document"),
        (" " * 10 + "x" * 2_000_001, "2,000,001 bytes"),
    ):
        refused = await owner.send_form(IMPORT, IMPORT, {"document": text})
        assert (refused.status_code, words in refused.text) == (422, True)
    broken = await owner.send_form(IMPORT, f"{IMPORT}/confirm", {"document": "{"})
    assert (broken.status_code, 'id="document-error"' in broken.text) == (422, True)


async def test_an_operator_imports_nothing(stage: Stage, enter: Enter) -> None:
    operator = await enter(Role.OPERATOR)
    assert (await operator.get(IMPORT)).status_code == 403
    assert (await operator.send_form("/admin", f"{IMPORT}/confirm")).status_code == 403
    assert IMPORT not in (await operator.get("/admin/flows")).text
