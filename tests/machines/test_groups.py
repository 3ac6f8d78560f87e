"""Groups of providers: places name them, weights count, one that is drained gets nothing new."""

import pytest
from msgspec.structs import replace

from app.core.database import Database
from app.core.errors import Invalid
from app.core.secrets import Vault
from app.domain.connections.errors import ConnectionHasMachines
from app.domain.connections.find import find_connection, id_of
from app.domain.connections.grouping import Member, drain, groups, members_of, set_group, take_up
from app.domain.connections.remove import remove_connection
from app.domain.machines.check import check_places
from app.domain.machines.choose import Seen, choose_place, sites_of, why_nowhere
from app.domain.orders.states import OrderState
from app.domain.orders.wait_for_stock import WAITING
from tests.machines.sale import Sale
from tests.machines.test_choose import LOCAL, SIZE, node
from tests.machines.world import PLACE, RULES, a_cluster, a_site, set_rules

BY = {"actor": None, "actor_label": "test"}
IN_GROUP = replace(RULES, places=(replace(PLACE, connection="@fra"),))


def test_weights_count_and_the_drained_are_left_out() -> None:
    here = replace(PLACE, connection="@fra")
    members = {"@fra": (Member("a", 100, False), Member("b", 300, False), Member("c", 900, True))}
    sites, drained = sites_of([here], members)
    assert [(one.place.connection, one.weight) for one in sites] == [("a", 100), ("b", 300)]
    assert drained == ("c",)
    seen = [Seen(one.place, LOCAL, (node("a"),), one.weight) for one in sites]
    chosen = choose_place(seen, SIZE, "debian-12", promised={})
    assert chosen is not None
    assert chosen.place.connection == "b"
    full = [replace(seen[0]), replace(seen[1], capacity=(node("a", 5_000),))]
    chosen = choose_place(full, SIZE, "debian-12", promised={})
    assert chosen is not None
    assert chosen.place.connection == "a", "a third of the weight, and far more room"
    assert "c is drained" in why_nowhere([], {}, SIZE, "debian-12", drained=drained)


async def test_a_group_is_named_kept_and_left(database: Database, vault: Vault) -> None:
    async with database.transaction() as tx:
        await a_cluster(tx, vault)
        await a_site(tx)
        with pytest.raises(Invalid, match="There is no group @fra"):
            await check_places(tx, IN_GROUP)
        pve = await id_of(tx, "pve")
        for group, weight in (("Fra!", 100), ("fra", 0), ("fra", 1_001)):
            with pytest.raises(Invalid):
                await set_group(tx, pve, group=group, weight=weight, **BY)
        await set_group(tx, pve, group="fra", weight=200, **BY)
        await set_group(tx, pve, group="fra", weight=200, **BY)
        await check_places(tx, IN_GROUP)
        assert await groups(tx) == ("@fra",)
        assert await members_of(tx, ["@fra", "pve", "no"]) == {
            "@fra": (Member("pve", 200, False),), "pve": (Member("pve", 200, False),), "no": (),
        }  # fmt: skip
        view = await find_connection(tx, pve)
        assert (view.in_group, view.weight, view.draining_since) == ("fra", 200, None)
        trail = "SELECT count(*) FROM audit_entry WHERE action = 'connection.grouped'"
        assert await tx.fetchval(trail) == 1


async def test_a_drained_provider_gets_no_new_machine(sale: Sale) -> None:
    """Orders wait, visibly, and go on at once when it is taken up, or another one is there."""
    desk = sale.desk
    async with desk.database.transaction() as tx:
        pve = await id_of(tx, "pve")
        await set_group(tx, pve, group="fra", weight=100, **BY)
        await set_rules(tx, IN_GROUP)
        await drain(tx, pve, **BY, reason="new disks")
        await drain(tx, pve, **BY, reason="again")
        for leave in (
            lambda: set_group(tx, pve, group="", weight=100, **BY),
            lambda: remove_connection(tx, pve, **BY),
        ):
            with pytest.raises(ConnectionHasMachines, match="last of @fra"):
                await leave()
    (order,) = await sale.buy(None)
    await sale.go_on(rounds=3)
    waiting = await sale.order(order)
    assert (waiting.state, waiting.state_reason) == (OrderState.provisioning, WAITING)
    assert "pve is drained" in (await desk.mail("staff-notice")).text
    before = desk.clock.now()
    async with desk.database.transaction() as tx:
        await take_up(tx, pve, **BY)
    await sale.go_on()
    assert (await sale.order(order)).state is OrderState.delivered
    assert (desk.clock.now() - before).total_seconds() < 300, "it looked at once"
    rows = await desk.rows(
        "SELECT action, reason FROM audit_entry WHERE subject = $1 ORDER BY id", pve
    )
    assert [tuple(row) for row in rows][-2:] == [
        ("connection.drained", "new disks"), ("connection.taken_up", ""),
    ]  # fmt: skip
