"""The pools as this process remembers them, and of which version of the address space they are.

`address_space` has another version whenever anything changes that pools are made of, committed
with the change. Whoever chooses by what is remembered has the statement that claims compare it,
under the lock of the tree (`claim_as_known`): nothing is claimed by what is no longer so.
"""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple
from uuid import UUID

from app.core.database import Tx
from app.domain.addresses.pools import Pool, pools_of
from app.ipam.wants import AddressKind


class KnownPools(NamedTuple):
    """The pools of some kinds in a datacentre, by id."""

    version: UUID
    pools: Mapping[UUID, Pool]
    read_at: datetime
    until: datetime | None
    """When something that is kept of the address space ends next."""

    def are_of(self, now: datetime) -> bool:
        """Return whether the same is kept at that time as when they were read."""
        return self.read_at <= now and (self.until is None or now < self.until)

    @property
    def are_for_all(self) -> bool:
        """Return whether nothing is kept of them for anybody."""
        return not any(pool.kept for pool in self.pools.values())


class PoolMemory:
    """What is remembered; one entry for each datacentre and set of kinds that was asked for."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, frozenset[AddressKind]], KnownPools] = {}

    def recall(
        self, datacentre: str, kinds: frozenset[AddressKind], now: datetime
    ) -> KnownPools | None:
        """Return what is remembered, which the database may contradict."""
        known = self._known.get((datacentre, kinds))
        return known if known is not None and known.are_of(now) else None

    async def read(
        self, tx: Tx, datacentre: str, kinds: frozenset[AddressKind]
    ) -> Mapping[UUID, Pool]:
        """Return the pools as they are, and remember them. At most three statements.

        The version is read first: pools that are newer than it only cost another look. What the
        caller's own transaction changed has a version that is gone with it if it fails.
        """
        row = await tx.fetchrow(_VERSION, tx.now())
        known = self.recall(datacentre, kinds, tx.now())
        if row is not None and known is not None and known.version == row["version"]:
            return known.pools
        pools = MappingProxyType(await pools_of(tx, datacentre, kinds))
        if row is not None:
            known = KnownPools(row["version"], pools, tx.now(), row["until"])
            self._known[datacentre, kinds] = known
        return pools


_VERSION = """
SELECT version, (SELECT min(expires_at) FROM address_reservation WHERE expires_at > $1) AS until
FROM address_space
"""

MEMORY = PoolMemory()
"""The process's own. A version is never another database's, unless that is a copy."""
