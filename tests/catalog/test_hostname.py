"""Host names: RFC 1123, and every fault told by its own words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.catalog.hostname import hostname_fault

label = st.from_regex(r"\A[a-z]([a-z0-9-]{0,61}[a-z0-9])?\Z")


@pytest.mark.parametrize(
    "name", ["a", "db1", "3com.example", "xn--bcher-kva.example", "a-b.c-d", "x" * 63]
)
def test_good_names(name: str) -> None:
    assert hostname_fault(name) is None


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("", "Enter a host name"),
        ("a" * 254, "at most 253"),
        (".a", "two dots"),
        ("a..b", "two dots"),
        ("x" * 64, "longer than 63"),
        ("a_b", "not “_”"),
        ("bücher.example", "not “ü”"),
        ("a b", "not a space"),
        ("-a.example", "hyphen"),
        ("a-.example", "hyphen"),
        ("192.0.2.1", "number"),
        ("host.1", "number"),
    ],
)
def test_bad_names(name: str, says: str) -> None:
    fault = hostname_fault(name)
    assert fault is not None
    assert says in fault


@given(st.lists(label, min_size=1, max_size=4).map(".".join))
def test_any_labels_within_the_lengths_make_a_name(name: str) -> None:
    assert (hostname_fault(name) is None) == (len(name) <= 253)
