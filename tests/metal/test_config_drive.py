"""What cloud-init finds on the config drive."""

import json
from email import message_from_string
from io import BytesIO
from typing import Any

import pycdlib
import yaml
from msgspec.structs import replace

from app.drivers.metal.config_drive import config_drive, network_data, user_data
from app.drivers.metal.contract import Link
from app.drivers.secret import Secret
from tests.metal.test_ironic import a_want

LINK = Link(
    mac="52:54:00:00:00:01",
    vlan=112,
    address4="192.0.2.10/24",
    gateway4="192.0.2.1",
    more4=("192.0.2.11/24",),
    address6="2001:db8:7::2/64",
    gateway6="2001:db8:7::1",
    nameservers=("9.9.9.9", "2620:fe::fe"),
)


def read(image: bytes, name: str) -> str:
    """Return a file as Linux reads it, by Rock Ridge and by Joliet alike."""
    iso = pycdlib.PyCdlib()
    iso.open_fp(BytesIO(image))
    try:
        found = []
        for way in ({"rr_path": f"/{name}"}, {"joliet_path": f"/{name}"}):
            out = BytesIO()
            iso.get_file_from_iso_fp(out, **way)
            found.append(out.getvalue().decode())
        assert iso.pvd.volume_identifier.decode().strip() == "config-2"
    finally:
        iso.close()
    assert found[0] == found[1]
    return found[0]


def test_all_of_it_is_where_cloud_init_looks() -> None:
    want = a_want("node")
    drive = config_drive(want)
    meta = json.loads(read(drive, "openstack/latest/meta_data.json"))
    assert (meta["hostname"], meta["uuid"]) == ("box1.example.org", want.attempt)
    assert list(meta["public_keys"].values()) == list(want.ssh_keys)
    network = json.loads(read(drive, "openstack/latest/network_data.json"))
    assert network == network_data(want.link)
    assert read(drive, "openstack/latest/user_data") == user_data(want)
    assert len(drive) < 64 * 1024 * 1024, "Ironic's own bound"


def test_the_network_is_static_and_tagged() -> None:
    found = network_data(LINK)
    card, vlan = found["links"]
    assert (card["type"], card["ethernet_mac_address"]) == ("phy", LINK.mac)
    assert (vlan["vlan_link"], vlan["vlan_id"]) == (card["id"], 112)
    four, more, six = found["networks"]
    assert {network["link"] for network in found["networks"]} == {vlan["id"]}
    assert (four["type"], four["ip_address"], four["netmask"]) == (
        "ipv4",
        "192.0.2.10",
        "255.255.255.0",
    )
    assert [route["gateway"] for route in four["routes"]] == ["192.0.2.1"]
    assert (more["ip_address"], more["routes"]) == ("192.0.2.11", [])
    assert (six["type"], six["ip_address"]) == ("ipv6", "2001:db8:7::2")
    assert six["netmask"] == "ffff:ffff:ffff:ffff::"
    assert six["routes"][0]["gateway"] == "2001:db8:7::1"
    assert [each["address"] for each in found["services"]] == ["9.9.9.9", "2620:fe::fe"]
    plain = network_data(replace(LINK, vlan=None, address6=""))
    assert [link["type"] for link in plain["links"]] == ["phy"]
    assert {network["link"] for network in plain["networks"]} == {plain["links"][0]["id"]}


def test_access_is_by_keys_or_by_the_password_that_was_mailed() -> None:
    config = _config(user_data(a_want("node")))
    assert config["ssh_pwauth"] is False
    assert "write_files" not in config
    want = replace(a_want("node"), password_hash=Secret("$6$salt$hash"), ssh_keys=())
    config = _config(user_data(want))
    (user,) = config["users"]
    assert (user["name"], user["hashed_passwd"]) == ("root", "$6$salt$hash")
    assert (user["lock_passwd"], config["ssh_pwauth"]) == (False, True)
    assert "PermitRootLogin yes" in config["write_files"][0]["content"]


def test_the_operators_own_goes_beside() -> None:
    want = replace(a_want("node"), user_data="#!/bin/sh\ntouch /root/ö\n")
    archive = message_from_string(user_data(want))
    ours, theirs = archive.get_payload()  # type: ignore[misc]
    assert ours.get_content_type() == "text/cloud-config"  # type: ignore[union-attr]
    assert theirs.get_content_type() == "text/x-shellscript"  # type: ignore[union-attr]
    assert theirs.get_payload(decode=True).decode() == want.user_data  # type: ignore[union-attr]


def _config(text: str) -> Any:
    first, rest = text.split("\n", 1)
    assert first == "#cloud-config"
    return yaml.safe_load(rest)
