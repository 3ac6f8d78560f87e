"""Each kind of drift is made by hand and named; what is well is not."""

import json

from app.core.database import Tx
from app.core.ids import new_id
from app.domain.addresses.assign import assign
from app.domain.addresses.audit import audit_addresses
from tests.addresses.site import WHOLE, ask, lay_out, prefix, vlans
from tests.inventory.hall import an_order

CLAIM = (
    "INSERT INTO address_claim (kind, scope, position, state, holder, item, claimed_at) "
    "VALUES ('ip4', $1, $2, 'assigned', $3, $2::bigint::text, $4)"
)


async def test_every_contradiction_is_named(tx: Tx) -> None:
    ids = await lay_out(
        tx, prefix(), prefix("10.1.0.0/28"), prefix("2001:db8::/48"), groups=[vlans()]
    )
    leaf, other = ids["10.0.0.0/28"], ids["10.1.0.0/28"]
    order = await an_order(tx)
    await ask(tx, order, WHOLE)
    await assign(tx, order)
    await tx.execute("UPDATE service SET state = 'active'")
    assert (await audit_addresses(tx)).found == ()

    bare = await an_order(tx)
    await tx.execute("UPDATE service SET state = 'active' WHERE \"order\" = $1", bare)
    ended = await an_order(tx)
    await tx.execute("UPDATE service SET state = 'terminated' WHERE \"order\" = $1", ended)
    for scope, position, holder in (
        (leaf, 16, order),
        (new_id(), 1, order),
        (leaf, 9, new_id()),
        (leaf, 10, ended),
        (other, 5, order),
    ):
        await tx.execute(CLAIM, scope, position, holder, tx.now())
    await tx.execute("UPDATE address_claim SET client = $1 WHERE position = 16", new_id())
    await tx.execute("UPDATE prefix SET status = 'container' WHERE id = $1", other)
    await tx.execute(
        "INSERT INTO prefix (id, network, datacentre, status) "
        "SELECT $1, '10.0.0.0/30', datacentre, 'container' FROM prefix WHERE id = $2",
        new_id(),
        leaf,
    )
    for scope, first, last in ((leaf, 9, 9), (other, 4, 99)):
        await tx.execute(
            "INSERT INTO address_reservation (id, prefix, first, last, purpose, reason, created_at)"
            " VALUES ($1, $2, $3, $4, 'lab', 'test', $5)",
            new_id(),
            scope,
            first,
            last,
            tx.now(),
        )
    drifts = (await audit_addresses(tx)).found
    found = {(drift.kind, drift.subject) for drift in drifts}
    number = await tx.fetchval("SELECT number FROM client_order WHERE id = $1", ended)
    [says] = [one.says for one in drifts if one.subject == "10.0.0.10/32"]
    assert says == f"assigned by order #{number}, whose service is terminated"
    assert found == {
        ("claim_without_pool", "ip4 1"),
        ("claim_in_container", "10.1.0.0/32"),
        ("claim_in_container", "10.1.0.5/32"),
        ("claim_in_container", "10.1.0.15/32"),
        ("claim_outside_prefix", "10.0.0.0/28 ip4 16"),
        ("claim_without_order", "10.0.0.9/32"),
        ("claim_without_order", "10.0.0.10/32"),
        ("claim_of_another_client", "10.0.0.16/32"),
        ("service_without_address", "web.example.test"),
        ("prefix_in_leaf", "10.0.0.0/30"),
        ("reservation_outside_prefix", "10.1.0.0/28"),
        ("claim_in_reservation", "10.0.0.9/32"),
        ("claim_in_reservation", "10.1.0.5/32"),
    }
    kept = await tx.fetch("SELECT drifts, found FROM address_audit ORDER BY id")
    assert [row["drifts"] for row in kept] == [0, len(json.loads(kept[1]["found"]))]
