"""What an order needs of the address space, written down before any of it is claimed.

Everything here is plain data that travels as JSON: `AddressRules` is kept with a
product, and `wants_of` turns it into the items of one order.
"""

from enum import StrEnum
from typing import Annotated

import msgspec

from app.core.errors import Invalid
from app.ipam.choice import Strategy

PRIMARY_IP4 = "ip4:primary"
EXTRA_IP4 = "ip4:extra:"
PRIMARY_IP6NET = "ip6net:primary"
PRIMARY_VLAN = "vlan:primary"
BLOCK_BITS = 8
"""A block of IPv4 addresses is at most a /24."""

Ipv6Length = Annotated[int, msgspec.Meta(ge=33, le=64)]


class AddressKind(StrEnum):
    """What kind of thing is claimed."""

    ip4 = "ip4"
    """IPv4 addresses; the scope is a prefix, an offset is an address."""

    ip6net = "ip6net"
    """An IPv6 network of its own; the scope is a prefix, an offset numbers its /64s."""

    vlan = "vlan"
    """A VLAN id; the scope is a VLAN group, an offset is the id (1 to 4,094)."""


class AddressWant(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing that an order needs; (order, `item`) is the key under which it is claimed."""

    item: str
    """Stable within the order: `ip4:primary`, `ip4:extra:1`, `ip6net:primary`, `vlan:primary`."""
    kind: AddressKind
    purpose: str | None = None
    """Only prefixes with this purpose; None means those without one."""
    prefix_length: int
    """32 for one IPv4 address, 64, 56 or 48 for an IPv6 network; 0 for a VLAN."""
    strategy: Strategy | None = None
    """None leaves it to the prefix."""
    prefixes: tuple[str, ...] = ()
    """Networks in order of preference; others follow unless `prefixes_required`."""
    prefixes_required: bool = False
    """Only the networks listed will do."""
    same_prefix_as: str | None = None
    """The item whose prefix this one must share, or None."""
    vlan_group: str | None = None
    """Only prefixes of this VLAN group, or an id of it; None for any."""
    vlan_of: str | None = None
    """The item whose prefix says which VLAN group an id is of, if it is tied to one."""


class AddressRules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The IPAM rules of a product."""

    primary_purpose: str | None = None
    primary_prefixes: tuple[str, ...] = ()
    extra_purpose: str | None = None
    """Purpose of the prefixes that additional addresses come from."""
    extra_prefixes: tuple[str, ...] = ()
    extra_same_prefix: bool = False
    """Additional addresses come from the prefix of the primary one; the two above are unused."""
    extra_block: bool = False
    """Additional addresses are one aligned block: 8 are a /29. Their number is a power of two."""
    ipv6_length: Ipv6Length | None = 64
    """Length of the IPv6 network that comes with the service; None for no IPv6."""
    ipv6_purpose: str | None = None
    ipv6_prefixes: tuple[str, ...] = ()
    prefixes_required: bool = False
    """Whether a list of prefixes above is the only choice, or only the first one.

    An empty list restricts nothing either way.
    """
    vlan: bool = True
    vlan_group: str | None = None
    """Name of the only VLAN group whose prefixes and ids serve; None for any at the place."""
    strategy: Strategy | None = None
    """For addresses and networks; None leaves it to the prefix."""


def wants_of(rules: AddressRules, extra_ipv4: int = 0) -> tuple[AddressWant, ...]:
    """Return what an order with `extra_ipv4` additional addresses needs, the primary first.

    The same rules and number give the same items, so asking twice claims once.
    Raises Invalid for a negative number, and one that is no whole block where that is the rule.
    """
    if extra_ipv4 < 0:
        raise Invalid({"extra_ipv4": "The number of additional addresses cannot be negative."})
    return (
        AddressWant(
            item=PRIMARY_IP4,
            kind=AddressKind.ip4,
            purpose=rules.primary_purpose,
            prefix_length=32,
            strategy=rules.strategy,
            prefixes=rules.primary_prefixes,
            prefixes_required=rules.prefixes_required and bool(rules.primary_prefixes),
            vlan_group=rules.vlan_group,
        ),
        *_extras(rules, extra_ipv4),
        *_network(rules),
        *_vlan(rules),
    )


def _extras(rules: AddressRules, number: int) -> list[AddressWant]:
    if not rules.extra_block or number == 0:
        return [_extra(rules, f"{EXTRA_IP4}{each}", 32) for each in range(1, number + 1)]
    bits = number.bit_length() - 1
    if number != 1 << bits or bits > BLOCK_BITS:
        most = 1 << BLOCK_BITS
        raise Invalid({"extra_ipv4": f"They are one block: choose 1, 2, 4 and so on, to {most}."})
    return [_extra(rules, f"{EXTRA_IP4}1", 32 - bits)]


def _extra(rules: AddressRules, item: str, prefix_length: int) -> AddressWant:
    if rules.extra_same_prefix:
        purpose, prefixes = rules.primary_purpose, rules.primary_prefixes
    else:
        purpose, prefixes = rules.extra_purpose, rules.extra_prefixes
    return AddressWant(
        item=item,
        kind=AddressKind.ip4,
        purpose=purpose,
        prefix_length=prefix_length,
        strategy=rules.strategy,
        prefixes=prefixes,
        prefixes_required=rules.prefixes_required and bool(prefixes),
        same_prefix_as=PRIMARY_IP4 if rules.extra_same_prefix else None,
        vlan_group=rules.vlan_group if rules.extra_same_prefix else None,
    )


def _network(rules: AddressRules) -> tuple[AddressWant, ...]:
    if rules.ipv6_length is None:
        return ()
    return (
        AddressWant(
            item=PRIMARY_IP6NET,
            kind=AddressKind.ip6net,
            purpose=rules.ipv6_purpose,
            prefix_length=rules.ipv6_length,
            strategy=rules.strategy,
            prefixes=rules.ipv6_prefixes,
            prefixes_required=rules.prefixes_required and bool(rules.ipv6_prefixes),
        ),
    )


def _vlan(rules: AddressRules) -> tuple[AddressWant, ...]:
    if not rules.vlan:
        return ()
    return (
        AddressWant(
            item=PRIMARY_VLAN,
            kind=AddressKind.vlan,
            prefix_length=0,
            vlan_group=rules.vlan_group,
            vlan_of=PRIMARY_IP4,
        ),
    )
