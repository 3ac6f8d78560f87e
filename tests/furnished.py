"""A provider that is furnished once a process, as which the databases of many tests begin."""

from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest

from app.core.clock import SetClock
from app.core.database import Database
from app.core.embedded.postgres import EmbeddedPostgres
from app.core.secrets import Vault, new_key
from app.domain.addresses.index import INDEX
from tests.admin.stage import Stage
from tests.conftest import START
from tests.databases import Databases, copy_database


@dataclass(frozen=True)
class Furnished:
    """A template database, and what its tests must know of it."""

    template: str
    vault: Vault
    """What the passwords in it are sealed with."""
    clients: tuple[UUID, ...]
    servers: dict[str, UUID]

    async def stage(self, database: Database, clock: SetClock) -> Stage:
        """Return the stage over a database that began as the template."""
        await forget_addresses(database)
        return Stage(database, clock, self.vault, [*self.clients], dict(self.servers))


async def furnished_template(server: str, empty: str) -> Furnished:
    """Furnish a copy of an `empty` template on the server with this address.

    Its name is its own: directories that borrow the fixture have it made anew, with other ids.
    """
    name = f"slipway_furnished_{uuid4().hex[:8]}"
    dsn = await copy_database(server, name, template=empty)
    clock, vault = SetClock(START), Vault([new_key()])
    database = Database(clock)
    await database.open(dsn)
    stage = Stage(database, clock, vault)
    await stage.furnish()
    await database.close()
    return Furnished(name, vault, tuple(stage.clients), stage.servers)


async def forget_addresses(database: Database) -> None:
    """Forget what the index of this process saw in the copies that other tests had."""
    async with database.snapshot() as tx:
        pools = await tx.fetch("SELECT id FROM prefix UNION ALL SELECT id FROM vlan_group")
    for pool in pools:
        INDEX.forget(pool["id"])


@pytest.fixture(scope="session")
async def furnished(postgres: EmbeddedPostgres, template_database: str) -> Furnished:
    """A provider at work, as which the databases of tests begin."""
    return await furnished_template(postgres.dsn, template_database)


@pytest.fixture
async def dsn(
    request: pytest.FixtureRequest,
    databases: Databases,
    template_database: str,
    furnished: Furnished,
) -> str:
    """The address of a database with the provider in it, or of an empty one without a `stage`."""
    has_stage = "stage" in request.fixturenames
    return await databases.fresh(furnished.template if has_stage else template_database)


@pytest.fixture
def vault(furnished: Furnished) -> Vault:
    return furnished.vault


@pytest.fixture
async def stage(database: Database, clock: SetClock, furnished: Furnished) -> Stage:
    return await furnished.stage(database, clock)
