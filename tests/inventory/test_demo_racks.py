"""The demo's datacentre: every machine of the lab in its rack, cabled, within every limit."""

from pathlib import Path

import msgspec

from app.cli.demo.seed import Lab, inventory_of
from app.core.database import Tx
from app.core.secrets import Vault
from app.domain.inventory.cabling import ports_of
from app.domain.inventory.find_racks import glance, rack_view
from app.domain.inventory.register import register_inventory
from app.domain.inventory.spaces import racks_in, read_spaces
from app.solver.placing import left
from lab.fleet import DATACENTRES, machine, racks

MACHINES = 24


async def test_the_demos_racks_are_full_of_things_and_within_their_limits(
    tx: Tx, vault: Vault, tmp_path: Path
) -> None:
    ca = tmp_path / "ca.pem"
    ca.write_text("PEM")
    bmc = {"url": "https://127.0.0.1:1", "username": "u", "password": "p", "system_path": "/s"}
    seed = inventory_of(
        Lab(
            url="",
            smtp={},
            ca_pem=str(ca),
            mirror_url="",
            ssh_port=0,
            datacentres=[msgspec.to_builtins(site) for site in DATACENTRES],
            racks=[msgspec.to_builtins(rack) for rack in racks(MACHINES)],
            machines=[
                msgspec.to_builtins(machine(number, 1)) | {"bmc": bmc} for number in range(MACHINES)
            ],
        )
    )
    ids = await register_inventory(tx, vault, seed)
    assert len(ids) == MACHINES
    assert [(one.room, one.row) for one in await glance(tx, "ams1")] == [("Hall 1", "A")] * 2
    places = [*await racks_in(tx, "ams1"), *await racks_in(tx, "fra1")]
    for space in await read_spaces(tx, places):
        assert all(free is None or free > 0 for free in left(space))
    view = await rack_view(tx, places[0])
    assert sorted(one.kind for one in view.devices) == ["panel", "pdu", "pdu", "switch"]
    assert len(view.servers) == 8
    ends = [port.far_owner for port in await ports_of(tx, server=view.servers[0].id)]
    assert ends == ["ams1-a01-sw1", "ams1-a01-pdu-a", "ams1-a01-pdu-b"]
