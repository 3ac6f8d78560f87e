"""Vendors are known by what their BMCs call themselves; the rest is served by the specification."""

import pytest

from app.drivers.bmc.vendors import GENERIC, PROFILES, Vendor, profile_of, profile_of_number


@pytest.mark.parametrize(
    ("name", "vendor"),
    [
        ("Dell Inc.", Vendor.DELL),
        ("HPE", Vendor.HPE),
        ("Hewlett Packard Enterprise", Vendor.HPE),
        ("Supermicro", Vendor.SUPERMICRO),
        ("Super Micro Computer", Vendor.SUPERMICRO),
        ("LENOVO", Vendor.LENOVO),
        ("Sushy Emulator", Vendor.GENERIC),
        ("", Vendor.GENERIC),
        (None, Vendor.GENERIC),
    ],
)
def test_by_its_name(name: str | None, vendor: Vendor) -> None:
    assert profile_of(name).vendor is vendor


@pytest.mark.parametrize(
    ("number", "vendor"),
    [(674, Vendor.DELL), (47196, Vendor.HPE), (10876, Vendor.SUPERMICRO), (19046, Vendor.LENOVO)],
)
def test_by_its_number(number: int, vendor: Vendor) -> None:
    assert profile_of_number(number).vendor is vendor
    assert profile_of_number(1) is GENERIC


def test_nobody_is_two_vendors() -> None:
    numbers = [number for profile in PROFILES for number in profile.iana_numbers]
    assert len(numbers) == len(set(numbers))
    assert {profile.vendor for profile in PROFILES} == set(Vendor)
