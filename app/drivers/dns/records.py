"""Records as people write them and as dnspython does. Pure."""

from collections.abc import Iterable
from ipaddress import ip_address

import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.reversename
import dns.rrset
from dns.rdtypes.ANY.TXT import TXT

from app.drivers.dns.contract import RecordSet, RecordType

LONGEST_TEXT_BYTES = 4_096
PART_BYTES = 255
"""A TXT record is a list of strings of at most so many (RFC 1035, 3.3.14); readers join them."""


class BadRecord(ValueError):
    """Names the field that is wrong and what to do."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


def record_set(name: str, kind: RecordType, values: Iterable[str], ttl_s: int) -> RecordSet:
    """Return checked records; the name of a PTR may be an address. Raises BadRecord."""
    written = {text_of(_rdata(kind, value)) for value in values}
    if not written:
        raise BadRecord("values", "at least one is needed")
    if kind is RecordType.CNAME and len(written) > 1:
        raise BadRecord("values", "a name has one CNAME at most")
    return RecordSet(
        name=absolute(name, kind), type=kind, values=tuple(sorted(written)), ttl_s=ttl_s
    )


def absolute(name: str, kind: RecordType) -> str:
    """Return a name with its final dot, a PTR's from its address if it is one."""
    if kind is RecordType.PTR:
        try:
            return dns.reversename.from_address(str(ip_address(name.strip()))).to_text()
        except ValueError:
            pass
    return _name("name", name).to_text()


def zone_of(name: str, zones: Iterable[str]) -> str:
    """Return the zone, of those that may be changed, that `name` lies in: the longest."""
    wanted = _name("name", name)
    found = [zone for zone in (_name("zones", text) for text in zones) if wanted.is_subdomain(zone)]
    if not found:
        raise BadRecord("name", f"{name} lies in none of the zones {', '.join(zones)}")
    return max(found, key=len).to_text()


def rdatas(records: RecordSet) -> list[dns.rdata.Rdata]:
    return [_rdata(records.type, value) for value in records.values]


def read_rrset(rrset: dns.rrset.RRset) -> RecordSet:
    return RecordSet(
        name=rrset.name.to_text(),
        type=RecordType(dns.rdatatype.to_text(rrset.rdtype)),
        values=tuple(sorted(text_of(rdata) for rdata in rrset)),
        ttl_s=rrset.ttl,
    )


def text_of(rdata: dns.rdata.Rdata) -> str:
    if isinstance(rdata, TXT):
        return b"".join(rdata.strings).decode("utf-8", "replace")
    return rdata.to_text()


def _rdata(kind: RecordType, value: str) -> dns.rdata.Rdata:
    rdtype = dns.rdatatype.from_text(kind)
    if kind is RecordType.TXT:
        raw = value.encode()
        if len(raw) > LONGEST_TEXT_BYTES:
            raise BadRecord("values", f"a text has {LONGEST_TEXT_BYTES:,} bytes at most")
        parts = [raw[i : i + PART_BYTES] for i in range(0, len(raw), PART_BYTES)] or [b""]
        return TXT(dns.rdataclass.IN, rdtype, parts)
    if kind in {RecordType.CNAME, RecordType.PTR}:
        value = _name("values", value).to_text()
    try:
        return dns.rdata.from_text(dns.rdataclass.IN, rdtype, value.strip())
    except (dns.exception.DNSException, ValueError) as error:
        raise BadRecord("values", f"{value!r} is no {kind} record: {error}") from error


def _name(field: str, text: str) -> dns.name.Name:
    try:
        found = dns.name.from_text(text.strip())
    except (dns.exception.DNSException, UnicodeError) as error:
        raise BadRecord(field, f"{text!r} is no name: {error}") from error
    if found == dns.name.root or any(b" " in label for label in found.labels):
        raise BadRecord(field, f"{text!r} is no name")
    return found
