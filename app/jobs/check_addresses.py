"""`addresses.check`: look at the addresses that an order is about to get, then let it go on."""

from collections.abc import Collection
from uuid import UUID

from app.core.database import Database
from app.core.outbox import Parcel, emit
from app.core.secrets import Vault
from app.domain.addresses.check import Unchecked, settle_check, unchecked
from app.domain.connections.serving import serving
from app.drivers.dns.contract import DnsUpdater, RecordType
from app.drivers.probe.contract import CannotProbe, Prober
from app.flows.signals import send_signal


class AddressCheck:
    """Whatever cannot be looked at raises: the order waits, the relay tries again, staff know."""

    def __init__(self, database: Database, vault: Vault, prober: Prober, dns: DnsUpdater) -> None:
        self._database = database
        self._vault = vault
        self._prober = prober
        self._dns = dns

    async def consume(self, parcel: Parcel) -> None:
        """Idempotent: what was looked at is not looked at again."""
        order = UUID(parcel.payload["order"])
        async with self._database.snapshot() as tx:
            looked_at = await unchecked(tx, order)
        in_use = await self._in_use(looked_at)
        async with self._database.transaction() as tx:
            await settle_check(tx, order, looked_at, in_use)
            await send_signal(tx, f"checked:{order}")

    async def _in_use(self, looked_at: Collection[Unchecked]) -> dict[int, str]:
        try:
            answers = await self._prober.who_answers([one.address for one in looked_at])
        except CannotProbe as error:
            await self._tell(looked_at, error.message)
            raise
        in_use = {one.claim: answers[one.address] for one in looked_at if one.address in answers}
        for one in looked_at:
            if one.claim not in in_use and (name := await self._stale_name(one)):
                in_use[one.claim] = f"the name server still calls it {name}"
        return in_use

    async def _stale_name(self, one: Unchecked) -> str:
        """Return the name that the server has for an address that should have none."""
        async with self._database.snapshot() as tx:
            server = await serving(tx, self._vault, one.name)
        if server is None:
            return ""
        found = await self._dns.read(server, one.name, RecordType.PTR)
        return "" if found is None else found.values[0].removesuffix(".")

    async def _tell(self, looked_at: Collection[Unchecked], reason: str) -> None:
        """Tell staff at once, once a day: an order waits until they have done something."""
        prefixes = sorted({one.prefix for one in looked_at})
        async with self._database.transaction() as tx:
            await emit(
                tx,
                "admin.notice",
                f"admin.notice:cannot-check:{','.join(prefixes)}:{tx.now():%Y-%m-%d}",
                {
                    "kind": "address.unchecked",
                    "subject": ", ".join(prefixes),
                    "title": f"Addresses of {', '.join(prefixes)} cannot be checked",
                    "text": f"They are to be checked before they are handed out, and {reason}. "
                    "Orders that need one wait. Mend that, or turn the check of the prefix off; "
                    "it is tried again by itself, at least every five minutes.",
                },
            )
