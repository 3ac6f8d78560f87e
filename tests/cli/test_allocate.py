"""`slipway allocate explain`: why an order has its server, for people and for scripts."""

import json

import pytest
from click.testing import CliRunner

from app.cli import allocate as command
from app.core.database import Database
from app.core.errors import NotFound
from app.domain.orders.explain import OrderAccount, explain_order
from tests.cli.slipway import slipway
from tests.orders.world import a_client, a_shop, an_order


def printed(told: OrderAccount, monkeypatch: pytest.MonkeyPatch) -> tuple[int, str]:
    """Return what the command says of an account, and its exit code."""
    monkeypatch.setattr(command, "with_database", lambda _: told)
    result = CliRunner().invoke(command.explain, [str(told.number)])
    return result.exit_code, result.output


async def test_an_order_is_explained_by_its_number(dsn: str, database: Database) -> None:
    async with database.transaction() as tx:
        await a_shop(tx, servers=3)
        order = await an_order(tx, await a_client(tx))
    code, said = await slipway("allocate", "explain", f"#{order.number}", DATABASE_URL=dsn)
    assert code == 0, said
    assert said.startswith(f"Order #{order.number}: 3 of 3 free servers serve it.")
    assert f"It has {order.server_name}." in said
    code, said = await slipway(
        "allocate", "explain", str(order.id), "--server", str(order.server_id), "--json",
        DATABASE_URL=dsn,
    )  # fmt: skip
    told = json.loads(said)
    assert (code, told["number"], told["has"]) == (0, order.number, str(order.server_id))
    assert told["account"]["asked"]["is_free"]
    assert len(told["account"]["candidates"]) == len(told["names"]) == 3
    code, said = await slipway("allocate", "explain", "999999", DATABASE_URL=dsn)
    assert code == 1
    assert "There is no order 999999" in said


async def test_why_a_server_was_not_chosen(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with database.transaction() as tx:
        await a_shop(tx, servers=4)
        order = await an_order(tx, await a_client(tx))
        small, large, sold = [
            row["name"]
            for row in await tx.fetch(
                "SELECT name FROM server WHERE holder IS NULL ORDER BY name LIMIT 3"
            )
        ]
        await tx.execute("UPDATE server SET ram_gb = 1 WHERE name = $1", small)
        await tx.execute("UPDATE server SET ram_gb = 512 WHERE name = $1", large)
        await tx.execute("UPDATE server SET state = 'maintenance' WHERE name = $1", sold)
        chosen = await explain_order(tx, order.id)
        assert chosen.account.chosen == chosen.has == order.server_id
        asked = {name: await explain_order(tx, order.id, server=name)
                 for name in (small, large, sold)}  # fmt: skip
        with pytest.raises(NotFound):
            await explain_order(tx, order.id, server="no such server")
        await tx.execute("UPDATE server SET ram_gb = 1")
        nothing = await explain_order(tx, order.id)
    code, said = printed(chosen, monkeypatch)
    assert code == 0
    assert f"The best is {order.server_name} for the smaller machine" in said
    assert f"{small} fails: At least" in printed(asked[small], monkeypatch)[1]
    assert (
        f"{large} serves it too; the best one goes before it for the smaller machine"
        in (printed(asked[large], monkeypatch)[1])
    )
    assert f"{sold} is not in stock." in printed(asked[sold], monkeypatch)[1]
    code, said = printed(nothing, monkeypatch)
    assert code == 1
    assert "0 of 3 free servers serve it" in said
    assert " admits " in said
