"""What is told to Kea, checked and taken by the real server."""

import json
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest

from app.drivers.dhcp.contract import DhcpHost, DhcpPlan, DhcpSubnet
from app.drivers.dhcp.kea import Config, classes_of, subnets_of
from app.drivers.dhcp.kea_socket import KeaSocket
from app.drivers.errors import Refused, Unreachable
from tests.drivers.dhcp.kea import FOREIGN, checked, config, kea

HOST = DhcpHost(
    mac="02:00:00:00:00:01", address=IPv4Address("192.0.2.5"), hostname="web-1.example.org"
)
SUBNET = DhcpSubnet(
    prefix=UUID("01890a5d-ac96-774b-bcce-b302099a8058"),
    network=IPv4Network("192.0.2.0/24"),
    router=IPv4Address("192.0.2.1"),
    nameservers=("192.0.2.53", "192.0.2.54"),
    hosts=(HOST,),
)
PLAN = DhcpPlan(
    subnets=(SUBNET,),
    boot_url="https://slipway.example.org/netboot/ipxe?mac=${net0/mac}",
    boot_file_url="http://slipway.example.org/netboot/ipxe.efi",
)


def with_hosts(*hosts: DhcpHost) -> DhcpPlan:
    return msgspec.structs.replace(PLAN, subnets=(msgspec.structs.replace(SUBNET, hosts=hosts),))


def test_the_files_are_what_kea_includes(tmp_path: Path) -> None:
    (tmp_path / "subnets.json").write_text(json.dumps(subnets_of(PLAN)))
    (tmp_path / "classes.json").write_text(json.dumps(classes_of(PLAN)))
    whole = json.dumps(config(tmp_path, **{"subnet4": "S", "client-classes": "C"}))
    for mark, name in (("S", "subnets"), ("C", "classes")):
        whole = whole.replace(f'"{mark}"', f'<?include "{tmp_path}/{name}.json"?>')
    (tmp_path / "kea.conf").write_text(whole)
    assert checked(tmp_path / "kea.conf") == ""
    twice = with_hosts(HOST, msgspec.structs.replace(HOST, mac="02:00:00:00:00:02"))
    (tmp_path / "subnets.json").write_text(json.dumps(subnets_of(twice)))
    assert "192.0.2.5" in checked(tmp_path / "kea.conf")


async def test_a_server_is_told_once_and_keeps_what_others_configured(tmp_path: Path) -> None:
    with kea(tmp_path) as control:
        server = KeaSocket(control)
        assert await server.push(PLAN)
        assert not await server.push(PLAN)
        told: dict[str, Any] = (await server._command("config-get"))["Dhcp4"]
        assert [one["subnet"] for one in told["subnet4"]] == [FOREIGN["subnet"], "192.0.2.0/24"]
        (host,) = told["subnet4"][1]["reservations"]
        assert (host["hw-address"], host["ip-address"]) == (HOST.mac, "192.0.2.5")
        assert host["hostname"] == HOST.hostname
        urls = [one["boot-file-name"] for one in told["client-classes"]]
        assert urls == [PLAN.boot_url, PLAN.boot_file_url]

        assert await server.push(with_hosts())  # the server was given back
        told = (await server._command("config-get"))["Dhcp4"]
        assert told["subnet4"][1]["reservations"] == []
        await server.keep()
        assert checked(tmp_path / "kea.conf") == ""

        without = msgspec.structs.replace(with_hosts(), boot_file_url="")
        assert await server.push(without)
        assert not await server.push(without)
        told = (await server._command("config-get"))["Dhcp4"]
        assert [one["name"] for one in told["client-classes"]] == ["slipway-ipxe"]
        assert await server.push(with_hosts())

        twice = with_hosts(HOST, msgspec.structs.replace(HOST, mac="02:00:00:00:00:02"))
        with pytest.raises(Refused, match=r"config-test: .*192\.0\.2\.5"):
            await server.push(twice)
        theirs = msgspec.structs.replace(SUBNET, network=IPv4Network("198.51.100.0/24"))
        with pytest.raises(Refused, match="by another hand"):
            await server.push(msgspec.structs.replace(PLAN, subnets=(theirs,)))
        assert not await server.push(with_hosts())
    with pytest.raises(Unreachable):
        await server.push(PLAN)


class Overruled(KeaSocket):
    """A server that somebody else configures at the same moment: what we tell it stands no more."""

    async def _command(self, name: str, arguments: Config | None = None) -> dict[str, Any]:
        before = await super()._command("config-get")
        answer = await super()._command(name, arguments)
        if name == "config-set":
            before["Dhcp4"].pop("hash", None)
            await super()._command("config-set", {"Dhcp4": before["Dhcp4"]})
        return answer


async def test_what_is_taken_and_does_not_stand_is_no_success(tmp_path: Path) -> None:
    with kea(tmp_path) as control:
        with pytest.raises(Refused, match="says something else since"):
            await Overruled(control).push(PLAN)
        assert await KeaSocket(control).push(PLAN)
