"""A hall with one machine to install."""

import pytest

from app.core.database import Database
from app.core.secrets import Vault
from tests.services.hall import Hall, open_hall


@pytest.fixture
async def hall(database: Database, vault: Vault) -> Hall:
    return await open_hall(database, vault)
