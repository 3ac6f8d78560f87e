"""`slipway ipam audit`: plain lines, and an exit code that a script can use."""

from app.core.database import Database
from app.core.ids import new_id
from tests.addresses.site import ask, lay_out, prefix
from tests.cli.test_commands import slipway


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
