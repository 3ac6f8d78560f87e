"""What the pages of the address space share: where they are, their tabs, words of counts."""

from ipaddress import IPv4Network, IPv6Network
from urllib.parse import quote, urlencode
from uuid import UUID

import htpy as h

from app.components.nav import Tab, tabs
from app.domain.addresses.views import ClaimView, PrefixView

ACTIVE = "addresses"
PREFIXES = "/admin/prefixes"
ADDRESSES = "/admin/addresses"
VRFS = "/admin/vrfs"
VLANS = "/admin/vlans"
RESERVATIONS = "/admin/reservations"
AUDITS = "/admin/address-audits"
TOPICS = "addresses orders dashboard"
"""Claims of orders are told by the order, those of staff by themselves."""


def space_tabs(here: str) -> h.Element:
    """Return the tabs to the lists of the address space; `here` is the path of the one shown."""
    return tabs(
        [
            Tab("Prefixes", PREFIXES),
            Tab("Addresses", ADDRESSES),
            Tab("VRFs", VRFS),
            Tab("VLANs", VLANS),
            Tab("Reservations", RESERVATIONS),
            Tab("Audits", AUDITS),
        ],
        here,
        label="Address space",
    )


def prefix_href(prefix: UUID, deed: str = "", **query: str) -> str:
    """Return the address of a prefix's page, or of a deed on it."""
    path = f"{PREFIXES}/{prefix}" + (f"/{deed}" if deed else "")
    words = urlencode({name: value for name, value in query.items() if value})
    return f"{path}?{words}" if words else path


def address_href(text: str) -> str:
    """Return the page of an address or a /64."""
    return f"{ADDRESSES}/{quote(text.partition('/')[0], safe=':')}"


def with_query(path: str, **query: str) -> str:
    words = urlencode({name: value for name, value in query.items() if value})
    return f"{path}?{words}" if words else path


def unit_words(network: IPv4Network | IPv6Network, count: int) -> str:
    """Say `254 addresses` or `1 /64`."""
    if network.version == 6:
        return f"{count:,} /64" + ("" if count == 1 else "s")
    return f"{count:,} address" + ("" if count == 1 else "es")


def room_words(prefix: PrefixView) -> str:
    """Say what of a leaf is free for anyone, and what is kept: `37 free, 16 kept`."""
    return f"{prefix.free:,} free" + (f", {prefix.kept:,} kept" if prefix.kept else "")


def owner_of(claim: ClaimView) -> h.Node:
    """Say whose a claim is: its order, or what staff said it is for."""
    if claim.holder is not None and claim.order_number is not None:
        return h.div[
            h.a(href=f"/admin/orders/{claim.holder}")[f"#{claim.order_number}"],
            h.span(".sw-under")[claim.hostname],
        ]
    return h.div[
        claim.reason or claim.purpose.capitalize() or "–",
        h.span(".sw-under")[claim.client_email] if claim.client_email else None,
    ]


def owner_words(claim: ClaimView) -> str:
    """Say whose a claim is in one line."""
    if claim.order_number is not None:
        return f"order #{claim.order_number}, {claim.hostname}"
    words = claim.reason or claim.purpose
    return f"{words} ({claim.client_email})" if claim.client_email else words
