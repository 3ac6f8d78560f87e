"""Dynamic updates (RFC 2136) signed with TSIG (RFC 8945), over TCP to the primary server.

Knot, BIND, PowerDNS and Windows take them. Each change names what must be there beforehand, so
that two who change the same records never undo each other's work unseen.
"""

import base64

import dns.asyncquery
import dns.exception
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.tsig
import dns.update

from app.drivers.dns.contract import DnsServer, RecordSet, RecordType
from app.drivers.dns.records import BadRecord, absolute, rdatas, read_rrset, record_set, zone_of
from app.drivers.egress import Egress
from app.drivers.errors import (
    DriverError,
    Refused,
    Retriable,
    Unanswered,
    Unauthorised,
    Unreachable,
)
from app.drivers.resolve import addresses

CALL_S = 10.0
ALGORITHMS = ("hmac-sha256", "hmac-sha512", "hmac-sha384", "hmac-sha224", "hmac-sha1")
STOPGAP_TTL_S = 60
"""Nothing is ever written with it; a record set needs one."""
Rcode = dns.rcode.Rcode


class Rfc2136:
    """Adapter of `app.drivers.dns.contract.DnsUpdater`. A connection for each message."""

    def __init__(self, egress: Egress) -> None:
        self._egress = egress

    async def read(self, server: DnsServer, name: str, kind: RecordType) -> RecordSet | None:
        name = _checked(server, name, kind)
        rdtype = dns.rdatatype.from_text(kind)
        query = dns.message.make_query(name, rdtype)
        answer = await self._ask(server, query)
        if answer.rcode() == Rcode.NXDOMAIN:
            return None
        _require(server, answer.rcode(), name)
        owner = dns.name.from_text(name)
        found = answer.get_rrset(dns.message.ANSWER, owner, dns.rdataclass.IN, rdtype)
        return None if found is None else read_rrset(found)

    async def create(self, server: DnsServer, records: RecordSet) -> None:
        update = _update(server, records.name)
        update.absent(records.name, records.type)
        update.add(records.name, records.ttl_s, *rdatas(records))
        rcode = (await self._ask(server, update)).rcode()
        if rcode == Rcode.YXRRSET:
            found = await self.read(server, records.name, records.type)
            if found is not None and found.values == records.values:
                return
            values = ", ".join(found.values) if found else "something else"
            reason = f"there is {records.type} {values} already; replace it if that is meant"
            raise Refused(server.name, field=records.name, reason=reason)
        _require(server, rcode, records.name)
        await self._followed(server, records)

    async def replace(self, server: DnsServer, records: RecordSet) -> RecordSet | None:
        before = await self.read(server, records.name, records.type)
        if before == records:
            return before
        update = _update(server, records.name)
        _expect(update, records.name, records.type, before)
        update.replace(records.name, records.ttl_s, *rdatas(records))
        _require(server, (await self._ask(server, update)).rcode(), records.name)
        await self._followed(server, records)
        return before

    async def delete(
        self, server: DnsServer, name: str, kind: RecordType, values: tuple[str, ...] = ()
    ) -> RecordSet | None:
        name = _checked(server, name, kind)
        before = await self.read(server, name, kind)
        if before is None:
            return None
        update = _update(server, name)
        if values:
            update.delete(name, *rdatas(_records(server, name, kind, values)))
        else:
            update.delete(name, kind)
        _require(server, (await self._ask(server, update)).rcode(), name)
        return before

    async def check(self, server: DnsServer) -> str:
        if not server.zones:
            raise Refused(server.name, field="zones", reason="none is named")
        for zone in server.zones:
            update = _update(server, zone)
            update.present(_checked(server, zone, None), dns.rdatatype.SOA)
            _require(server, (await self._ask(server, update)).rcode(), zone)
        return f"may change {', '.join(server.zones)}"

    async def _followed(self, server: DnsServer, records: RecordSet) -> None:
        """See that the change is there: what breaks a rule of the zone is taken and left out.

        Source: RFC 2136, 3.4.2.2: a CNAME beside other records is silently ignored.
        """
        found = await self.read(server, records.name, records.type)
        if found is None or found.values != records.values:
            reason = "the server took the change and did not follow it; is there a CNAME beside it?"
            raise Refused(server.name, field=records.name, reason=reason)

    async def _ask(self, server: DnsServer, message: dns.message.Message) -> dns.message.Message:
        """Send a signed message and return the answer, whose signature is good."""
        _sign(server, message)
        place = (await addresses(server.host, server.port, self._egress, peer=server.name))[0]
        try:
            return await dns.asyncquery.tcp(message, place, timeout=CALL_S, port=server.port)
        except (dns.exception.DNSException, OSError, EOFError) as error:
            raise _translate(server, error) from error


def _update(server: DnsServer, name: str) -> dns.update.UpdateMessage:
    return dns.update.UpdateMessage(_zone(server, name))


def _zone(server: DnsServer, name: str) -> str:
    try:
        return zone_of(name, server.zones)
    except BadRecord as error:
        raise Refused(server.name, field=error.field, reason=error.reason) from error


def _checked(server: DnsServer, name: str, kind: RecordType | None) -> str:
    try:
        return absolute(name, kind or RecordType.TXT)
    except BadRecord as error:
        raise Refused(server.name, field=error.field, reason=error.reason) from error


def _records(server: DnsServer, name: str, kind: RecordType, values: tuple[str, ...]) -> RecordSet:
    try:
        return record_set(name, kind, values, STOPGAP_TTL_S)
    except BadRecord as error:
        raise Refused(server.name, field=error.field, reason=error.reason) from error


def _expect(
    update: dns.update.UpdateMessage, name: str, kind: RecordType, before: RecordSet | None
) -> None:
    if before is None:
        update.absent(name, kind)
    else:
        update.present(name, *rdatas(before))


def _sign(server: DnsServer, message: dns.message.Message) -> None:
    try:
        if server.algorithm not in ALGORITHMS:
            raise ValueError(f"{server.algorithm} is none of {', '.join(ALGORITHMS)}")  # noqa: TRY301 - one way out
        secret = base64.b64decode(server.secret.reveal(), validate=True)
        message.use_tsig(dns.tsig.Key(server.key_name, secret, server.algorithm))
    except (dns.exception.DNSException, ValueError) as error:
        raise Refused(server.name, field="key", reason=f"it is not usable: {error}") from error


def _require(server: DnsServer, rcode: dns.rcode.Rcode, name: str) -> None:
    """Raise what an answer says, unless it says that all is well."""
    words = f"it answers {dns.rcode.to_text(rcode)} for {name}"
    match rcode:
        case Rcode.NOERROR:
            return
        case Rcode.NOTAUTH | Rcode.REFUSED:
            raise Unauthorised(server.name, f"{words}: the key may not change this zone there")
        case Rcode.YXRRSET | Rcode.NXRRSET | Rcode.YXDOMAIN | Rcode.NXDOMAIN:
            raise Retriable(server.name, f"{words}: the records were changed meanwhile")
        case Rcode.SERVFAIL:
            raise Retriable(server.name, words)
        case _:
            raise Refused(server.name, field=name, reason=words)


def _translate(server: DnsServer, error: Exception) -> DriverError:
    match error:
        case dns.tsig.PeerBadTime() | dns.tsig.BadTime():
            return Refused(server.name, field="clock", reason="its clock and ours differ too much")
        case dns.tsig.PeerError() | dns.tsig.BadSignature() | dns.tsig.BadKey():
            return Unauthorised(server.name, f"the key is not accepted: {error}")
        case dns.exception.FormError() if "TSIG" in str(error):
            # So does a server that has no such zone: it has nothing to sign with.
            words = "its answer is not signed: it knows neither the zone nor the key"
            return Unauthorised(server.name, words)
        case OSError() if not isinstance(error, ConnectionResetError | BrokenPipeError):
            return Unreachable(server.name, error.strerror or str(error) or type(error).__name__)
        case _:
            return Unanswered(server.name, _broken(error))


def _broken(error: Exception) -> str:
    match error:
        case dns.exception.Timeout():
            return "no answer in time"
        case EOFError() | OSError():
            return "it closed the connection without an answer"
        case _:
            return f"its answer is not readable: {error}"
