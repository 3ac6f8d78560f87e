"""What the demo sells, on the hardware that the simulated datacentre has."""

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
from app.domain.catalog.views import OptionKind
from app.ipam.wants import AddressRules
from app.solver.want import DiskKind, ServerWant, StorageWant

CATEGORY = "dedicated"
MONTHS = {Cycle.monthly: 1, Cycle.quarterly: 3, Cycle.yearly: 12}
DISCOUNT_PERCENT = {Cycle.monthly: 0, Cycle.quarterly: 5, Cycle.yearly: 15}
RATES = {"EUR": 100, "USD": 110}  # a dollar price per hundred of the euro price


COCKPIT = """\
if command -v apt-get >/dev/null; then
    DEBIAN_FRONTEND=noninteractive apt-get install -y cockpit
else
    dnf install -y cockpit
fi
systemctl enable cockpit.socket
"""


def prices(monthly_minor: int, setup_minor: int = 0) -> tuple[PriceSeed, ...]:
    """Return the price in every currency and cycle from the monthly one in euro cents."""
    return tuple(
        PriceSeed(
            currency=currency,
            cycle=cycle,
            recurring_minor=monthly_minor
            * rate
            * months
            * (100 - DISCOUNT_PERCENT[cycle])
            // 10_000,
            setup_minor=setup_minor * rate // 100,
        )
        for currency, rate in RATES.items()
        for cycle, months in MONTHS.items()
    )


def demo_catalogue(mirror_url: str) -> CatalogSeed:
    return CatalogSeed(
        categories=(CategorySeed(slug=CATEGORY, name="Dedicated servers", products=_products()),),
        os_images=_images(mirror_url),
    )


def _products() -> tuple[ProductSeed, ...]:
    addresses = AddressRules(primary_purpose="primary", extra_purpose="extra", ipv6_purpose="ipv6")
    groups = _groups()
    return (
        ProductSeed(
            slug="metal-s",
            name="Metal S",
            summary="Six fast cores for websites, builds and game servers.",
            description="A whole Xeon E-2386G to yourself, on mirrored flash, ready in minutes.",
            specs=(
                ("CPU", "Xeon E-2386G, 6 cores"),
                ("Memory", "32 GB ECC or more"),
                ("Storage", "2 × 480 GB flash, mirrored"),
                ("Network", "1 Gbit/s, IPv4 and a /64"),
            ),
            server_rules=ServerWant(
                cpu_models=("Intel Xeon E-2386G",),
                ram_gb=32,
                storage=(StorageWant(capacity_gb=480, count=2, raid=1),),
            ),
            address_rules=addresses,
            prices=prices(5_900),
            groups=groups,
        ),
        ProductSeed(
            slug="metal-m",
            name="Metal M",
            summary="Eight cores and NVMe for databases and busy applications.",
            description="A Xeon E-2388G with mirrored NVMe, for work that waits on the disk.",
            specs=(
                ("CPU", "Xeon E-2388G, 8 cores"),
                ("Memory", "64 GB ECC or more"),
                ("Storage", "2 × 960 GB NVMe, mirrored"),
                ("Network", "1 Gbit/s, IPv4 and a /64"),
            ),
            server_rules=ServerWant(
                cpu_models=("Intel Xeon E-2388G",),
                ram_gb=64,
                storage=(StorageWant(kind=DiskKind.nvme, capacity_gb=960, count=2, raid=1),),
            ),
            address_rules=addresses,
            prices=prices(9_900),
            groups=groups,
        ),
        ProductSeed(
            slug="metal-l",
            name="Metal L",
            summary="Sixteen cores or more for virtualisation and analytics.",
            description="A Ryzen 9 or an EPYC, whichever suits; at least 16 cores and 128 GB.",
            specs=(
                ("CPU", "16 cores or more"),
                ("Memory", "128 GB ECC or more"),
                ("Storage", "2 × 1.9 TB flash, mirrored"),
                ("Network", "10 Gbit/s, IPv4 and a /64"),
            ),
            server_rules=ServerWant(
                cpu_models=("AMD Ryzen 9 7950X", "AMD EPYC 7443P"),
                min_cores=16,
                ram_gb=128,
                storage=(StorageWant(capacity_gb=1_900, count=2, raid=1),),
            ),
            address_rules=addresses,
            prices=prices(18_900, setup_minor=4_900),
            groups=groups,
        ),
    )


def _groups() -> tuple[OptionGroupSeed, ...]:
    return (
        OptionGroupSeed(
            code="os",
            name="Operating system",
            is_required=True,
            options=(
                OptionSeed(code="debian-12", name="Debian 12"),
                OptionSeed(code="debian-13", name="Debian 13"),
                OptionSeed(code="ubuntu-24.04", name="Ubuntu Server 24.04 LTS"),
                OptionSeed(code="almalinux-9", name="AlmaLinux 9"),
            ),
        ),
        OptionGroupSeed(
            code="datacentre",
            name="Datacentre",
            help="Where your server stands; leave it open for the first one free.",
            options=(
                OptionSeed(code="ams1", name="Amsterdam"),
                OptionSeed(code="fra1", name="Frankfurt"),
            ),
        ),
        OptionGroupSeed(
            code="panel",
            name="Control panel",
            options=(
                OptionSeed(
                    code="cockpit",
                    name="Cockpit",
                    help="Administration in the browser, free.",
                    post_install=COCKPIT,
                    access_url="https://{address}:9090/",
                ),
            ),
        ),
        OptionGroupSeed(
            code="extra_ipv4",
            name="Additional IPv4 addresses",
            kind=OptionKind.quantity,
            maximum=8,
            options=(OptionSeed(code="extra-ipv4", name="IPv4 address", prices=prices(250)),),
        ),
        OptionGroupSeed(
            code="ssh_keys",
            name="SSH keys",
            help="With a key there is no password; without one, a password is made for you.",
            kind=OptionKind.ssh_keys,
            maximum=10,
        ),
    )


def _images(mirror_url: str) -> tuple[OsImageSeed, ...]:
    systems = (
        ("debian-12", "Debian 12", "debian", "bookworm"),
        ("debian-13", "Debian 13", "debian", "trixie"),
        ("ubuntu-24.04", "Ubuntu Server 24.04 LTS", "ubuntu", "noble"),
        ("almalinux-9", "AlmaLinux 9", "almalinux", "9"),
    )
    return tuple(
        OsImageSeed(
            code=code,
            name=name,
            family=family,
            release=release,
            kernel_url=f"{mirror_url}/{code}/vmlinuz",
            initrd_url=f"{mirror_url}/{code}/initrd.img",
            mirror_url=f"{mirror_url}/{code}",
            image_url=f"{mirror_url}/{code}/live-server.iso" if family == "ubuntu" else "",
        )
        for code, name, family, release in systems
    )
