"""A provider's categories and a designer, and flows of small node types."""

from uuid import UUID

import pytest

from app.core.database import Tx
from app.core.ids import new_id
from app.flows import registry
from tests.flows.validate.kinds import KINDS


@pytest.fixture(autouse=True)
def _kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "node_types", lambda: KINDS)


@pytest.fixture
async def designer(tx: Tx) -> UUID:
    account = new_id()
    await tx.execute(
        "INSERT INTO account (id, email, name, password_hash, role, created_at) "
        "VALUES ($1, 'dora@example.com', 'Dora', '', 'designer', $2)",
        account,
        tx.now(),
    )
    return account


@pytest.fixture
async def servers(tx: Tx) -> UUID:
    return await make_category(tx, "servers", 1)


@pytest.fixture
async def vps(tx: Tx) -> UUID:
    return await make_category(tx, "vps", 2)


async def make_category(tx: Tx, slug: str, position: int) -> UUID:
    category = new_id()
    await tx.execute(
        "INSERT INTO category (id, slug, name, position) VALUES ($1, $2, $3, $4)",
        category,
        slug,
        slug.title(),
        position,
    )
    return category
