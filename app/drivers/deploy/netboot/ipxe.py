"""The iPXE scripts: start an installer, boot from disk, or find the way to the first."""

from app.drivers.deploy.live import LiveSpec
from app.drivers.deploy.netboot.templating import render
from app.drivers.deploy.spec import Family, InstallSpec

_TEMPLATES = {
    Family.DEBIAN: "debian.ipxe.j2",
    Family.UBUNTU: "ubuntu.ipxe.j2",
    Family.ALMALINUX: "almalinux.ipxe.j2",
}
_CARDS = tuple(f"net{number}" for number in range(8))
"""Among which iPXE looks for the one with the machine's address."""


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


def script_of_media(spec: InstallSpec | LiveSpec) -> str:
    """Return the script of a boot ISO: get the network on the right card, then go on.

    iPXE has none of its own there. The address of the system is used where there is one, which
    needs no DHCP server in the segment; DHCP is asked where there is none, or it leads nowhere.
    Who is behind a switch that has just had a link is asked for half a minute: it goes round.
    """
    system = spec.system if isinstance(spec, LiveSpec) else spec
    lines = ["#!ipxe", "set card net0"]
    lines += [f"iseq ${{{card}/mac}} {spec.mac} && set card {card} ||" for card in _CARDS]
    if system is not None and system.vlan is not None:
        lines += [
            f"vcreate --tag {system.vlan} ${{card}} ||",
            f"set card ${{card}}-{system.vlan}",
        ]
    chain = f"chain --autofree {spec.callback_base}/boot.ipxe ||"
    lines.append(":retry")
    if system is not None:
        lines += [
            "ifopen ${card} ||",
            "iflinkwait --timeout 30000 ${card} ||",
            f"set ${{card}}/ip {system.ipv4.address}",
            f"set ${{card}}/netmask {_netmask(system.ipv4.prefixlen)}",
            f"set ${{card}}/gateway {system.ipv4.gateway}",
            f"set ${{card}}/dns {spec.nameservers[0]}",
            chain,
            "clear ${card}/ip",
        ]
    lines += ["dhcp ${card} || goto later", chain, ":later", "sleep 5", "goto retry", ""]
    return "\n".join(lines)


def _netmask(prefixlen: int) -> str:
    bits = (0xFFFFFFFF << (32 - prefixlen)) & 0xFFFFFFFF
    return ".".join(str(bits >> shift & 0xFF) for shift in (24, 16, 8, 0))
