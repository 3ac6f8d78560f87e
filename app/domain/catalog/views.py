"""What is sold, as pages and other contexts see it."""

from collections.abc import Iterable
from enum import StrEnum
from uuid import UUID

import msgspec

from app.domain.catalog.cycle import Cycle
from app.domain.catalog.kind import ProductKind
from app.domain.games.rules import CustomRules, GameRules
from app.domain.machines.rules import MachineRules
from app.drivers.deploy.layout import DiskLayout
from app.drivers.hypervisor.iso import is_iso
from app.ipam.wants import AddressRules
from app.solver.want import DiskKind, ServerWant, StorageWant


class OptionKind(StrEnum):
    """How a question of the order form is answered."""

    choice = "choice"
    """One of its options."""

    quantity = "quantity"
    """A number of its single option."""

    ssh_keys = "ssh_keys"
    """Some of the client's public keys."""


class PriceView(msgspec.Struct, frozen=True, kw_only=True):
    """The price of one unit for one cycle, in minor units of its currency."""

    currency: str
    cycle: Cycle
    recurring_minor: int
    setup_minor: int = 0

    @property
    def per_month_minor(self) -> int:
        """Return the recurring price for a month, rounded up."""
        return -(-self.recurring_minor // self.cycle.months)


class OptionView(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    code: str
    name: str
    help: str = ""
    prices: tuple[PriceView, ...] = ()

    def price(self, currency: str, cycle: Cycle) -> PriceView | None:
        """Return its price; None when it is not offered so.

        An option without any price is included. One that has prices, but none for this
        currency and cycle, is not offered: nobody said what it costs.
        """
        if not self.prices:
            return PriceView(currency=currency, cycle=cycle, recurring_minor=0)
        return price_in(self.prices, currency, cycle)


class OptionGroupView(msgspec.Struct, frozen=True, kw_only=True):
    """A question of the order form; its field is called `code`."""

    id: UUID
    code: str
    name: str
    help: str = ""
    kind: OptionKind
    is_required: bool = False
    minimum: int = 0
    """Fewest units or keys."""
    maximum: int = 1
    """Most units or keys."""
    options: tuple[OptionView, ...] = ()

    def option(self, code: str) -> OptionView | None:
        return next((option for option in self.options if option.code == code), None)


class ProductView(msgspec.Struct, frozen=True, kw_only=True):
    """A product with everything that its page and its order form need."""

    id: UUID
    slug: str
    name: str
    summary: str = ""
    description: str = ""
    specs: tuple[tuple[str, str], ...] = ()
    category_id: UUID
    category_slug: str
    category_name: str
    server_rules: ServerWant
    address_rules: AddressRules
    machine_rules: MachineRules | None = None
    """Of a product whose machines are virtual: its orders hold addresses and no server."""
    game_rules: GameRules | None = None
    """Of a product of game servers: its orders hold nothing; room at the panels is counted."""
    custom_rules: CustomRules | None = None
    """Of a product that its flow alone delivers: its orders hold nothing."""
    disk_layouts: tuple[DiskLayout, ...] = ()
    """Ways to divide a server's disks; the first is the usual one."""
    is_visible: bool = True
    prices: tuple[PriceView, ...] = ()
    groups: tuple[OptionGroupView, ...] = ()

    @property
    def kind(self) -> ProductKind:
        if self.machine_rules is not None:
            return ProductKind.MACHINE
        if self.game_rules is not None:
            return ProductKind.GAME
        return ProductKind.SERVER if self.custom_rules is None else ProductKind.CUSTOM

    @property
    def takes_addresses(self) -> bool:
        """Say whether its orders hold addresses of ours."""
        return self.kind in (ProductKind.SERVER, ProductKind.MACHINE)

    def price(self, currency: str, cycle: Cycle) -> PriceView | None:
        return price_in(self.prices, currency, cycle)

    def group(self, code: str) -> OptionGroupView | None:
        return next((group for group in self.groups if group.code == code), None)

    def is_by_hand(self, os: str) -> bool:
        """Say whether its client installs that system, on a machine with an ISO in its drive."""
        return self.machine_rules is not None and is_iso(self.machine_rules.templates.get(os, ""))

    @property
    def usual_want(self) -> ServerWant:
        """Return what an order asks of a server that chooses nothing."""
        return with_layout(self.server_rules, self.disk_layouts, None)

    def may_be_at(self, datacentre: str, rack: str = "") -> bool:
        """Say whether its machines may have addresses of a rack, or of a whole datacentre."""
        if self.game_rules is not None:
            return any(place.datacentre == datacentre for place in self.game_rules.places)
        if self.machine_rules is None:
            want = self.server_rules
            return not want.datacentre_required or datacentre in want.datacentres
        return any(
            place.datacentre == datacentre and rack in ("", place.rack)
            for place in self.machine_rules.places
        )

    @property
    def currencies(self) -> tuple[str, ...]:
        return tuple(sorted({price.currency for price in self.prices}))

    def cycles(self, currency: str) -> tuple[Cycle, ...]:
        """Return the cycles that it is sold in, the shortest first."""
        sold = {price.cycle for price in self.prices if price.currency == currency}
        return tuple(cycle for cycle in Cycle if cycle in sold)


class ProductCard(msgspec.Struct, frozen=True, kw_only=True):
    """A product in a list; `lowest` is its best price by the month, None if not sold so."""

    id: UUID
    slug: str
    name: str
    summary: str = ""
    specs: tuple[tuple[str, str], ...] = ()
    lowest: PriceView | None = None


class CategoryView(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    slug: str
    name: str
    products: tuple[ProductCard, ...] = ()


class OsImageView(msgspec.Struct, frozen=True, kw_only=True):
    """An operating system that netboot can install."""

    id: UUID
    code: str
    name: str
    family: str
    release: str
    kernel_url: str
    initrd_url: str
    mirror_url: str
    image_url: str = ""
    """The live installer's image, where the family needs one (Ubuntu)."""
    is_enabled: bool = True


def with_layout(
    rules: ServerWant, layouts: tuple[DiskLayout, ...], chosen: str | None
) -> ServerWant:
    """Return rules that ask for the disks of the layout, too: the chosen one, or the first."""
    layout = next((one for one in layouts if one.code == chosen), layouts[0] if layouts else None)
    if layout is None:
        return rules
    kind = None if layout.kind is None else DiskKind(layout.kind.value)
    disks = StorageWant(kind=kind, capacity_gb=layout.least_gb, count=layout.count)
    return msgspec.structs.replace(rules, layout=disks)


def price_in(prices: Iterable[PriceView], currency: str, cycle: Cycle) -> PriceView | None:
    wanted = (currency, cycle)
    return next((price for price in prices if (price.currency, price.cycle) == wanted), None)


def lowest_price(prices: Iterable[PriceView]) -> PriceView | None:
    """Return the price that is least by the month, the shorter cycle among equals."""
    return min(
        prices,
        # Cross-multiplied instead of divided: 12 months are a multiple of every cycle.
        key=lambda price: (price.recurring_minor * (12 // price.cycle.months), price.cycle.months),
        default=None,
    )
