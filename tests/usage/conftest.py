"""The cluster and the shop of the machines' tests."""

from tests.machines.conftest import pve, sale

__all__ = ["pve", "sale"]
