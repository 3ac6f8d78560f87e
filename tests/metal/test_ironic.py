"""The driver against a real Ironic."""

from collections.abc import Callable
from uuid import uuid4

import pytest

from app.drivers.metal.contract import Image, Link, MetalWant, NodeRef
from tests.drivers.contract.metal import MetalContract


def a_want(node: str) -> MetalWant:
    return MetalWant(
        ref=NodeRef(node, uuid4()),
        attempt=str(uuid4()),
        image=Image(url="http://images.example.net/debian-12.qcow2", checksum="a" * 64),
        hostname="box1.example.org",
        link=Link(mac="52:54:00:00:00:01", address4="192.0.2.10/24", gateway4="192.0.2.1"),
        ssh_keys=("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGx ada",),
    )


@pytest.fixture
def wanted() -> Callable[[str], MetalWant]:
    return a_want


class TestIronic(MetalContract):
    """All of the contract."""
