"""`slipway ipam`: plain lines, and exit codes that a script can use."""

import json
from pathlib import Path

from app.core.database import Database
from app.core.ids import new_id
from app.domain.addresses.assign import assign
from app.domain.addresses.expire import expire
from app.domain.addresses.name_address import name_address
from app.domain.addresses.push_names import intend, take_due
from app.domain.addresses.release import release
from tests.addresses.site import ask, lay_out, prefix
from tests.cli.slipway import slipway


async def test_drift_is_one_line_and_exit_code_1(database: Database, dsn: str) -> None:
    async with database.transaction() as tx:
        await lay_out(tx, prefix("10.0.0.0/29"))
    assert await slipway("ipam", "audit", DATABASE_URL=dsn) == (0, "2 claims, 0 drifts\n")
    order = new_id()
    async with database.transaction() as tx:
        await ask(tx, order)
    code, said = await slipway("ipam", "audit", DATABASE_URL=dsn)
    assert code == 1
    assert said.splitlines() == [
        f"claim_without_order 10.0.0.1/32: held by {order}, which is no order",
        "3 claims, 1 drifts",
    ]


async def test_a_file_is_tried_taken_in_and_given_out_again(
    database: Database, dsn: str, tmp_path: Path
) -> None:
    async with database.transaction() as tx:
        await lay_out(tx)
    file = tmp_path / "netbox.csv"
    file.write_text("prefix,status\n10.0.0.0/8,active\n10.1.0.0/24,active\n2001:db8::/80,active\n")
    command = ("ipam", "import", str(file), "--datacentre", "ams1")
    code, said = await slipway(*command, DATABASE_URL=dsn)
    assert (code, said.splitlines()) == (
        1,
        [
            "row 2 10.0.0.0/8: It holds other prefixes, and becomes a container.",
            "row 4 2001:db8::/80: prefix: An IPv6 prefix is given out in /64s: at most /64 long.",
            "Nothing was changed; rows in error: 1.",
        ],
    )
    file.write_text("prefix,status\n10.0.0.0/8,container\n10.1.0.0/24,active\n")
    assert (await slipway(*command, "--dry-run", DATABASE_URL=dsn)) == (
        0, "2 prefixes, 0 addresses could be taken in: 2 new, 0 changed, 0 as they are\n",
    )  # fmt: skip
    assert (await slipway(*command, DATABASE_URL=dsn)) == (
        0, "2 prefixes, 0 addresses taken in: 2 new, 0 changed, 0 as they are\n",
    )  # fmt: skip
    file.write_text("prefix,status,description\n10.0.0.0/8,container,\n10.1.0.0/24,active,x\n")
    code, said = await slipway(*command, "--dry-run", DATABASE_URL=dsn)
    assert (code, said.splitlines()) == (0, [
        "row 3 10.1.0.0/24: note: none → x",
        "2 prefixes, 0 addresses could be taken in: 0 new, 1 changed, 1 as they are",
    ])  # fmt: skip
    code, said = await slipway("ipam", "export", DATABASE_URL=dsn)
    assert [one["network"] for one in json.loads(said)["prefixes"]] == ["10.0.0.0/8", "10.1.0.0/24"]
    code, said = await slipway("ipam", "export", "--csv", DATABASE_URL=dsn)
    assert (code, len(said.splitlines())) == (0, 3)


async def test_a_name_whose_server_is_gone_is_given_up(database: Database, dsn: str) -> None:
    command = ("ipam", "forget-name", "10.0.0.1")
    order = new_id()
    async with database.transaction() as tx:
        await lay_out(tx, prefix("10.0.0.0/29", cooldown_s=0))
        await ask(tx, order)
        await assign(tx, order)
        await name_address(
            tx, "10.0.0.1", "a.example.org", holder=order, actor=None, actor_label="test"
        )
        await intend(tx, (await take_due(tx, 1))[0])
    code, said = await slipway(*command, DATABASE_URL=dsn)  # it is still wanted
    assert code == 1
    assert "name that could not be removed" in said
    async with database.transaction() as tx:
        await release(tx, order)
        await tx.execute("UPDATE reverse_name SET state = 'failed'")
        assert await expire(tx) == 0
    said = "The old name of 10.0.0.1 is forgotten.\n"
    assert await slipway(*command, DATABASE_URL=dsn) == (0, said)
    async with database.transaction() as tx:
        assert await expire(tx) == 1
