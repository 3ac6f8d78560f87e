"""The host names of a service's addresses."""

from collections.abc import Sequence
from urllib.parse import urlencode

import htpy as h

from app.components.card import card, split
from app.components.empty import empty
from app.components.facts import code
from app.components.form import Form
from app.components.frame import PageFrame
from app.components.live import live_region
from app.components.page import page_head, portal_page
from app.components.reverse_dns import name_badge, name_form
from app.components.table import Column, Row, table
from app.domain.addresses.names import NameState, NameView
from app.domain.services.views import ServiceView

_COLUMNS = (
    Column("Address", narrow=True),
    Column("Host name"),
    Column("State", narrow=True),
    Column("Change", narrow=True, hidden_label=True),
)


def reverse_dns_page(
    service: ServiceView, names: Sequence[NameView], form: Form, *, frame: PageFrame
) -> h.Element:
    has_ipv6 = bool(service.addresses.ip6)
    return portal_page(
        "Reverse DNS",
        page_head(
            "Reverse DNS",
            eyebrow=h.a(href=f"/services/{service.id}")[service.hostname],
            lede="The host name that others see when they look up one of your addresses.",
        ),
        split(
            [
                names_region(service, names),
                card(
                    name_form(
                        form,
                        f"/services/{service.id}/reverse-dns",
                        address_help="One of those above, or any other of your IPv6 network."
                        if has_ipv6
                        else "One of those above.",
                    ),
                    title="Set a host name",
                    symbol="pencil",
                    id_="set",
                ),
            ],
            card(
                h.div(".sw-stack")[
                    h.p[
                        "Mail servers ask for it: many refuse mail from an address without a host "
                        "name, or whose name does not lead back to it."
                    ],
                    h.p[
                        "So add a record to your own domain too: A for an IPv4 address, AAAA for "
                        "an IPv6 one, from the host name to the address."
                    ],
                    h.p(".sw-quiet")["Others may keep an old answer for up to an hour."],
                ],
                title="Good to know",
                symbol="info",
            ),
        ),
        frame=frame,
        active="services",
    )


def names_region(service: ServiceView, names: Sequence[NameView]) -> h.Element:
    """Return every address with its name; the region follows the name server."""
    by_address = {str(name.address): name for name in names}
    claimed = [str(ip4.address) for ip4 in service.addresses.ip4]
    claimed += [str(net.host_address) for net in service.addresses.ip6]
    addresses = list(dict.fromkeys([*claimed, *by_address]))
    here = f"/services/{service.id}/reverse-dns"
    return live_region(f"order:{service.order_id}", f"{here}/names", id_="names")[
        card(
            table(
                _COLUMNS,
                [_row(here, address, by_address.get(address)) for address in addresses],
                caption="Addresses and their host names",
                empty=empty("network", "No addresses", "This service has none at present."),
            ),
            title="Your addresses",
            symbol="network",
            flush=True,
        )
    ]


def _row(here: str, address: str, name: NameView | None) -> Row:
    change = f"{here}?{urlencode({'address': address})}#set"
    hostname: h.Node = h.span(".sw-quiet")["none"]
    state: h.Node = "–"
    if name is not None:
        hostname = h.span(".sw-mono.sw-clip")[name.hostname]
        again = name.state is NameState.failed
        state = h.div[
            name_badge(name), h.span(".sw-under")["tried again by itself"] if again else None
        ]
    return Row(
        cells=(
            code(address),
            hostname,
            state,
            h.a(href=change, aria_label=f"Change {address}")["Change"],
        ),
        id_=f"name-{address.replace(':', '-').replace('.', '-')}",
    )
