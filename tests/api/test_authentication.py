"""Who may call the API: a good token, no cookie, and not too many bad ones."""

import pytest
import structlog
from litestar import Litestar

from app.core.clock import SetClock
from app.core.database import Database
from app.domain.accounts.roles import Role
from app.domain.accounts.scopes import Scope
from app.domain.accounts.sessions import start_session
from app.routes.security.rate_limit import API_FAILURE
from app.routes.security.visit import SESSION_COOKIE
from tests.accounts.people import make_account
from tests.api.conftest import Call, Program

RUNS = "/api/v1/runs"


async def test_without_a_token_one_is_asked_for(nobody: Program) -> None:
    answer = await nobody.get(RUNS)
    assert answer.status_code == 401
    assert answer.json()["code"] == "security.token_needed"
    assert answer.headers["www-authenticate"] == 'Bearer realm="slipway"'


@pytest.mark.parametrize(
    "value",
    ["Bearer", "Bearer ", "Basic b3duZXI6cGFzcw==", "Bearer slw_" + "A" * 43, "slw_" + "A" * 43],
)
async def test_anything_but_a_good_token_is_refused(nobody: Program, value: str) -> None:
    answer = await nobody.get(RUNS, headers={"Authorization": value})
    assert answer.status_code == 401
    assert answer.json()["code"] in {"security.token_needed", "security.bad_token"}
    assert answer.headers["www-authenticate"].startswith("Bearer realm=")


async def test_a_good_token_is_heard_and_no_cache_keeps_the_answer(owner: Program) -> None:
    answer = await owner.get(RUNS)
    assert answer.status_code == 200
    assert answer.json() == {"items": [], "next": None}
    assert answer.headers["cache-control"] == "no-store"
    assert "set-cookie" not in answer.headers


async def test_a_session_is_no_token_so_that_no_form_of_another_site_calls(
    nobody: Program, database: Database
) -> None:
    person = await make_account(database, "olga@slipway.test", role=Role.OWNER)
    async with database.transaction() as tx:
        session = await start_session(tx, person, address="192.0.2.7", agent="test")
    nobody.cookies.set(SESSION_COOKIE, session)
    assert (await nobody.get(RUNS)).status_code == 401


async def test_what_a_token_lacks_is_named(call: Call) -> None:
    program = await call(Role.OWNER, Scope.FLOWS_READ)
    answer = await program.get(RUNS)
    assert answer.status_code == 403
    assert answer.json()["code"] == "security.scope_missing"
    assert 'scope="runs:read"' in answer.headers["www-authenticate"]


async def test_a_token_loses_what_its_owners_role_loses(call: Call, database: Database) -> None:
    program = await call(Role.OWNER, Scope.RUNS_READ)
    assert (await program.get(RUNS)).status_code == 200
    async with database.transaction() as tx:
        await tx.execute("UPDATE account SET role = 'client'")
    answer = await program.get(RUNS)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_failures_are_limited_by_address_and_a_good_token_is_still_heard(
    nobody: Program, call: Call, app: Litestar, clock: SetClock
) -> None:
    bad = {"Authorization": "Bearer slw_" + "A" * 43}
    statuses = [(await nobody.get(RUNS, headers=bad)).status_code for _ in range(API_FAILURE.most)]
    assert set(statuses) == {401}
    refused = await nobody.get(RUNS, headers=bad)
    assert (refused.status_code, refused.json()["code"]) == (429, "security.too_fast")
    assert int(refused.headers["retry-after"]) <= API_FAILURE.per_s
    assert (await nobody.get(RUNS)).status_code == 429
    assert (await (await call()).get(RUNS)).status_code == 200
    async with Program(app, None, address="192.0.2.10") as other:
        assert (await other.get(RUNS, headers=bad)).status_code == 401
    clock.advance(seconds=API_FAILURE.per_s)
    assert (await nobody.get(RUNS, headers=bad)).status_code == 401


async def test_log_lines_name_the_token_and_never_hold_it(
    owner: Program, app: Litestar, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.routes.api import runs

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("no")

    monkeypatch.setattr(runs, "search_runs", broken)
    with structlog.testing.capture_logs(
        processors=[structlog.contextvars.merge_contextvars]
    ) as logs:
        answer = await owner.get(RUNS)
    assert answer.status_code == 500
    (line,) = logs
    assert line["api_token"]
    assert owner.headers["authorization"].removeprefix("Bearer ") not in repr(line)
