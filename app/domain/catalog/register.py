"""Put what is sold into the catalogue: from a seed at set-up, from a form later.

Idempotent by slug and code. A product that is named is brought to exactly what the seed
says of it (options and prices that are gone are removed: an order keeps copies of its
own); products that are not named stay as they are.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.errors import Invalid
from app.core.ids import new_id
from app.domain.catalog.kind import RULES, ProductKind, check_kind
from app.domain.catalog.seed import (
    CatalogSeed,
    CategorySeed,
    OptionGroupSeed,
    OsImageSeed,
    PriceSeed,
    ProductSeed,
)
from app.domain.catalog.selection import EXTRA_IPV4, LAYOUT, OS, PANEL, RESERVED, SSH_KEYS
from app.domain.catalog.views import OptionKind
from app.domain.games.check import check_panels
from app.domain.games.rules import group_faults
from app.domain.machines.check import check_places
from app.domain.machines.rules import MachineRules, template_faults
from app.drivers.deploy.layout import layouts_fault

T = TypeVar("T")

_KIND = {
    OS: OptionKind.choice,
    PANEL: OptionKind.choice,
    LAYOUT: OptionKind.choice,
    EXTRA_IPV4: OptionKind.quantity,
    SSH_KEYS: OptionKind.ssh_keys,
}
_FAMILIES = ("debian", "ubuntu", "almalinux")


async def register_catalog(tx: Tx, seed: CatalogSeed) -> dict[str, UUID]:
    """Write the whole seed; returns each product's id by its slug. Raises Invalid."""
    for image in seed.os_images:
        await register_os_image(tx, image)
    products: dict[str, UUID] = {}
    for position, category in enumerate(seed.categories):
        home = await register_category(tx, category, position=position)
        for place, product in enumerate(category.products):
            products[product.slug] = await register_product(tx, home, product, position=place)
    return products


async def register_os_image(tx: Tx, image: OsImageSeed) -> UUID:
    if image.family not in _FAMILIES:
        raise Invalid({f"{image.code}.family": f"One of {', '.join(_FAMILIES)}."})
    written: UUID = await tx.fetchval(
        "INSERT INTO os_image (id, code, name, family, release, kernel_url, initrd_url, "
        "mirror_url, image_url, is_enabled) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) "
        "ON CONFLICT (code) DO UPDATE SET name = excluded.name, family = excluded.family, "
        "release = excluded.release, kernel_url = excluded.kernel_url, "
        "initrd_url = excluded.initrd_url, mirror_url = excluded.mirror_url, "
        "image_url = excluded.image_url, is_enabled = excluded.is_enabled RETURNING id",
        new_id(),
        image.code,
        image.name,
        image.family,
        image.release,
        image.kernel_url,
        image.initrd_url,
        image.mirror_url,
        image.image_url,
        image.is_enabled,
    )
    return written


async def register_category(tx: Tx, category: CategorySeed, *, position: int = 0) -> UUID:
    """Write the category alone, without its products."""
    written: UUID = await tx.fetchval(
        "INSERT INTO category (id, slug, name, position) VALUES ($1, $2, $3, $4) "
        "ON CONFLICT (slug) DO UPDATE SET name = excluded.name, position = excluded.position "
        "RETURNING id",
        new_id(),
        category.slug,
        category.name,
        position,
    )
    return written


async def register_product(
    tx: Tx, category: UUID, product: ProductSeed, *, position: int = 0
) -> UUID:
    """Write a product with its prices and options. Raises Invalid, each field by its path."""
    if faults := dict(product_faults(product)):
        raise Invalid(faults)
    await check_kind(tx, product.slug, category, product.kind)
    if product.machine_rules is not None:
        await check_places(tx, product.machine_rules)
    if product.game_rules is not None:
        await check_panels(tx, product.game_rules)
    written: UUID = await tx.fetchval(
        "INSERT INTO product (id, category, slug, name, summary, description, specs, "
        "server_rules, address_rules, machine_rules, game_rules, custom_rules, is_visible, "
        "position, created_at, disk_layouts, post_install) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) "
        "ON CONFLICT (slug) DO UPDATE SET category = excluded.category, name = excluded.name, "
        "summary = excluded.summary, description = excluded.description, "
        "specs = excluded.specs, server_rules = excluded.server_rules, "
        "address_rules = excluded.address_rules, machine_rules = excluded.machine_rules, "
        "game_rules = excluded.game_rules, custom_rules = excluded.custom_rules, "
        "is_visible = excluded.is_visible, position = excluded.position, "
        "disk_layouts = excluded.disk_layouts, post_install = excluded.post_install RETURNING id",
        new_id(),
        category,
        product.slug,
        product.name,
        product.summary,
        product.description,
        _json(product.specs),
        _json(product.server_rules),
        _json(product.address_rules),
        *(
            None if rules is None else _json(rules)
            for rules in (product.machine_rules, product.game_rules, product.custom_rules)
        ),
        product.is_visible,
        position,
        tx.now(),
        _json(product.disk_layouts),
        product.post_install,
    )
    await tx.execute("DELETE FROM product_price WHERE product = $1", written)
    await _prices(tx, "product", written, product.prices)
    await _groups(tx, written, product.groups)
    return written


async def _groups(tx: Tx, product: UUID, groups: Sequence[OptionGroupSeed]) -> None:
    """Replace all questions: nothing but their own options and prices refers to them."""
    inside = "SELECT id FROM option_group WHERE product = $1"
    options = f"SELECT id FROM option WHERE option_group IN ({inside})"
    await tx.execute(f"DELETE FROM option_price WHERE option IN ({options})", product)
    await tx.execute(f"DELETE FROM option WHERE option_group IN ({inside})", product)
    await tx.execute("DELETE FROM option_group WHERE product = $1", product)
    for position, group in enumerate(groups):
        group_id = new_id()
        await tx.execute(
            "INSERT INTO option_group (id, product, code, name, help, kind, is_required, "
            "minimum, maximum, position) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            group_id,
            product,
            group.code,
            group.name,
            group.help,
            group.kind,
            group.is_required,
            group.minimum,
            group.maximum,
            position,
        )
        for place, option in enumerate(group.options):
            option_id = new_id()
            await tx.execute(
                "INSERT INTO option (id, option_group, code, name, help, position, "
                "post_install, access_url) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                option_id,
                group_id,
                option.code,
                option.name,
                option.help,
                place,
                option.post_install,
                option.access_url,
            )
            await _prices(tx, "option", option_id, option.prices)


async def _prices(tx: Tx, of: str, owner: UUID, prices: Iterable[PriceSeed]) -> None:
    await tx.executemany(
        f"INSERT INTO {of}_price (id, {of}, currency, cycle, recurring_minor, setup_minor) "
        "VALUES ($1, $2, $3, $4, $5, $6)",
        [
            (new_id(), owner, price.currency, price.cycle, price.recurring_minor, price.setup_minor)
            for price in prices
        ],
    )


def product_faults(product: ProductSeed) -> Iterator[tuple[str, str]]:
    """Yield (path, what is wrong) of what the types of the seed cannot rule out."""
    yield from _price_faults("prices", product.prices)
    for code in _twice(group.code for group in product.groups):
        yield f"groups.{code}", "Two groups have this code."
    yield from _kind_faults(product)
    if fault := layouts_fault(product.disk_layouts):
        yield "disk_layouts", fault
    for group in product.groups:
        path = f"groups.{group.code}"
        if group.code in RESERVED:
            yield path, "The order form has a field of this name; choose another code."
        if (kind := _KIND.get(group.code, group.kind)) is not group.kind:
            yield f"{path}.kind", f"{group.code} is always of kind {kind}."
        if group.minimum > group.maximum:
            yield f"{path}.minimum", "More than the maximum."
        yield from _option_faults(path, group)


def _kind_faults(product: ProductSeed) -> Iterator[tuple[str, str]]:
    given = (product.machine_rules, product.game_rules, product.custom_rules)
    if sum(rules is not None for rules in given) > 1:
        yield RULES[product.kind], "A product is of one kind: give one of the three rules."
    if product.machine_rules is not None:
        yield from _machine_faults(product, product.machine_rules)
    if product.game_rules is not None:
        groups = {group.code: group for group in product.groups}
        for field, fault in group_faults(product.game_rules, groups).items():
            yield f"game_rules.{field}", fault
    if product.kind is not ProductKind.SERVER and product.disk_layouts:
        yield "disk_layouts", "Only servers that netboot installs have a disk layout."
    codes = {layout.code for layout in product.disk_layouts}
    for group in product.groups:
        if group.code == LAYOUT and not {option.code for option in group.options} <= codes:
            yield f"groups.{LAYOUT}.options", "Each option is the code of one of the disk layouts."
    if product.kind in (ProductKind.GAME, ProductKind.CUSTOM):
        yield from _post_install_faults(product)


def _machine_faults(product: ProductSeed, rules: MachineRules) -> Iterator[tuple[str, str]]:
    systems = [
        option.code for group in product.groups if group.code == OS for option in group.options
    ]
    for field, fault in template_faults(rules, systems).items():
        yield f"machine_rules.{field}", fault
    yield from _post_install_faults(product)


def _post_install_faults(product: ProductSeed) -> Iterator[tuple[str, str]]:
    what = {
        ProductKind.MACHINE: "A virtual machine runs no post_install: make a template that has it."
    }.get(product.kind, "Only servers that netboot installs run a post_install.")
    if product.post_install:
        yield "post_install", what
    for group in product.groups:
        if any(option.post_install for option in group.options):
            yield f"groups.{group.code}", what


def _option_faults(path: str, group: OptionGroupSeed) -> Iterator[tuple[str, str]]:
    number = len(group.options)
    if group.kind is OptionKind.choice and number == 0:
        yield f"{path}.options", "A choice needs at least one option."
    elif group.kind is OptionKind.quantity and number != 1:
        yield f"{path}.options", "A quantity has exactly one option, the unit."
    elif group.kind is OptionKind.ssh_keys and number:
        yield f"{path}.options", "The client's keys are the options; leave it empty."
    for code in _twice(option.code for option in group.options):
        yield f"{path}.options.{code}", "Two options have this code."
    for option in group.options:
        yield from _price_faults(f"{path}.options.{option.code}.prices", option.prices)


def _price_faults(path: str, prices: Sequence[PriceSeed]) -> Iterator[tuple[str, str]]:
    for currency, cycle in _twice((price.currency, price.cycle) for price in prices):
        yield f"{path}.{currency}.{cycle}", "Two prices for the same currency and cycle."


def _twice(keys: Iterable[T]) -> list[T]:
    return [key for key, times in Counter(keys).items() if times > 1]


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
