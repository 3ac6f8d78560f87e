"""A small catalogue that the tests of the shop share."""

from collections.abc import Iterable
from uuid import UUID

from msgspec.structs import replace

from app.domain.catalog.cycle import Cycle
from app.domain.catalog.seed import (
    CatalogSeed,
    CategorySeed,
    OptionGroupSeed,
    OptionSeed,
    OsImageSeed,
    PriceSeed,
    ProductSeed,
)
from app.domain.catalog.views import (
    OptionGroupView,
    OptionKind,
    OptionView,
    PriceView,
    ProductView,
)
from app.ipam.wants import AddressRules
from app.solver.want import ServerWant


def eur(recurring_minor: int, setup_minor: int = 0, cycle: Cycle = Cycle.monthly) -> PriceSeed:
    return PriceSeed(
        currency="EUR", cycle=cycle, recurring_minor=recurring_minor, setup_minor=setup_minor
    )


DEBIAN = OsImageSeed(
    code="debian-12",
    name="Debian 12",
    family="debian",
    release="bookworm",
    kernel_url="http://mirror.invalid/linux",
    initrd_url="http://mirror.invalid/initrd.gz",
    mirror_url="http://mirror.invalid/debian",
)

SERVER = ProductSeed(
    slug="ax-32",
    name="AX-32",
    summary="Eight cores",
    specs=(("Memory", "32 GB"), ("Disk", "2 x 512 GB")),
    server_rules=ServerWant(ram_gb=32),
    address_rules=AddressRules(
        primary_purpose="primary", extra_purpose="primary", ipv6_purpose="primary"
    ),
    prices=(
        eur(4_900, 1_000),
        eur(52_900, 0, Cycle.yearly),
        PriceSeed(currency="USD", cycle=Cycle.monthly, recurring_minor=5_400),
    ),
    groups=(
        OptionGroupSeed(
            code="os",
            name="System",
            is_required=True,
            options=(
                OptionSeed(code="debian-12", name="Debian 12"),
                OptionSeed(code="ubuntu-24.04", name="Ubuntu 24.04"),
            ),
        ),
        OptionGroupSeed(
            code="panel",
            name="Panel",
            options=(OptionSeed(code="cockpit", name="Cockpit", prices=(eur(333, 99),)),),
        ),
        OptionGroupSeed(
            code="extra_ipv4",
            name="Extra IPv4",
            kind=OptionKind.quantity,
            maximum=4,
            options=(
                OptionSeed(
                    code="address",
                    name="Address",
                    prices=(eur(150, 500), eur(1_600, 500, Cycle.yearly)),
                ),
            ),
        ),
        OptionGroupSeed(code="ssh_keys", name="SSH keys", kind=OptionKind.ssh_keys, maximum=3),
        OptionGroupSeed(
            code="backup",
            name="Backup",
            options=(
                OptionSeed(code="daily", name="Daily", prices=(eur(700),)),
                OptionSeed(code="weekly", name="Weekly", prices=(eur(300),)),
            ),
        ),
        OptionGroupSeed(
            code="seats",
            name="Seats",
            kind=OptionKind.quantity,
            maximum=10,
            options=(OptionSeed(code="seat", name="Seat", prices=(eur(199),)),),
        ),
    ),
)

SHOP = CatalogSeed(
    categories=(CategorySeed(slug="dedicated", name="Dedicated servers", products=(SERVER,)),),
    os_images=(DEBIAN,),
)

FORM: dict[str, str | list[str]] = {
    "hostname": "db1.example.org",
    "currency": "EUR",
    "cycle": "monthly",
    "os": "debian-12",
}

NO_ID = UUID(int=0)


def viewed(product: ProductSeed) -> ProductView:
    """Return the product as it reads back, with every id zero; needs no database."""
    return ProductView(
        id=NO_ID,
        slug=product.slug,
        name=product.name,
        summary=product.summary,
        description=product.description,
        specs=product.specs,
        category_id=NO_ID,
        category_slug="dedicated",
        category_name="Dedicated servers",
        server_rules=product.server_rules,
        address_rules=product.address_rules,
        prices=_prices(product.prices),
        groups=tuple(
            OptionGroupView(
                id=NO_ID,
                code=group.code,
                name=group.name,
                help=group.help,
                kind=group.kind,
                is_required=group.is_required,
                minimum=group.minimum,
                maximum=group.maximum,
                options=tuple(
                    OptionView(
                        id=NO_ID,
                        code=option.code,
                        name=option.name,
                        help=option.help,
                        prices=_prices(option.prices),
                    )
                    for option in group.options
                ),
            )
            for group in product.groups
        ),
    )


def without_ids(product: ProductView) -> ProductView:
    groups = tuple(
        replace(
            group,
            id=NO_ID,
            options=tuple(replace(option, id=NO_ID) for option in group.options),
        )
        for group in product.groups
    )
    return replace(product, id=NO_ID, category_id=NO_ID, groups=groups)


def _prices(prices: Iterable[PriceSeed]) -> tuple[PriceView, ...]:
    views = (
        PriceView(
            currency=price.currency,
            cycle=price.cycle,
            recurring_minor=price.recurring_minor,
            setup_minor=price.setup_minor,
        )
        for price in prices
    )
    return tuple(sorted(views, key=lambda view: (view.currency, view.recurring_minor)))
