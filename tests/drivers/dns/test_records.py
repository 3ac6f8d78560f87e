"""Records as people write them."""

import pytest

from app.drivers.dns.contract import RecordType
from app.drivers.dns.records import BadRecord, absolute, record_set, zone_of

A, AAAA, CNAME, PTR, TXT = RecordType


def test_values_are_checked_and_put_in_order() -> None:
    records = record_set("WWW.Example.org", A, [" 192.0.2.9", "192.0.2.7", "192.0.2.9"], 60)
    assert (records.name, records.values) == ("WWW.Example.org.", ("192.0.2.7", "192.0.2.9"))
    assert record_set("x.org", TXT, ["", "ü"], 60).values == ("", "ü")


@pytest.mark.parametrize(
    ("name", "kind", "values", "field"),
    [
        ("x.org", A, ["2001:db8::1"], "values"),
        ("x.org", A, ["192.0.2.300"], "values"),
        ("x.org", A, [], "values"),
        ("x.org", AAAA, ["192.0.2.1"], "values"),
        ("x.org", CNAME, ["a.org", "b.org"], "values"),
        ("x.org", CNAME, [""], "values"),
        ("x.org", CNAME, ["a b.org"], "values"),
        ("x.org", TXT, ["x" * 4_097], "values"),
        ("", A, ["192.0.2.1"], "name"),
        (".", A, ["192.0.2.1"], "name"),
        ("a..org", A, ["192.0.2.1"], "name"),
        ("a" * 64 + ".org", A, ["192.0.2.1"], "name"),
        ("192.0.2.0/24", PTR, ["a.org", "b c"], "values"),
    ],
)
def test_what_is_wrong_is_named(name: str, kind: RecordType, values: list[str], field: str) -> None:
    with pytest.raises(BadRecord) as bad:
        record_set(name, kind, values, 60)
    assert bad.value.field == field


def test_a_ptr_is_named_by_its_address() -> None:
    assert absolute("192.0.2.7", PTR) == "7.2.0.192.in-addr.arpa."
    assert absolute("2001:db8::1", PTR).endswith(".8.b.d.0.1.0.0.2.ip6.arpa.")
    assert absolute("192.0.2.7", A) == "192.0.2.7."


def test_the_longest_zone_is_the_one() -> None:
    zones = ("example.org", "eu.example.org.", "org2.test")
    assert zone_of("www.eu.example.org.", zones) == "eu.example.org."
    assert zone_of("EU.example.org", zones) == "eu.example.org."
    assert zone_of("notexample.org.example.org", zones) == "example.org."
    with pytest.raises(BadRecord, match="none of the zones"):
        zone_of("notexample.org", zones)
