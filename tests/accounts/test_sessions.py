"""Sessions: only a hash is kept, they slide, they end, and they end sooner for staff."""

import hashlib

import pytest

from app.core.clock import SetClock
from app.core.database import Database
from app.core.errors import Invalid
from app.domain.accounts.change import change_details, change_password
from app.domain.accounts.details import Details
from app.domain.accounts.expire import expire_sessions
from app.domain.accounts.roles import Role
from app.domain.accounts.sessions import (
    CLIENT_LIFETIME,
    STAFF_LIFETIME,
    end_session,
    end_sessions,
    find_session,
    list_browsers,
)
from app.domain.accounts.views import SessionView
from tests.accounts.people import PASSWORD, make_account, sign_in


async def look(database: Database, token: str) -> SessionView | None:
    async with database.snapshot() as tx:
        return await find_session(tx, token)


async def test_the_table_holds_only_the_hash(database: Database) -> None:
    await make_account(database)
    done = await sign_in(database)
    assert len(done.token) == 43
    async with database.snapshot() as tx:
        row = await tx.fetchrow("SELECT * FROM session")
    assert row is not None
    assert row["token_hash"] == hashlib.sha256(done.token.encode()).digest()
    assert done.token not in str(dict(row))


@pytest.mark.parametrize(
    ("role", "life"), [(Role.CLIENT, CLIENT_LIFETIME), (Role.OPERATOR, STAFF_LIFETIME)]
)
async def test_use_moves_the_end_and_idleness_reaches_it(
    database: Database, clock: SetClock, role: Role, life: object
) -> None:
    assert life in {CLIENT_LIFETIME, STAFF_LIFETIME}
    await make_account(database, role=role)
    token = (await sign_in(database)).token
    idle_s = life.idle.total_seconds()
    for _ in range(3):
        clock.advance(seconds=idle_s - 1)
        assert await look(database, token) is not None
    clock.advance(seconds=idle_s)
    assert await look(database, token) is None


async def test_even_one_in_use_ends_at_last(database: Database, clock: SetClock) -> None:
    await make_account(database, role=Role.OWNER)
    token = (await sign_in(database)).token
    steps = STAFF_LIFETIME.most // (STAFF_LIFETIME.idle / 2)
    for _ in range(steps - 1):
        clock.advance(seconds=STAFF_LIFETIME.idle.total_seconds() / 2)
        assert await look(database, token) is not None
    clock.advance(seconds=STAFF_LIFETIME.idle.total_seconds() / 2)
    assert await look(database, token) is None


async def test_sign_in_replaces_the_session_that_came_with_it(database: Database) -> None:
    await make_account(database)
    first = (await sign_in(database)).token
    second = (await sign_in(database, replaces=first)).token
    assert second != first
    assert await look(database, first) is None
    assert await look(database, second) is not None


async def test_sign_out_here_and_everywhere(database: Database) -> None:
    account = await make_account(database)
    await make_account(database, "other@example.com")
    tokens = [(await sign_in(database)).token for _ in range(3)]
    other = (await sign_in(database, "other@example.com")).token
    async with database.transaction() as tx:
        await end_session(tx, tokens[0])
        assert len(await list_browsers(tx, account.id)) == 2
        assert await end_sessions(tx, account.id) == 2
    assert [await look(database, token) for token in tokens] == [None, None, None]
    assert await look(database, other) is not None


async def test_a_new_password_signs_the_others_out(database: Database) -> None:
    account = await make_account(database)
    here, there = (await sign_in(database)).token, (await sign_in(database)).token
    session = await look(database, here)
    assert session is not None
    for current, new, field in [
        ("wrong password", "another good one", "current"),
        (PASSWORD, "short", "new"),
        (PASSWORD, PASSWORD, "new"),
    ]:
        with pytest.raises(Invalid) as refused:
            async with database.transaction() as tx:
                await change_password(tx, account, current=current, new=new, keep=session.id)
        assert list(refused.value.fields) == [field]
    async with database.transaction() as tx:
        ended = await change_password(
            tx, account, current=PASSWORD, new="another good one", keep=session.id
        )
    assert ended == 1
    assert await look(database, here) is not None
    assert await look(database, there) is None
    await sign_in(database, password="another good one")


async def test_what_ran_out_is_forgotten(database: Database, clock: SetClock) -> None:
    await make_account(database)
    await sign_in(database)
    clock.advance(days=15)
    keep = (await sign_in(database)).token
    async with database.transaction() as tx:
        assert await expire_sessions(tx) == 1
    assert await look(database, keep) is not None


async def test_changed_details_are_kept_and_audited(database: Database) -> None:
    account = await make_account(database)
    async with database.transaction() as tx:
        changed = await change_details(
            tx, account, Details(name="Ada King", company="Engines Ltd", country="gb")
        )
        audit = await tx.fetchrow(
            "SELECT before::text, after::text FROM audit_entry WHERE action = 'account.changed'"
        )
    assert (changed.name, changed.company, changed.country) == ("Ada King", "Engines Ltd", "GB")
    assert audit is not None
    assert '"Ada"' in audit["before"]
    assert "Engines Ltd" in audit["after"]
