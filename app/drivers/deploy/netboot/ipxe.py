"""The iPXE scripts: start an installer, boot from disk, or find the way to the first."""

from app.drivers.deploy.live import LiveSpec
from app.drivers.deploy.netboot.templating import render
from app.drivers.deploy.spec import Family, InstallSpec, Ipv4

_TEMPLATES = {
    Family.DEBIAN: "debian.ipxe.j2",
    Family.UBUNTU: "ubuntu.ipxe.j2",
    Family.ALMALINUX: "almalinux.ipxe.j2",
}


def render_ipxe(spec: InstallSpec) -> str:
    """Return the script for a machine with an install prepared.

    The installer gets the network as iPXE has it (`${net0/ip}` and so on), so it
    works where DHCP does and where the boot ISO set the address by itself.
    """
    return render(_TEMPLATES[spec.family], spec)


def boot_from_disk() -> str:
    """Return the script for a machine without one: leave iPXE, boot the next device.

    BIOS firmware often comes back to the network after `exit`, hence `sanboot`.
    """
    return (
        "#!ipxe\n"
        "iseq ${platform} efi && goto efi ||\n"
        "sanboot --no-describe --drive 0x80 || exit 1\n"
        ":efi\n"
        "exit 1\n"
    )


def after_dhcp(spec: InstallSpec | LiveSpec) -> str:
    """Return the script for an iPXE that firmware fetched by HTTP: get an address, then go on.

    It runs before iPXE has any: what the firmware had is given back by then.
    """
    return (
        "#!ipxe\n"
        ":retry\n"
        "dhcp || goto later\n"
        f"chain --autofree {spec.callback_base}/boot.ipxe ||\n"
        ":later\n"
        "sleep 5\n"
        "goto retry\n"
    )


def script_of_card() -> str:
    """Return the same for a machine that DHCP sent here: its card says which it is.

    Its address is relative to where this script came from; who is not known boots from its disk.
    """
    return "#!ipxe\ndhcp || dhcp || exit 1\nchain --autofree ipxe?mac=${netX/mac} || exit 1\n"


def chain_script(
    url: str, *, ipv4: Ipv4 | None = None, vlan: int | None = None, nameserver: str | None = None
) -> str:
    """Return the script of a boot ISO: get a network, then run the script at `url`.

    Without `ipv4` it asks DHCP. With it, it needs no DHCP server in the segment.
    """
    lines = ["#!ipxe"]
    card = "net0"
    if vlan is not None:
        lines.append(f"vcreate --tag {vlan} net0")
        card = f"net0-{vlan}"
    if ipv4 is None:
        lines += [":retry", f"dhcp {card} || goto retry"]
    else:
        lines += [
            f"ifopen {card}",
            f"set {card}/ip {ipv4.address}",
            f"set {card}/netmask {_netmask(ipv4.prefixlen)}",
            f"set {card}/gateway {ipv4.gateway}",
        ]
        if nameserver is not None:
            lines.append(f"set {card}/dns {nameserver}")
        lines.append(":retry")
    lines += [f"chain --autofree {url} || sleep 5", "goto retry", ""]
    return "\n".join(lines)


def _netmask(prefixlen: int) -> str:
    bits = (0xFFFFFFFF << (32 - prefixlen)) & 0xFFFFFFFF
    return ".".join(str(bits >> shift & 0xFF) for shift in (24, 16, 8, 0))
