"""`slipway import FILE`: a provider's hardware, addresses and catalogue out of one JSON file.

Everything is known by its natural key (a serial number, a network, a product's slug): the same
file may be imported again after a change, and what it does not name stays as it is.
"""

from pathlib import Path

import click
import msgspec
import uvloop

from app.cli.database import opened
from app.core.database import Tx
from app.core.errors import Refusal
from app.core.secrets import Vault
from app.domain.addresses.register import register_addresses
from app.domain.addresses.seed import AddressSeed
from app.domain.catalog.register import register_catalog
from app.domain.catalog.seed import CatalogSeed
from app.domain.inventory.register import register_inventory
from app.domain.inventory.seed import InventorySeed
from app.domain.notices.shipped import install_templates
from app.flows.shipped import serve_categories
from app.resources import Servers, open_vault, start_servers
from app.settings import Settings, load_settings


class ProviderFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file; each part may be left out."""

    inventory: InventorySeed = InventorySeed()
    addresses: AddressSeed = AddressSeed()
    catalog: CatalogSeed = CatalogSeed()


class BadProviderFile(Refusal):
    code = "import.bad_file"

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path} cannot be imported: {reason}. Nothing was changed.")


@click.command("import")
@click.argument(
    "path", metavar="FILE", type=click.Path(path_type=Path, exists=True, dir_okay=False)
)
def import_(path: Path) -> None:
    """Register hardware, addresses and products from a JSON FILE; see docs/operations.md."""
    try:
        provider = msgspec.json.decode(path.read_bytes(), type=ProviderFile)
    except msgspec.DecodeError as error:
        raise BadProviderFile(path, str(error)) from error
    settings = load_settings()
    servers = start_servers(settings)
    try:
        uvloop.run(_import(settings, servers, provider))
    finally:
        servers.stop()
    products = sum(len(category.products) for category in provider.catalog.categories)
    click.echo(
        f"Registered {len(provider.inventory.servers)} servers, "
        f"{len(provider.addresses.prefixes)} prefixes and {products} products."
    )


async def _import(settings: Settings, servers: Servers, provider: ProviderFile) -> None:
    async with opened(settings, servers) as database, database.transaction() as tx:
        await register_provider(tx, open_vault(settings), provider)


async def register_provider(tx: Tx, vault: Vault, provider: ProviderFile) -> None:
    """Write the whole file, or nothing of it; every category gets flows for its whole life."""
    await register_inventory(tx, vault, provider.inventory)
    await register_addresses(tx, provider.addresses)
    await register_catalog(tx, provider.catalog)
    await install_templates(tx)
    await serve_categories(tx)
