"""The config drive: what cloud-init reads on its first boot. Pure: no network, no clock, no files.

We make it ourselves, so that the cloud's conductor needs no program for it.
Source: cloud-init, "Config Drive" datasource (version 2); Nova's network_data.json schema.
"""

import json
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from io import BytesIO
from ipaddress import ip_interface
from typing import Any

import pycdlib
import yaml

from app.drivers.metal.contract import Link, MetalWant

LABEL = "config-2"
"""The file system's label, by which cloud-init finds it."""
_LATEST = "openstack/latest"
ROOT_LOGIN = "PermitRootLogin yes\nPasswordAuthentication yes\n"
"""Most images let root in by keys only: the password that was mailed must work."""


def config_drive(want: MetalWant) -> bytes:
    """Return an ISO 9660 image with metadata, network and user data; some 60 KB."""
    files = {
        "meta_data.json": json.dumps(meta_data(want)),
        "network_data.json": json.dumps(network_data(want.link)),
        "user_data": user_data(want),
    }
    iso = pycdlib.PyCdlib()
    iso.new(interchange_level=3, joliet=3, rock_ridge="1.09", vol_ident=LABEL)
    try:
        for folder, short in (("openstack", "/OPENSTAC"), (_LATEST, "/OPENSTAC/LATEST")):
            name = folder.rpartition("/")[2]
            iso.add_directory(short, rr_name=name, joliet_path=f"/{folder}")
        for number, (name, text) in enumerate(files.items()):
            raw = text.encode()
            place = f"/OPENSTAC/LATEST/FILE{number}.;1"
            path = f"/{_LATEST}/{name}"
            iso.add_fp(BytesIO(raw), len(raw), place, rr_name=name, joliet_path=path)
        out = BytesIO()
        iso.write_fp(out)
    finally:
        iso.close()
    return out.getvalue()


def meta_data(want: MetalWant) -> dict[str, Any]:
    return {
        # cloud-init runs its first boot anew when this changes: so it does with an installation.
        "uuid": want.attempt,
        "hostname": want.hostname,
        "name": want.hostname.partition(".")[0],
        "public_keys": {f"key{number}": key for number, key in enumerate(want.ssh_keys)},
    }


def network_data(link: Link) -> dict[str, Any]:
    links: list[dict[str, Any]] = [
        {"id": "card", "type": "phy", "ethernet_mac_address": link.mac, "mtu": None}
    ]
    carrier = "card"
    if link.vlan is not None:
        carrier = "vlan"
        links.append(
            {
                "id": carrier,
                "type": "vlan",
                "vlan_link": "card",
                "vlan_id": link.vlan,
                "vlan_mac_address": link.mac,
                "mtu": None,
            }
        )
    given = [(link.address4, link.gateway4), *((more, "") for more in link.more4)]
    given += [(link.address6, link.gateway6)]
    networks = [
        _network(number, carrier, address, gateway)
        for number, (address, gateway) in enumerate(given)
        if address
    ]
    services = [{"type": "dns", "address": address} for address in link.nameservers]
    return {"links": links, "networks": networks, "services": services}


def _network(number: int, carrier: str, address: str, gateway: str) -> dict[str, Any]:
    at = ip_interface(address)
    everywhere = "0.0.0.0" if at.version == 4 else "::"  # noqa: S104 - the default route
    route = {"network": everywhere, "netmask": everywhere, "gateway": gateway}
    return {
        "id": f"network{number}",
        "type": f"ipv{at.version}",
        "link": carrier,
        "ip_address": str(at.ip),
        "netmask": str(at.netmask),
        "routes": [route] if gateway else [],
    }


def user_data(want: MetalWant) -> str:
    """Return our cloud-config, with the operator's own beside it in a MIME archive."""
    ours = "#cloud-config\n" + yaml.safe_dump(_cloud_config(want), sort_keys=False)
    if not want.user_data.strip():
        return ours
    archive = MIMEMultipart(boundary="slipway-user-data")
    for name, text in (("slipway.cfg", ours), ("operator", want.user_data)):
        part = MIMEText(text, _kind(text), "utf-8")
        part.add_header("Content-Disposition", "attachment", filename=name)
        if name == "operator":
            # What both name, the operator's adds to and does not replace.
            part.add_header("X-Merge-Type", "list(append)+dict(recurse_array)+str()")
        archive.attach(part)
    return archive.as_string()


def _kind(text: str) -> str:
    return "x-shellscript" if text.startswith("#!") else "cloud-config"


def _cloud_config(want: MetalWant) -> dict[str, Any]:
    user: dict[str, Any] = {"name": want.user, "ssh_authorized_keys": list(want.ssh_keys)}
    found: dict[str, Any] = {
        "hostname": want.hostname.partition(".")[0],
        "fqdn": want.hostname,
        "manage_etc_hosts": True,
        "disable_root": want.user != "root",
        "ssh_pwauth": want.password_hash is not None,
        "users": [user],
    }
    if want.password_hash is None:
        return found
    user |= {"lock_passwd": False, "hashed_passwd": want.password_hash.reveal()}
    if want.user == "root":
        path = "/etc/ssh/sshd_config.d/10-slipway.conf"
        found["write_files"] = [{"path": path, "content": ROOT_LOGIN}]
        found["runcmd"] = ["systemctl try-reload-or-restart ssh sshd || true"]
    return found
