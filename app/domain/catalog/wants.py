"""What a selection asks of the inventory and of the address space."""

from msgspec.structs import replace

from app.domain.catalog.selection import DATACENTRE, Selection
from app.domain.catalog.views import ProductView
from app.domain.machines.rules import MachinePlace
from app.ipam.wants import AddressWant, wants_of
from app.solver.want import ServerWant


def server_want(product: ProductView, selection: Selection) -> ServerWant:
    """Return the product's allocation rules; an answer to `datacentre` is binding."""
    return want_of(product.server_rules, selection)


def want_of(rules: ServerWant, selection: Selection) -> ServerWant:
    """Return a product's rules as a client's answers change them."""
    chosen = selection.choice(DATACENTRE)
    if chosen is None:
        return rules
    return replace(rules, datacentres=(chosen,), datacentre_required=True)


def machine_places(product: ProductView, selection: Selection) -> tuple[MachinePlace, ...]:
    """Return where the virtual machine may be; an answer to `datacentre` is binding."""
    if product.machine_rules is None:
        return ()
    return product.machine_rules.places_in(selection.choice(DATACENTRE))


def address_wants(product: ProductView, selection: Selection) -> tuple[AddressWant, ...]:
    """Return the items to claim: primary IPv4, the extras, the IPv6 network, the VLAN."""
    return wants_of(product.address_rules, selection.extra_ipv4)
