"""`slipway dhcp`: files that Kea takes, and a server that is told."""

import json
from pathlib import Path

from app.core.database import Database
from app.core.secrets import Vault, new_key
from tests.cli.test_commands import slipway
from tests.drivers.dhcp.kea import kea
from tests.services.hall import open_hall


async def test_a_servers_card_gets_its_orders_address(
    database: Database, dsn: str, tmp_path: Path
) -> None:
    hall = await open_hall(database, Vault([new_key()]))
    facts = {"DATABASE_URL": dsn, "SLIPWAY_BASE_URL": "https://slipway.example.org"}
    code, said = await slipway("dhcp", "export", str(tmp_path), **facts)
    assert (code, said.endswith("1 hosts: changed\n")) == (0, True)
    subnets = json.loads((tmp_path / "slipway-subnets.json").read_text())
    (host,) = [host for subnet in subnets for host in subnet["reservations"]]
    async with database.snapshot() as tx:
        name = await tx.fetchval("SELECT hostname FROM client_order WHERE id = $1", hall.order)
    assert (host["hw-address"], host["hostname"]) == (hall.mac, name)
    again = await slipway("dhcp", "export", str(tmp_path), **facts)
    assert again[1].endswith("as it is\n")
    with kea(tmp_path) as control:
        code, said = await slipway("dhcp", "push", str(control), "--keep", **facts)
    assert (code, said.endswith("1 hosts: changed\n")) == (0, True)
    assert host["ip-address"] in (tmp_path / "kea.conf").read_text()
    code, said = await slipway("dhcp", "push", str(control), **facts)
    assert (code, "kea.sock" in said) == (1, True)
