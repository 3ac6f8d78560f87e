"""What a client has is found by name: addresses, prefixes, what is kept."""

from typing import Any
from uuid import UUID

from app.core.database import Tx
from app.domain.addresses.by_hand import HandClaim, claim_address
from app.domain.addresses.clients import clients_called, had_by, spaces_of
from app.domain.addresses.keep import keep, list_reservations
from app.domain.addresses.release import release
from app.domain.addresses.search import search_claims
from app.domain.addresses.tree import prefix_tree
from tests.addresses.site import V4, V6, WHOLE, ask, lay_out, prefix, vlans
from tests.inventory.hall import an_order

STAFF: dict[str, Any] = {"actor": None, "actor_label": "staff"}
OTHER, KEPT, BARE = "10.0.1.0/28", "10.0.2.0/28", "10.0.3.0/28"


async def of_ada(tx: Tx) -> tuple[UUID, UUID]:
    """Let Ada have an order, an address by hand and a reservation; return her id and the order."""
    seeds = (V4, OTHER, KEPT, BARE, V6)
    order, _ = await an_order(tx), await an_order(tx)
    ids = await lay_out(tx, *map(prefix, seeds), groups=[vlans()])
    ada: UUID = await tx.fetchval(
        "UPDATE account SET name = 'Ada Byron', company = 'Engines', email = 'ada@example.net' "
        "WHERE id = (SELECT account FROM client_order WHERE id = $1) RETURNING id",
        order,
    )
    await ask(tx, order, WHOLE)
    for other in await tx.fetch("SELECT id FROM client_order WHERE id <> $1", order):
        await ask(tx, other["id"])
    terms = HandClaim(reason="by contract", client=ada)
    await claim_address(tx, ids[OTHER], "10.0.1.9", terms, **STAFF)
    await claim_address(tx, ids[OTHER], "10.0.1.8", HandClaim(reason="probe"), **STAFF)
    await keep(tx, ids[KEPT], "10.0.2.4-10.0.2.7", client=ada, reason="growth",
               expires_at=None, **STAFF)  # fmt: skip
    return ada, order


async def test_a_clients_addresses_prefixes_and_reservations_are_found(tx: Tx) -> None:
    ada, order = await of_ada(tx)
    for words in ("ada@", "ada byron", "ENGINES"):
        assert await clients_called(tx, words) == (ada,)
        found = (await search_claims(tx, words)).items
        assert [(one.text, one.holder == order) for one in found] == [
            ("10.0.0.1", True), ("10.0.0.2", True), ("10.0.0.3", True), ("10.0.1.9", False),
            ("2001:db8::/64", True), ("100", True),
        ]  # fmt: skip
        lines = (await prefix_tree(tx, search=words)).items
        assert [str(getattr(line.what, "network", "")) for line in lines] == [V4, OTHER, KEPT, V6]
        [kept] = (await list_reservations(tx, search=words)).items
        assert (kept.client, kept.reason) == (ada, "growth")
    assert await clients_called(tx, str(ada)) == (ada,)
    assert await clients_called(tx, "  ") == ()
    assert await clients_called(tx, "%") == ()

    nobody = await tx.fetchval("SELECT id FROM account WHERE id <> $1", ada)
    [space, other] = await spaces_of(tx, [ada, nobody])
    assert (space.name, space.email, len(space.reservations)) == ("Ada Byron", "ada@example.net", 1)
    taken = {str(one.network): one.taken for one in space.prefixes}
    assert taken == {V4: 3, OTHER: 1, V6: 1}
    assert (other.client, [one.taken for one in other.prefixes]) == (nobody, [1])
    await release(tx, order)
    assert [one.text for one in (await search_claims(tx, "ada byron")).items] == ["10.0.1.9"]


async def test_claims_of_a_client_are_found_by_the_index_of_holders(tx: Tx) -> None:
    ada, _ = await of_ada(tx)
    await tx.execute("SET LOCAL enable_seqscan = off")  # among so few rows it would be cheaper
    clients = f"ARRAY['{ada}']::uuid[]"
    plan = await tx.fetch(f"EXPLAIN SELECT FROM address_claim c WHERE {had_by(clients)}")
    said = "\n".join(row[0] for row in plan)
    assert said.count("Bitmap Index Scan on address_claim_one_answer") == 2, said
    assert "Seq Scan on address_claim" not in said
