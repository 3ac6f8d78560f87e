"""Signing in: throttled by e-mail and by address, silent about who exists, rehashed."""

import asyncio

import pytest
from argon2 import PasswordHasher

from app.core.clock import SetClock
from app.core.database import Database
from app.domain.accounts import passwords
from app.domain.accounts.change import change_password
from app.domain.accounts.disable import disable, enable
from app.domain.accounts.errors import (
    AccountDisabled,
    LastOwner,
    TooManyAttempts,
    WrongCredentials,
)
from app.domain.accounts.roles import Role
from app.domain.accounts.sessions import find_session
from app.domain.accounts.sign_in import begin_sign_in, check_password, finish_sign_in
from app.domain.accounts.throttle import PER_ADDRESS, PER_EMAIL, network_of
from tests.accounts.people import PASSWORD, make_account, sign_in


async def fail(
    database: Database, email: str = "ada@example.com", address: str = "192.0.2.1"
) -> None:
    with pytest.raises(WrongCredentials):
        await sign_in(database, email, "wrong password", address=address)


async def test_the_right_password_in_any_case_of_the_address(database: Database) -> None:
    account = await make_account(database)
    done = await sign_in(database, "ADA@Example.com ")
    assert done.account == account
    async with database.snapshot() as tx:
        session = await find_session(tx, done.token)
    assert session is not None
    assert session.account == account


async def test_a_wrong_password_and_an_unknown_address_read_the_same(database: Database) -> None:
    await make_account(database)
    said = []
    for email in ("ada@example.com", "nobody@example.com"):
        with pytest.raises(WrongCredentials) as refused:
            await sign_in(database, email, "wrong password")
        said.append(refused.value.message)
    assert said[0] == said[1]


async def test_an_unknown_address_costs_the_same_work(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await make_account(database)
    work: list[str] = []
    real_hash, real_verify = passwords._hash, passwords._verify
    monkeypatch.setattr(passwords, "_hash", lambda *a: (work.append("argon2"), real_hash(*a))[1])
    monkeypatch.setattr(
        passwords, "_verify", lambda *a: (work.append("argon2"), real_verify(*a))[1]
    )
    await fail(database, "ada@example.com")
    await fail(database, "nobody@example.com")
    assert work == ["argon2", "argon2"]


async def test_after_too_many_failures_it_says_when_to_try_again(
    database: Database, clock: SetClock
) -> None:
    await make_account(database)
    for _ in range(PER_EMAIL):
        await fail(database)
        clock.advance(seconds=10)
    with pytest.raises(TooManyAttempts) as refused:
        await sign_in(database)  # even with the right password, and from elsewhere
    assert refused.value.retry_after_s == 15 * 60 - 10 * PER_EMAIL
    assert f"{refused.value.retry_at:%H:%M:%S} UTC" in refused.value.message
    with pytest.raises(TooManyAttempts):
        await sign_in(database, address="198.51.100.9")
    clock.advance(seconds=refused.value.retry_after_s)
    assert (await sign_in(database)).account.email == "ada@example.com"


async def test_failures_from_one_address_are_counted_over_all_accounts(database: Database) -> None:
    await make_account(database)
    for n in range(PER_ADDRESS):
        await fail(database, f"guess{n}@example.com")
    with pytest.raises(TooManyAttempts):
        await sign_in(database)
    assert (await sign_in(database, address="198.51.100.9")).account.email == "ada@example.com"


async def test_attempts_sent_at_once_are_counted_like_those_in_turn(database: Database) -> None:
    await make_account(database)
    outcomes = await asyncio.gather(
        *(sign_in(database, "ada@example.com", f"guess {n:04d}") for n in range(3 * PER_EMAIL)),
        return_exceptions=True,
    )
    assert sum(isinstance(one, WrongCredentials) for one in outcomes) == PER_EMAIL
    assert sum(isinstance(one, TooManyAttempts) for one in outcomes) == 2 * PER_EMAIL


async def test_success_forgives_the_failures_of_that_address_only(database: Database) -> None:
    await make_account(database)
    for _ in range(PER_EMAIL - 1):
        await fail(database)
    await sign_in(database)
    for _ in range(PER_EMAIL - 1):
        await fail(database)
    async with database.snapshot() as tx:
        by_address = await tx.fetchval(
            "SELECT count(*) FROM sign_in_attempt WHERE subject = 'address:192.0.2.1'"
        )
    assert by_address == 2 * (PER_EMAIL - 1)


def test_an_ipv6_network_is_one_client() -> None:
    assert network_of("2001:db8::1") == network_of("2001:db8::ffff:1") == "2001:db8::/64"
    assert network_of("192.0.2.1") != network_of("192.0.2.2")
    assert network_of("::ffff:192.0.2.1") == network_of("192.0.2.1")
    assert network_of("fe80::1%eth0") == "fe80::/64"
    assert network_of("") == ""


async def test_a_hash_with_old_parameters_is_replaced(
    database: Database, monkeypatch: pytest.MonkeyPatch, own_hasher: PasswordHasher
) -> None:
    await make_account(database)
    monkeypatch.setattr(passwords, "_hasher", own_hasher)
    await sign_in(database)
    async with database.snapshot() as tx:
        stored = await tx.fetchval("SELECT password_hash FROM account")
    assert stored.startswith("$argon2id$v=19$m=65536,t=3,p=4$")  # RFC 9106, second option
    assert not passwords.is_outdated(stored)
    await sign_in(database)


async def test_a_damaged_hash_signs_nobody_in(database: Database) -> None:
    await make_account(database)
    async with database.transaction() as tx:
        await tx.execute("UPDATE account SET password_hash = 'x'")
    with pytest.raises(WrongCredentials):
        await sign_in(database)


async def test_a_disabled_account_cannot_sign_in_and_its_sessions_end(database: Database) -> None:
    account = await make_account(database)
    done = await sign_in(database)
    async with database.transaction() as tx:
        await disable(tx, account.id, actor=None, actor_label="test", reason="unpaid")
    async with database.snapshot() as tx:
        assert await find_session(tx, done.token) is None
    with pytest.raises(AccountDisabled):
        await sign_in(database)
    with pytest.raises(WrongCredentials):  # who does not know the password is not told
        await sign_in(database, password="wrong password")
    async with database.transaction() as tx:
        await enable(tx, account.id, actor=None, actor_label="test", reason="paid")
    assert (await sign_in(database)).account == account


async def test_the_only_owner_cannot_be_disabled(database: Database) -> None:
    first = await make_account(database, "one@example.com", role=Role.OWNER)
    with pytest.raises(LastOwner):
        async with database.transaction() as tx:
            await disable(tx, first.id, actor=None, actor_label="test", reason="")
    second = await make_account(database, "two@example.com", role=Role.OWNER)
    async with database.transaction() as tx:
        await disable(tx, first.id, actor=second.id, actor_label="two@example.com", reason="left")


async def test_a_password_changed_meanwhile_ends_the_sign_in(database: Database) -> None:
    account = await make_account(database)
    async with database.transaction() as tx:
        attempt = await begin_sign_in(tx, email=account.email, address="192.0.2.1")
    await check_password(attempt, PASSWORD)
    async with database.transaction() as tx:
        await change_password(tx, account, current=PASSWORD, new="another good one", keep=None)
    with pytest.raises(WrongCredentials):
        async with database.transaction() as tx:
            await finish_sign_in(tx, attempt, PASSWORD, agent="")
