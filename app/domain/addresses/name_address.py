"""Give an address a host name in reverse DNS, or take it away."""

from ipaddress import IPv4Address, IPv6Address, ip_address
from uuid import UUID

import asyncpg

from app.core.database import Tx
from app.core.errors import Invalid
from app.domain.addresses.names import DOORBELL, NameState
from app.domain.audit.record import record
from app.domain.catalog.hostname import hostname_fault
from app.ipam.prefixes import offset_of

MOST = 256
"""Names in one /64: it has more addresses than any name server could hold."""


async def name_address(
    tx: Tx,
    address: str,
    hostname: str,
    *,
    holder: UUID | None,
    actor: UUID | None,
    actor_label: str,
) -> None:
    """Let reverse DNS say `hostname` for `address`; an empty one removes what it says.

    Only what is assigned, or claimed by hand, has a name. Of a `holder` it is only what is its
    order's; None: anyone's.
    The name server is told after the commit. The same name again only makes a push that failed
    be tried now. Raises Invalid for `address` and `hostname`.
    """
    faults: dict[str, str] = {}
    try:
        wanted = read_hostname(hostname)
    except Invalid as invalid:
        wanted, faults = None, dict(invalid.fields)
    try:
        found = await _claim_of(tx, address, holder)
    except Invalid as invalid:
        raise Invalid(invalid.fields | faults) from invalid
    if faults:
        raise Invalid(faults)
    place, claim = found
    before = await tx.fetchrow("SELECT hostname FROM reverse_name WHERE address = $1", place)
    if before is None and wanted is None:
        return
    if before is None:
        await _refuse_too_many(tx, claim["id"])
    await tx.execute(
        "INSERT INTO reverse_name AS n (address, claim, hostname, state, due_at, changed_at) "
        "VALUES ($1, $2, $3, $4, $5, $5) ON CONFLICT (address) DO UPDATE SET hostname = $3, "
        "state = $4, error = '', attempts = 0, seq = n.seq + 1, due_at = $5, changed_at = $5 "
        "WHERE n.hostname IS DISTINCT FROM $3 OR n.state = 'failed'",
        place,
        claim["id"],
        wanted,
        NameState.pending,
        tx.now(),
    )
    is_by_hand = claim["holder"] is None
    of = f"prefix:{claim['scope']}" if is_by_hand else f"order:{claim['holder']}"
    tx.publish(DOORBELL, "names", "addresses", of)
    if before is None or before["hostname"] != wanted:
        await record(
            tx,
            actor=actor,
            actor_label=actor_label,
            action="addresses.name",
            subject_kind="prefix" if is_by_hand else "order",
            subject=claim["scope"] if is_by_hand else claim["holder"],
            before={"hostname": before and before["hostname"]},
            after={"address": str(place), "hostname": wanted},
        )


def read_hostname(text: str) -> str | None:
    """Return a whole host name in lower case without its last dot; None for an empty text.

    Raises Invalid on `hostname`.
    """
    name = text.strip().lower().removesuffix(".")
    if not name:
        return None
    fault = hostname_fault(name)
    if fault is None and "." not in name:
        fault = f"Enter the whole name, for example {name}.example.org."
    if fault is None and name.endswith(".arpa"):
        fault = "Enter the name that the address is to have, not the name of its record."
    if fault is not None:
        raise Invalid({"hostname": fault})
    return name


async def _claim_of(
    tx: Tx, text: str, holder: UUID | None
) -> tuple[IPv4Address | IPv6Address, asyncpg.Record]:
    """Return the address and its claim, which stays whose it is until the commit."""
    try:
        address = ip_address(text.strip())
    except ValueError as error:
        raise Invalid({"address": "Enter an IPv4 or IPv6 address."}) from error
    leaf = await tx.fetchrow(
        "SELECT id, network FROM prefix WHERE network >>= $1 AND status <> 'container' "
        "AND vrf IS NULL",
        address,
    )
    if leaf is not None:
        offset = offset_of(leaf["network"], address)
        claim = await tx.fetchrow(
            "SELECT id, scope, holder FROM address_claim WHERE kind = $1 AND scope = $2 "
            "AND position = $3 AND CASE WHEN $4::uuid IS NULL THEN state = 'assigned' "
            "OR state = 'reserved' AND reason <> '' ELSE state = 'assigned' AND holder = $4 END "
            "FOR SHARE",
            "ip4" if address.version == 4 else "ip6net",
            leaf["id"],
            offset if address.version == 4 else offset >> 64,
            holder,
        )
        if claim is not None:
            return address, claim
    whose = (
        "none of this server's addresses"
        if holder
        else "nobody's: no order has it, and staff did not claim it"
    )
    raise Invalid({"address": f"{address} is {whose}."})


async def _refuse_too_many(tx: Tx, claim: int) -> None:
    count: int = await tx.fetchval("SELECT count(*) FROM reverse_name WHERE claim = $1", claim)
    if count >= MOST:
        message = f"A network has at most {MOST} names; remove one that is not needed any more."
        raise Invalid({"address": message})
