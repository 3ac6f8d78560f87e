"""Errors at the edge: status by code, form by who asks, nothing of the inside."""

import pytest
import structlog
from litestar import Litestar

from app.components.assets import AssetsMissing
from app.core.database import Database
from app.domain.accounts.roles import Role
from app.routes.security import errors
from tests.accounts.people import make_account
from tests.security.browser import Browser

CASES = [
    ("not-found", 404, "There is no order 7"),
    ("invalid", 422, "Choose at most 128 GB."),
    ("conflict", 409, "It changed meanwhile."),
    ("own-conflict", 409, "Somebody else has it."),
    ("plain", 409, "No."),
    ("pool", 409, "This is not available at the moment."),
    ("sealed", 500, "Something broke on our side"),
]


async def test_a_page_is_answered_with_a_page(browser: Browser) -> None:
    for what, status, says in CASES:
        answer = await browser.get(f"/refuse/{what}")
        assert answer.status_code == status, what
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert says in answer.text
        assert "Acme Metal" in answer.text
        assert "rack-7-secret" not in answer.text


async def test_htmx_is_answered_with_a_message_for_the_head_of_the_page(browser: Browser) -> None:
    for what, status, says in (case for case in CASES if case[1] < 500):
        answer = await browser.get(f"/refuse/{what}", headers={"HX-Request": "true"})
        assert answer.status_code == status, what
        assert answer.headers["hx-retarget"] == "#flashes"
        assert answer.headers["hx-reswap"] == "outerHTML"
        assert answer.text.startswith('<div id="flashes"')
        assert says in answer.text


async def test_an_api_is_answered_with_a_problem(browser: Browser) -> None:
    answer = await browser.get("/api/refuse/invalid")
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["code"] == "invalid"
    assert problem["fields"] == {"ram": "Choose at most 128 GB."}
    assert problem["request_id"] == answer.headers["x-request-id"]


async def test_staff_are_told_what_clients_are_not(
    app: Litestar, browser: Browser, database: Database
) -> None:
    await make_account(database)
    await make_account(database, "op@example.com", role=Role.OPERATOR)
    await browser.sign_in()
    told = await browser.get("/orders/refuse")
    assert "rack-7-secret" not in told.text
    assert "write to support" in told.text
    async with Browser(app) as staff:
        await staff.sign_in("op@example.com")
        assert "rack-7-secret" in (await staff.get("/orders/refuse")).text


async def test_without_assets_an_error_is_still_told(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(*_: object, **__: object) -> None:
        raise AssetsMissing("slipway.css")

    monkeypatch.setattr(errors, "error_page", missing)
    answer = await browser.get("/refuse/not-found")
    assert (answer.status_code, answer.headers["content-type"]) == (
        404,
        "text/plain; charset=utf-8",
    )
    assert "There is no order 7" in answer.text


@pytest.mark.parametrize("path", ["/break", "/api/break"])
async def test_what_breaks_is_logged_and_not_told(browser: Browser, path: str) -> None:
    with structlog.testing.capture_logs() as logs:
        answer = await browser.get(path)
    assert answer.status_code == 500
    assert "hunter2" not in answer.text
    request_id = answer.headers["x-request-id"]
    assert request_id in answer.text
    (line,) = logs
    assert (line["request_id"], line["path"], line["log_level"]) == (request_id, path, "error")
    assert "hunter2" in str(line["exc_info"])


async def test_a_proxys_request_id_is_kept_unless_it_is_odd(browser: Browser) -> None:
    kept = await browser.get("/costly", headers={"X-Request-ID": "proxy-0123456789"})
    assert kept.headers["x-request-id"] == "proxy-0123456789"
    odd = await browser.get("/costly", headers={"X-Request-ID": "<script>alert(1)</script>"})
    assert "script" not in odd.headers["x-request-id"]


async def test_what_litestar_refuses_looks_like_ours(browser: Browser) -> None:
    missing = await browser.get("/nothing-here")
    assert missing.status_code == 404
    assert "Nothing at this address" in missing.text
    bad = await browser.get("/number?n=seven")
    assert bad.status_code == 400
    assert "Validation" not in bad.text
    wrong = await browser.delete("/number", headers={"Accept": "application/json"})
    assert wrong.status_code == 405
    assert wrong.headers["allow"]
    assert wrong.json()["code"] == "http.405"


async def test_an_address_with_a_nul_is_refused_before_postgresql_is(browser: Browser) -> None:
    assert (await browser.get("/refuse/a%00b")).status_code == 400
    assert (await browser.get("/costly?q=%00")).status_code == 400


async def test_every_answer_has_the_security_headers(browser: Browser) -> None:
    for path in ("/", "/nothing-here", "/break", "/refuse/invalid", "/sign-in"):
        headers = (await browser.get(path)).headers
        assert "script-src 'self'" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "unsafe-inline" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert "strict-transport-security" not in headers


async def test_over_https_browsers_are_told_to_stay_there(make_app: object) -> None:
    app: Litestar = make_app(base_url="https://slipway.test")
    async with Browser(app, base_url="https://slipway.test") as browser:
        for path in ("/", "/nothing-here"):
            headers = (await browser.get(path)).headers
            assert headers["strict-transport-security"] == "max-age=31536000"


async def test_a_handlers_own_policy_is_left_as_it_is(browser: Browser) -> None:
    answer = await browser.get("/own-csp")
    assert answer.headers.get_list("content-security-policy") == ["default-src 'none'"]
