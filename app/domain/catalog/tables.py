"""What is sold: categories, products, options, prices; and the systems that can be installed."""

from piccolo.columns import JSONB, BigInt, Boolean, Date, Integer
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from app.core.columns import key, moment, reference, text


class Category(Table, tablename="category"):
    """A kind of product; flows are bound to it (`flow_binding`)."""

    id = key()
    slug = text(unique=True)
    name = text()
    position = Integer(default=0)


class Product(Table, tablename="product"):
    """Something that can be ordered.

    `server_rules` is a `solver.want.ServerWant`, `address_rules` an `ipam.wants.AddressRules`,
    `machine_rules` a `machines.rules.MachineRules`, `game_rules` a `games.rules.GameRules`,
    `custom_rules` a `games.rules.CustomRules`: it has one of them, or its orders get physical
    servers. `disk_layouts` is a list of `drivers.deploy.layout.DiskLayout`.
    `post_install` is a bash script that runs as root in each server that is installed, after those
    of the chosen options.
    """

    id = key()
    category = reference(Category)
    slug = text(unique=True)
    name = text()
    summary = text(default="")
    description = text(default="")
    specs = JSONB(default="[]", help_text="list of [label, value] shown on the product page")
    server_rules = JSONB(default="{}")
    address_rules = JSONB(default="{}")
    machine_rules = JSONB(null=True, default=None)
    game_rules = JSONB(null=True, default=None)
    custom_rules = JSONB(null=True, default=None)
    disk_layouts = JSONB(default="[]", help_text="of physical servers; the first is the usual one")
    post_install = text(default="")
    is_visible = Boolean(default=True)
    position = Integer(default=0)
    created_at = moment()

    one_kind = Check("num_nonnulls(machine_rules, game_rules, custom_rules) <= 1")


class ProductPrice(Table, tablename="product_price"):
    """Price of a product in one currency for one billing cycle."""

    id = key()
    product = reference(Product)
    currency = text()
    cycle = text()
    recurring_minor = BigInt()
    setup_minor = BigInt(default=0)

    product_price_once = Unique([product, currency, cycle])
    known_cycle = Check("cycle IN ('monthly', 'quarterly', 'yearly')")
    not_negative = Check("recurring_minor >= 0 AND setup_minor >= 0")


class OptionGroup(Table, tablename="option_group"):
    """A question of the order form.

    `code` is os, panel, extra_ipv4, ssh_keys or an operator's own.
    `kind`: `choice` (one of its options), `quantity` (a number of its single option) or
    `ssh_keys` (some of the client's keys).
    """

    id = key()
    product = reference(Product)
    code = text()
    name = text()
    help = text(default="")
    kind = text()
    is_required = Boolean(default=False)
    minimum = Integer(default=0)
    maximum = Integer(default=1)
    position = Integer(default=0)

    option_group_once = Unique([product, code])
    known_kind = Check("kind IN ('choice', 'quantity', 'ssh_keys')")


class Option(Table, tablename="option"):
    """An answer to an option group; `code` is what the flow sees.

    `post_install` is a bash fragment that runs as root in the installed system, `access_url`
    where the result is used, with `{address}` and `{hostname}` in it.
    """

    id = key()
    option_group = reference(OptionGroup)
    code = text()
    name = text()
    help = text(default="")
    post_install = text(default="")
    access_url = text(default="")
    position = Integer(default=0)

    option_once = Unique([option_group, code])


class OptionPrice(Table, tablename="option_price"):
    """Price of one unit of an option, added to the product's."""

    id = key()
    option = reference(Option)
    currency = text()
    cycle = text()
    recurring_minor = BigInt()
    setup_minor = BigInt(default=0)

    option_price_once = Unique([option, currency, cycle])
    known_cycle = Check("cycle IN ('monthly', 'quarterly', 'yearly')")


class OsImage(Table, tablename="os_image"):
    """An operating system that netboot can install; `code` is the option's code."""

    id = key()
    code = text(unique=True)
    name = text()
    family = text()
    release = text()
    kernel_url = text()
    initrd_url = text()
    mirror_url = text()
    image_url = text(default="")
    is_enabled = Boolean(default=True)

    known_family = Check("family IN ('debian', 'ubuntu', 'almalinux')")


class StockLevel(Table, tablename="stock_level"):
    """How much of a product could have been delivered, at the end of a day (UTC)."""

    id = key()
    product = reference(Product)
    day = Date(default=None)
    servers = Integer()
    ip4 = Integer(help_text="free IPv4 addresses of the role that it takes")

    stock_level_once = Unique([product, day])
