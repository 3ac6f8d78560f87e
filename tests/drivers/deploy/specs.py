"""Installations as orders make them, for every family and layout."""

from app.drivers.deploy.netboot.passwords import hash_password
from app.drivers.deploy.spec import DiskKind, Disks, Family, Firmware, InstallSpec, Ipv4, Ipv6

KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIG0vTq1xqkq5xqX5b1JvVZ5vYw8Yt1lq1l6b1Jv5xqXa the "laptop"; $(id)'
HASH = hash_password("correct horse battery staple")
CALLBACK = "http://192.0.2.10:8080/netboot/0d9c1f"
RELEASES = {Family.DEBIAN: "bookworm", Family.UBUNTU: "noble", Family.ALMALINUX: "9"}


def spec(family: Family, **changes: object) -> InstallSpec:
    facts: dict[str, object] = {
        "os_key": f"{family}-x",
        "family": family,
        "release": RELEASES[family],
        "kernel_url": "http://boot.example.net/x/vmlinuz",
        "initrd_url": "http://boot.example.net/x/initrd",
        "image_url": "http://boot.example.net/x/live.iso",
        "mirror_url": "http://mirror.example.net/os",
        "hostname": "web-1",
        "domain": "customer.example.com",
        "mac": "52:54:00:aa:00:01",
        "ipv4": Ipv4(address="198.51.100.7", prefixlen=24, gateway="198.51.100.1"),
        "nameservers": ("192.0.2.53", "2001:db8::53"),
        "root_password_hash": HASH,
        "callback_base": CALLBACK,
    }
    return InstallSpec(**(facts | changes))  # type: ignore[arg-type]


VARIANTS: dict[str, dict[str, object]] = {
    "plain": {},
    "keys-only": {"root_password_hash": None, "ssh_keys": (KEY,), "ssh_port": 2222},
    "everything": {
        "extra_ipv4": ("198.51.100.8", "203.0.113.9"),
        "ipv6": Ipv6(address="2001:db8:1::2", prefixlen=64, gateway="2001:db8:1::1"),
        "vlan": 120,
        "ssh_keys": (KEY,),
        "disks": Disks(kind=DiskKind.NVME, raid=1, count=2),
        "post_install": 'echo "it\'s ready" > /root/ready\n',
        "product_script": 'echo "%end of $SLIPWAY_FQDN" >> /root/ready\n',
    },
    "raid10-bios": {
        "disks": Disks(kind=DiskKind.HDD, raid=10, count=4),
        "firmware": Firmware.BIOS,
    },
    "raid0-named": {
        "disks": Disks(raid=0, count=2, devices=("/dev/sdc", "/dev/disk/by-id/ata-X_1")),
        "ipv6": Ipv6(address="2001:db8:1::2", prefixlen=64),
    },
}
