"""What a selection asks of the inventory, of the address space and of providers."""

from msgspec.structs import replace

from app.domain.catalog.selection import DATACENTRE, LAYOUT, Selection
from app.domain.catalog.views import ProductView, with_layout
from app.domain.games.rules import GamePlace, GameRules, MadeOf
from app.domain.machines.rules import MachinePlace
from app.drivers.deploy.layout import DiskLayout
from app.ipam.wants import AddressWant, wants_of
from app.solver.want import ServerWant


def server_want(product: ProductView, selection: Selection) -> ServerWant:
    """Return the product's allocation rules; an answer to `datacentre` is binding."""
    return want_of(product.server_rules, product.disk_layouts, selection)


def want_of(rules: ServerWant, layouts: tuple[DiskLayout, ...], selection: Selection) -> ServerWant:
    """Return a product's rules as a client's answers change them, with the layout's disks."""
    rules = with_layout(rules, layouts, selection.choice(LAYOUT))
    chosen = selection.choice(DATACENTRE)
    if chosen is None:
        return rules
    return replace(rules, datacentres=(chosen,), datacentre_required=True)


def machine_places(product: ProductView, selection: Selection) -> tuple[MachinePlace, ...]:
    """Return where the virtual machine may be; an answer to `datacentre` is binding."""
    if product.machine_rules is None:
        return ()
    return product.machine_rules.places_in(selection.choice(DATACENTRE))


def game_places(rules: GameRules, selection: Selection) -> tuple[GamePlace, ...]:
    """Return where the game server may be; an answer to `datacentre` is binding."""
    return rules.places_in(selection.choice(DATACENTRE))


def game_made_of(rules: GameRules, place: GamePlace, selection: Selection) -> MadeOf:
    """Return what the game server is made of; what was not answered is as the rules have it."""
    answers = {name: _answer(selection, group) for name, group in rules.chosen.items()}
    given = {name: answer for name, answer in answers.items() if answer is not None}
    return MadeOf(
        egg=rules.egg,
        image=rules.image,
        limits=rules.limits,
        variables={**rules.variables, **given},
        locations=place.locations,
    )


def _answer(selection: Selection, group: str) -> str | None:
    if group in selection.quantities:
        return str(selection.quantities[group])
    return selection.choice(group)


def address_wants(product: ProductView, selection: Selection) -> tuple[AddressWant, ...]:
    """Return the items to claim: primary IPv4, the extras, the IPv6 network, the VLAN."""
    return wants_of(product.address_rules, selection.extra_ipv4)
