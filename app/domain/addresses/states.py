"""The states of a claim. Free has no state: it is the absence of a claim."""

from enum import StrEnum


class ClaimState(StrEnum):
    """What is the matter with an address, an IPv6 network or a VLAN id that is taken."""

    held = "held"
    """An order's until it is paid or the hold expires; then free at once. `claim` makes it."""

    assigned = "assigned"
    """An order's until its service ends. `assign` makes it of `held`."""

    reserved = "reserved"
    """Given to no order: network, broadcast, gateway, the ranges an operator keeps, and what staff
    claimed by hand, which has a reason."""

    quarantined = "quarantined"
    """Nobody's, and not free until the cool-down ends: caches and block lists still know the
    last client. `release` makes it of `assigned`, `release_by_hand` of `reserved`, `settle_check`
    when it was found in use before it was handed out."""


TAKEN = frozenset({ClaimState.held, ClaimState.assigned})
"""An order has it."""


class PrefixStatus(StrEnum):
    """What a prefix is for. A leaf is one of which claims are made: any but a container."""

    container = "container"
    """Holds other prefixes; has no claims of its own."""

    active = "active"
    """Serves orders, where it is auto-allocatable, and staff."""

    reserved = "reserved"
    """Serves staff by hand only: for later, or for what Slipway does not run."""

    deprecated = "deprecated"
    """Serves nobody any more; who has something of it keeps it."""
