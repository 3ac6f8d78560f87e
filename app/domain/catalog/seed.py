"""A catalogue as plain data: what an operator writes in JSON, a demo ships and a test makes."""

from typing import Annotated

import msgspec

from app.domain.catalog.cycle import Cycle
from app.domain.catalog.kind import ProductKind
from app.domain.catalog.views import OptionKind
from app.domain.games.rules import CustomRules, GameRules
from app.domain.machines.rules import MachineRules
from app.drivers.deploy.layout import DiskLayout
from app.ipam.wants import AddressRules
from app.solver.want import ServerWant

Code = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9_.-]*$", max_length=60)]
Currency = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}$")]
Amount = Annotated[int, msgspec.Meta(ge=0)]
Count = Annotated[int, msgspec.Meta(ge=0, le=10_000)]


class PriceSeed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Minor units of `currency`, for the whole cycle."""

    currency: Currency
    cycle: Cycle
    recurring_minor: Amount
    setup_minor: Amount = 0


class OptionSeed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An option; without prices it is included."""

    code: Code
    name: str
    help: str = ""
    prices: tuple[PriceSeed, ...] = ()
    post_install: str = ""
    """Bash, run as root in the installed system."""
    access_url: str = ""
    """Where it is used afterwards; `{address}` and `{hostname}` are filled in."""


class OptionGroupSeed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A question. `os`, `panel`, `extra_ipv4`, `ssh_keys`, `datacentre`, `layout` are known."""

    code: Code
    name: str
    help: str = ""
    kind: OptionKind = OptionKind.choice
    is_required: bool = False
    minimum: Count = 0
    maximum: Count = 1
    options: tuple[OptionSeed, ...] = ()


class ProductSeed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    slug: Code
    name: str
    summary: str = ""
    description: str = ""
    specs: tuple[tuple[str, str], ...] = ()
    server_rules: ServerWant = ServerWant()
    address_rules: AddressRules = AddressRules()
    machine_rules: MachineRules | None = None
    """Its machines are virtual, and made by these rules; then `server_rules` say nothing."""
    game_rules: GameRules | None = None
    """It is of game servers, made by these rules; then addresses say nothing, either."""
    custom_rules: CustomRules | None = None
    """Its flow alone delivers it, and is told these settings."""
    disk_layouts: tuple[DiskLayout, ...] = ()
    """Of servers that netboot installs; the first is used where nobody chose another."""
    post_install: str = ""
    """Bash, run as root in each server that netboot installs, after what the options add."""
    is_visible: bool = True
    prices: tuple[PriceSeed, ...] = ()
    groups: tuple[OptionGroupSeed, ...] = ()

    @property
    def kind(self) -> ProductKind:
        """Return the kind; of several rules, the first counts: `product_faults` refuses them."""
        if self.machine_rules is not None:
            return ProductKind.MACHINE
        if self.game_rules is not None:
            return ProductKind.GAME
        return ProductKind.SERVER if self.custom_rules is None else ProductKind.CUSTOM


class CategorySeed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    slug: Code
    name: str
    products: tuple[ProductSeed, ...] = ()


class OsImageSeed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    code: Code
    name: str
    family: str
    release: str
    kernel_url: str
    initrd_url: str
    mirror_url: str
    image_url: str = ""
    """The live installer's image, where the family needs one (Ubuntu)."""
    is_enabled: bool = True


class CatalogSeed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Categories, products and systems in the order in which they are shown."""

    categories: tuple[CategorySeed, ...] = ()
    os_images: tuple[OsImageSeed, ...] = ()
