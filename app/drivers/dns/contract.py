"""The contract of a name server that takes changes."""

from enum import StrEnum
from typing import Protocol

import msgspec

from app.drivers.secret import Secret


class RecordType(StrEnum):
    """Kinds of records that flows keep."""

    A = "A"
    AAAA = "AAAA"
    CNAME = "CNAME"
    PTR = "PTR"
    TXT = "TXT"


class DnsServer(msgspec.Struct, frozen=True, kw_only=True):
    """The primary server of some zones, and the key that it lets change them."""

    name: str
    """What errors call it."""
    host: str
    port: int = 53
    zones: tuple[str, ...]
    """Those that may be changed: `example.org`, `2.0.192.in-addr.arpa`."""
    key_name: str
    algorithm: str = "hmac-sha256"
    secret: Secret
    """The TSIG key in base64."""


class RecordSet(msgspec.Struct, frozen=True, kw_only=True):
    """All records of one name and type. Made by `records.py`, which checks them."""

    name: str
    """Absolute, with the final dot."""
    type: RecordType
    values: tuple[str, ...]
    """As people write them: addresses, absolute names, texts without quotes; sorted."""
    ttl_s: int


class DnsUpdater(Protocol):
    """Changes records, all or nothing. Raises only `DriverError`s.

    A change that the server took and did not follow is refused, so that none is believed in vain.
    """

    async def read(self, server: DnsServer, name: str, kind: RecordType) -> RecordSet | None:
        """Return what the server has; one query."""
        ...

    async def create(self, server: DnsServer, records: RecordSet) -> None:
        """Add them where nothing of that name and type is; the same again is no error."""
        ...

    async def replace(self, server: DnsServer, records: RecordSet) -> RecordSet | None:
        """Put them in place of what there is, which is returned."""
        ...

    async def delete(
        self, server: DnsServer, name: str, kind: RecordType, values: tuple[str, ...] = ()
    ) -> RecordSet | None:
        """Remove those of `values`, or all when none are named; returns what there was."""
        ...

    async def check(self, server: DnsServer) -> str:
        """Return words about the zones once each may be changed with the key; changes nothing."""
        ...
