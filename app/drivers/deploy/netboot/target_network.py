"""Network files of the installed system, where the installer's own are not enough.

Neither debian-installer nor a kickstart line can set extra addresses, so Debian
gets systemd-networkd files and AlmaLinux a NetworkManager keyfile.
"""

import uuid

from app.drivers.deploy.spec import InstallSpec

NETWORKD = "/etc/systemd/network"
KEYFILES = "/etc/NetworkManager/system-connections"


def networkd_files(spec: InstallSpec) -> dict[str, str]:
    """Return path → content. The card is found by its permanent MAC, not by a name."""
    match = f"[Match]\nPermanentMACAddress={spec.mac}\n\n"
    quiet = "[Network]\nDHCP=no\nIPv6AcceptRA=no\n"
    if spec.vlan is None:
        return {f"{NETWORKD}/10-uplink.network": match + quiet + _networkd_addresses(spec)}
    name = f"vlan{spec.vlan}"
    return {
        f"{NETWORKD}/10-uplink.network": f"{match}{quiet}LinkLocalAddressing=no\nVLAN={name}\n",
        f"{NETWORKD}/20-{name}.netdev": (
            f"[NetDev]\nName={name}\nKind=vlan\n\n[VLAN]\nId={spec.vlan}\n"
        ),
        f"{NETWORKD}/20-{name}.network": (
            f"[Match]\nName={name}\n\n{quiet}{_networkd_addresses(spec)}"
        ),
    }


def _networkd_addresses(spec: InstallSpec) -> str:
    lines = [f"Address={spec.ipv4.address}/{spec.ipv4.prefixlen}"]
    lines += [f"Address={address}/32" for address in spec.extra_ipv4]
    gateways = [spec.ipv4.gateway]
    if spec.ipv6 is not None:
        lines.append(f"Address={spec.ipv6.address}/{spec.ipv6.prefixlen}")
        if spec.ipv6.gateway is not None:
            gateways.append(spec.ipv6.gateway)
    lines += [f"DNS={server}" for server in spec.nameservers]
    lines.append(f"Domains={spec.domain}")
    # A hosting gateway is often outside the prefix (a /32 address).
    lines += [f"\n[Route]\nGateway={gateway}\nGatewayOnLink=yes" for gateway in gateways]
    return "\n".join(lines) + "\n"


def networkmanager_files(spec: InstallSpec, *, card_id: uuid.UUID) -> dict[str, str]:
    """Return path → content of NetworkManager keyfiles (man nm-settings-keyfile)."""
    card = f"[ethernet]\nmac-address={spec.mac.upper()}\n\n"
    head = f"[connection]\nid=uplink\nuuid={card_id}\ntype=ethernet\nautoconnect=true\n\n{card}"
    path = f"{KEYFILES}/uplink.nmconnection"
    if spec.vlan is None:
        return {path: head + _keyfile_addresses(spec)}
    name = f"vlan{spec.vlan}"
    vlan_id = uuid.uuid5(card_id, name)
    return {
        path: f"{head}[ipv4]\nmethod=disabled\n\n[ipv6]\nmethod=disabled\n",
        f"{KEYFILES}/{name}.nmconnection": (
            f"[connection]\nid={name}\nuuid={vlan_id}\ntype=vlan\ninterface-name={name}\n"
            f"autoconnect=true\n\n[vlan]\nid={spec.vlan}\nparent={card_id}\nflags=1\n\n"
            f"{_keyfile_addresses(spec)}"
        ),
    }


def _keyfile_addresses(spec: InstallSpec) -> str:
    servers = {
        version: "".join(
            f"{server};" for server in spec.nameservers if (":" in server) == (version == 6)
        )
        for version in (4, 6)
    }
    lines = [
        "[ipv4]",
        "method=manual",
        f"address1={spec.ipv4.address}/{spec.ipv4.prefixlen},{spec.ipv4.gateway}",
    ]
    lines += [f"address{n}={address}/32" for n, address in enumerate(spec.extra_ipv4, 2)]
    lines += [f"dns={servers[4]}", f"dns-search={spec.domain};", "", "[ipv6]"]
    if spec.ipv6 is None:
        lines.append("method=link-local")
    else:
        gateway = "" if spec.ipv6.gateway is None else f",{spec.ipv6.gateway}"
        lines += ["method=manual", f"address1={spec.ipv6.address}/{spec.ipv6.prefixlen}{gateway}"]
        lines.append(f"dns={servers[6]}")
    return "\n".join(line for line in lines if line != "dns=") + "\n"
