"""Adapters are found by name, and a wrong name says which there are."""

import pytest

from app.drivers import registry
from app.drivers.secret import Secret


def test_every_shipped_driver_loads() -> None:
    shipped = {
        "bmc": {"redfish", "ipmi"},
        "deploy": {"netboot"},
        "dns": {"rfc2136"},
        "hypervisor": {"proxmox", "solusvm1", "solusvm2", "virtualizor"},
        "game": {"pterodactyl"},
        "metal": {"ironic"},
        "payment": {"stripe", "bank_transfer", "credit"},
        "mail": {"smtp"},
    }
    for kind, names in shipped.items():
        assert names <= set(registry.names(kind))
        assert all(isinstance(registry.load(kind, name), type) for name in names)


def test_an_unknown_name_tells_the_known_ones() -> None:
    with pytest.raises(registry.UnknownDriver, match="bank_transfer, credit, stripe"):
        registry.load("payment", "cash")


def test_a_secret_does_not_show_itself() -> None:
    secret = Secret("swordfish")
    assert "swordfish" not in f"{secret} {secret!r} {[secret]}"
    assert secret == Secret("swordfish") != Secret("other")
    assert secret.reveal() == "swordfish"
    assert len({secret, Secret("swordfish")}) == 1
