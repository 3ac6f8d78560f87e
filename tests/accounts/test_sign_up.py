"""Signing up: one account per address, each bad field named, the password kept as a hash."""

import asyncio

import pytest

from app.core.database import Database, Tx
from app.core.errors import Invalid
from app.domain.accounts.create_user import create_user
from app.domain.accounts.details import Details, email_problem
from app.domain.accounts.find import find_account, find_account_by_email
from app.domain.accounts.roles import Role
from app.domain.accounts.sign_up import SignUpRequest, sign_up


def request(**changed: str) -> SignUpRequest:
    facts = {
        "email": " Ada@Example.COM ",
        "password": "correct horse battery",
        "name": "  Ada   Lovelace ",
        "country": "de",
    }
    return SignUpRequest(**{**facts, **changed})


async def test_a_visitor_becomes_a_client(tx: Tx) -> None:
    account = await sign_up(tx, request())
    assert (account.email, account.name, account.country) == (
        "ada@example.com",
        "Ada Lovelace",
        "DE",
    )
    assert account.role is Role.CLIENT
    assert await find_account(tx, account.id) == account
    assert await find_account_by_email(tx, "ADA@example.com") == account
    stored = await tx.fetchval("SELECT password_hash FROM account")
    assert stored.startswith("$argon2id$")
    entry = await tx.fetchrow("SELECT action, subject, after::text FROM audit_entry")
    assert (entry["action"], entry["subject"]) == ("account.created", account.id)
    assert "horse" not in entry["after"]


BAD = [
    ({"email": ""}, "email"),
    ({"email": "ada"}, "email"),
    ({"email": "ada@exa mple.com"}, "email"),
    ({"email": "ada@example.com\nBcc: x@example.com"}, "email"),
    ({"email": "a" * 250 + "@b.co"}, "email"),
    ({"password": "short"}, "password"),
    ({"password": "ada@example.com"}, "password"),
    ({"password": "ADA@example.com"}, "password"),
    ({"password": "aaaaaaaaaaaaaaa"}, "password"),
    ({"password": "ab cd" * 60}, "password"),
    ({"name": "   "}, "name"),
    ({"name": "A\x07da"}, "name"),
    ({"company": "x" * 201}, "company"),
    ({"country": ""}, "country"),
    ({"country": "XX"}, "country"),
]


async def test_each_bad_field_is_named(tx: Tx) -> None:
    for changed, field in BAD:
        with pytest.raises(Invalid) as refused:
            await sign_up(tx, request(**changed))
        assert list(refused.value.fields) == [field], changed


async def test_all_bad_fields_are_named_at_once(tx: Tx) -> None:
    with pytest.raises(Invalid) as refused:
        await sign_up(tx, SignUpRequest(email="", password="", name=""))
    assert set(refused.value.fields) == {"email", "password", "name", "country"}


async def test_a_taken_address_says_to_sign_in(database: Database) -> None:
    async with database.transaction() as tx:
        await sign_up(tx, request())
    with pytest.raises(Invalid) as refused:
        async with database.transaction() as tx:
            await sign_up(tx, request(email="ADA@example.com"))
    assert "Sign in instead" in refused.value.fields["email"]


async def test_two_at_once_with_one_address_make_one_account(database: Database) -> None:
    async def try_it() -> str:
        try:
            async with database.transaction() as tx:
                await sign_up(tx, request())
        except Invalid as invalid:
            return ",".join(invalid.fields)
        return "created"

    assert sorted(await asyncio.gather(*(try_it() for _ in range(4)))) == [
        "created",
        "email",
        "email",
        "email",
    ]


async def test_staff_need_no_country(tx: Tx) -> None:
    account = await create_user(
        tx,
        email="op@example.com",
        password="correct horse battery",
        details=Details(name="Operator"),
        role=Role.OPERATOR,
        actor_label="slipway user create",
    )
    assert account.role is Role.OPERATOR


@pytest.mark.parametrize(
    "email", ["root@localhost", "a.b+c@mail.example.co.uk", "o'neil@example.org"]
)
def test_unusual_addresses_are_taken(email: str) -> None:
    assert email_problem(email) is None
