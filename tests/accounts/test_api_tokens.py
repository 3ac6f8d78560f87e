"""API tokens: made once, kept as a hash, bounded by scope, role, time and revocation."""

from datetime import timedelta

import pytest

from app.core.clock import SetClock
from app.core.database import Database
from app.core.errors import Invalid, NotFound
from app.domain.accounts.api_answers import Answer, KeyReused, claim_answer, keep_answer
from app.domain.accounts.api_tokens import (
    MOST_TOKENS,
    Caller,
    MadeToken,
    find_caller,
    list_tokens,
    make_token,
    revoke_token,
    tokens_of,
)
from app.domain.accounts.disable import disable
from app.domain.accounts.expire import expire_sessions
from app.domain.accounts.roles import PERMISSIONS, Role
from app.domain.accounts.scopes import NEEDS, WORDS, Scope, scopes_of
from app.domain.accounts.views import AccountView
from tests.accounts.people import make_account

ALL = tuple(Scope)
READS = (Scope.FLOWS_READ, Scope.RUNS_READ)
SERVERS = (Scope.SERVERS_READ, Scope.SERVERS_WRITE)
ADDRESSES = (Scope.ADDRESSES_READ, Scope.ADDRESSES_WRITE)
ALLOCATION = (Scope.ALLOCATION_READ, Scope.ALLOCATION_WRITE)
MACHINES = (Scope.MACHINES_READ, Scope.MACHINES_WRITE)


async def make(
    database: Database,
    owner: AccountView,
    *scopes: Scope,
    name: str = "deployer",
    lives: timedelta | None = timedelta(days=30),
) -> MadeToken:
    async with database.transaction() as tx:
        return await make_token(
            tx,
            owner,
            name=name,
            scopes=scopes or scopes_of(owner.role),
            lives=lives,
            actor=owner.id,
            actor_label=owner.email,
        )


async def caller(database: Database, token: str) -> Caller | None:
    async with database.snapshot() as tx:
        return await find_caller(tx, token)


@pytest.fixture
async def owner(database: Database) -> AccountView:
    return await make_account(database, "olga@slipway.test", role=Role.OWNER, name="Olga")


async def test_a_token_acts_for_its_owner_and_only_its_hash_is_kept(
    database: Database, owner: AccountView
) -> None:
    made = await make(database, owner, Scope.RUNS_READ, Scope.FLOWS_READ)
    assert made.secret.startswith("slw_")
    assert len(made.secret) == 47
    assert made.secret.startswith(made.view.prefix)
    found = await caller(database, made.secret)
    assert found is not None
    assert (found.account, found.token_name) == (owner, "deployer")
    assert found.scopes == {Scope.RUNS_READ, Scope.FLOWS_READ}
    assert found.label == "olga@slipway.test (API token deployer)"
    async with database.snapshot() as tx:
        row = await tx.fetchrow("SELECT * FROM api_token")
        trail = await tx.fetch("SELECT * FROM audit_entry")
    assert row is not None
    assert made.secret not in repr(dict(row))
    assert all(made.secret not in repr(dict(line)) for line in trail)


async def test_anything_else_is_nobody(database: Database, owner: AccountView) -> None:
    made = await make(database, owner)
    for wrong in (
        "", "slw_", made.secret[:-1], made.secret + "A", made.secret[4:], made.view.prefix,
        made.secret.upper(), "slw_" + "A" * 43, made.secret + "\n", "slw_" + "Ä" * 43,
    ):  # fmt: skip
        assert await caller(database, wrong) is None, wrong


async def test_a_token_ends_by_time_by_revocation_and_with_its_owner(
    database: Database, owner: AccountView, clock: SetClock
) -> None:
    other = await make_account(database, "op@slipway.test", role=Role.OPERATOR)
    short = await make(database, owner, name="short", lives=timedelta(days=1))
    ended = await make(database, owner, name="ended")
    endless = await make(database, owner, name="endless", lives=None)
    others = await make(database, other, name="others")
    async with database.transaction() as tx:
        await revoke_token(tx, ended.view.id, owner=owner.id, actor=owner.id, actor_label="x")
        await disable(tx, other.id, actor=owner.id, actor_label="x", reason="left")
    assert await caller(database, short.secret) is not None
    assert await caller(database, ended.secret) is None
    assert await caller(database, others.secret) is None
    clock.advance(days=1)
    assert await caller(database, short.secret) is None
    clock.advance(days=4_000)
    assert await caller(database, endless.secret) is not None
    async with database.snapshot() as tx:
        listed = await list_tokens(tx, owner.id)
        now = tx.now()
    assert [(one.name, one.is_live(now)) for one in listed] == [
        ("endless", True), ("ended", False), ("short", False),
    ]  # fmt: skip


async def test_the_owners_role_bounds_a_token_when_made_and_ever_after(
    database: Database, owner: AccountView
) -> None:
    finance = await make_account(database, "fin@slipway.test", role=Role.FINANCE)
    with pytest.raises(Invalid, match="role finance does not include runs:write"):
        await make(database, finance, Scope.RUNS_READ, Scope.RUNS_WRITE)
    made = await make(database, owner, *ALL)
    for role, left in {
        Role.OPERATOR: {
            *READS,
            *ADDRESSES,
            *SERVERS,
            *ALLOCATION,
            *MACHINES,
            Scope.PROVIDERS_WRITE,
            Scope.RUNS_WRITE,
            Scope.RUNS_DECIDE,
        },
        Role.DESIGNER: {
            *READS,
            Scope.ADDRESSES_READ,
            Scope.SERVERS_READ,
            Scope.ALLOCATION_READ,
            Scope.MACHINES_READ,
            Scope.FLOWS_WRITE,
            Scope.RUNS_DECIDE,
        },
        Role.FINANCE: {*READS, Scope.MACHINES_READ, Scope.RUNS_DECIDE},
        Role.CLIENT: set(),
    }.items():
        async with database.transaction() as tx:
            await tx.execute("UPDATE account SET role = $2 WHERE id = $1", owner.id, role.value)
        found = await caller(database, made.secret)
        assert found is not None
        assert found.scopes == left


async def test_a_client_can_have_no_token(database: Database) -> None:
    ada = await make_account(database)
    assert scopes_of(Role.CLIENT) == frozenset()
    for scope in Scope:
        with pytest.raises(Invalid, match="role client does not include"):
            await make(database, ada, scope)


def test_every_scope_has_its_permission_and_its_words() -> None:
    assert set(NEEDS) == set(WORDS) == set(Scope)
    assert scopes_of(Role.OWNER) == set(Scope)
    for role in Role:
        assert {NEEDS[scope] for scope in scopes_of(role)} <= PERMISSIONS[role]


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"name": "  "}, "name"),
        ({"name": "x" * 61}, "name"),
        ({"name": "a\tb\x07"}, "name"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["flows:read", "everything"]}, "scopes"),
        ({"lives": timedelta()}, "lives"),
        ({"lives": timedelta(days=4_000)}, "lives"),
    ],
)
async def test_a_bad_token_is_refused_by_field(
    database: Database, owner: AccountView, fields: dict[str, object], wrong: str
) -> None:
    facts: dict[str, object] = {"name": "ok", "scopes": ["flows:read"], "lives": None} | fields
    with pytest.raises(Invalid) as refused:
        async with database.transaction() as tx:
            await make_token(tx, owner, actor=None, actor_label="x", **facts)  # type: ignore[arg-type]
    assert set(refused.value.fields) == {wrong}


async def test_live_tokens_of_an_account_differ_in_name_and_there_is_a_most(
    database: Database, owner: AccountView
) -> None:
    first = await make(database, owner, name="deployer")
    with pytest.raises(Invalid, match="live token of this name"):
        await make(database, owner, name=" deployer ")
    async with database.transaction() as tx:
        await revoke_token(tx, first.view.id, owner=None, actor=None, actor_label="x")
    await make(database, owner, name="deployer")
    for number in range(MOST_TOKENS - 1):
        await make(database, owner, name=f"n{number}")
    with pytest.raises(Invalid, match="revoke one that is not used"):
        await make(database, owner, name="one more")


async def test_only_its_owner_revokes_a_token_and_once(
    database: Database, owner: AccountView
) -> None:
    other = await make_account(database, "op@slipway.test", role=Role.OPERATOR)
    made = await make(database, owner)
    with pytest.raises(NotFound):
        async with database.transaction() as tx:
            await revoke_token(tx, made.view.id, owner=other.id, actor=other.id, actor_label="x")
    for _ in range(2):
        async with database.transaction() as tx:
            view = await revoke_token(
                tx, made.view.id, owner=owner.id, actor=owner.id, actor_label=owner.email
            )
            assert view.revoked_at == tx.now()
    async with database.snapshot() as tx:
        lines = await tx.fetch(
            "SELECT action, actor FROM audit_entry WHERE subject = $1 ORDER BY id", made.view.id
        )
    assert [tuple(line) for line in lines] == [
        ("api_token.made", owner.id), ("api_token.revoked", owner.id),
    ]  # fmt: skip


async def test_use_is_noted_some_minutes_exact(
    database: Database, owner: AccountView, clock: SetClock
) -> None:
    made = await make(database, owner)
    seen = []
    for minutes in (0, 3, 3):
        clock.advance(minutes=minutes)
        await caller(database, made.secret)
        async with database.snapshot() as tx:
            (view,) = await list_tokens(tx, owner.id)
        seen.append(view.last_used_at)
    begin = clock.now() - timedelta(minutes=6)
    assert seen == [begin, begin, clock.now()]


async def test_a_token_is_found_by_what_it_begins_with(
    database: Database, owner: AccountView
) -> None:
    made = await make(database, owner)
    await make(database, owner, name="other")
    async with database.snapshot() as tx:
        for words in (made.view.prefix, made.secret):
            assert await tokens_of(tx, words) == [made.view]
        assert await tokens_of(tx, "slw_") == []


async def test_an_answer_is_kept_with_its_deed_for_a_day(
    database: Database, owner: AccountView, clock: SetClock
) -> None:
    answer = Answer(201, {"ETag": '"x"'}, b'{"id":1}')
    async with database.transaction() as tx:
        assert await claim_answer(tx, owner.id, "k", b"hash") is None
        await keep_answer(tx, owner.id, "k", answer)
    other = await make_account(database, "op@slipway.test", role=Role.OPERATOR)
    async with database.transaction() as tx:
        assert await claim_answer(tx, owner.id, "k", b"hash") == answer
        assert await claim_answer(tx, other.id, "k", b"other") is None
    with pytest.raises(KeyReused):
        async with database.transaction() as tx:
            await claim_answer(tx, owner.id, "k", b"other")
    clock.advance(hours=24)
    async with database.transaction() as tx:
        assert await claim_answer(tx, owner.id, "k", b"other") is None
        await keep_answer(tx, owner.id, "k", answer)
        assert await expire_sessions(tx) == 1
    async with database.transaction() as tx:
        assert await claim_answer(tx, owner.id, "k", b"other") == answer


async def test_what_is_rolled_back_is_not_answered_again(
    database: Database, owner: AccountView
) -> None:
    with pytest.raises(RuntimeError):
        async with database.transaction() as tx:
            await claim_answer(tx, owner.id, "k", b"hash")
            raise RuntimeError
    async with database.transaction() as tx:
        assert await claim_answer(tx, owner.id, "k", b"hash") is None
