"""fakepve, an independent stand-in of PVE that checks requests against PVE's own schema.

It runs as a process of its own, in an environment of its own, and is never imported: it is AGPL.
"""

import contextlib
import json
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from app.drivers.hypervisor.contract import HypervisorPeer
from app.drivers.secret import Secret
from app.drivers.tls import TrustCa
from tests.drivers.certificates import Authority
from tests.drivers.environment import environment
from tests.drivers.process import await_listening, free_port

FAKEPVE = ("fakepve==0.5.0", "proxmoxer==2.3.0", "requests==2.34.2", "cryptography==50.0.2")
NODES = ("pve1", "pve2")
PASSWORD = "fit for a stand-in"
NAME = "fra-pve"
ISO, WINDOWS = "local:iso/debian-13.1.0-amd64-netinst.iso", "local:iso/Win_Server_2022_en.iso"
ISOS = (ISO, WINDOWS)


def template(number: int, node: str, name: str = "debian-12", **more: object) -> dict[str, object]:
    return {
        "vmid": 9000 + number,
        "name": name,
        "node": node,
        "template": True,
        "config": {
            "scsi0": f"local-lvm:base-{9000 + number}-disk-0,size=3G",
            "ide2": f"local-lvm:vm-{9000 + number}-cloudinit,media=cdrom",
            "net0": f"virtio=BC:24:11:00:00:0{number},bridge=vmbr0,firewall=1",
            "boot": "order=scsi0",
            "memory": 1024,
            "cores": 1,
            "agent": "1",
            "template": 1,
            **more,
        },
    }


GUESTS = [
    *(template(number, node) for number, node in enumerate(NODES)),
    *(template(4 + number, node, "ubuntu-24.04", bios="ovmf") for number, node in enumerate(NODES)),
    {"vmid": 101, "name": "not-ours", "node": "pve1", "status": "running", "config": {}},
    {"vmid": 102, "name": "ha", "node": "pve2", "ha_state": "stopped", "config": {}},
    # It ignores ACPI: only a hard stop ends it.
    {"vmid": 103, "name": "deaf", "node": "pve2", "status": "running", "acpi": False, "config": {}},
]


def put_iso(peer: HypervisorPeer, file: str, node: str = "pve1") -> None:
    """Upload an ISO of nothing to the storage `local`, as PVE's own pages do."""
    assert isinstance(peer.tls, TrustCa)
    trust = ssl.create_default_context(cadata=peer.tls.pem)
    login = urlencode({"username": peer.username, "password": PASSWORD}).encode()
    with urlopen(f"{peer.url}/api2/json/access/ticket", login, 10, context=trust) as answer:
        ticket = json.load(answer)["data"]
    body = (
        '--b\r\nContent-Disposition: form-data; name="content"\r\n\r\niso\r\n'
        f'--b\r\nContent-Disposition: form-data; name="filename"; filename="{file}"\r\n\r\n\r\n'
        "--b--\r\n"
    )
    headers = {
        "Content-Type": "multipart/form-data; boundary=b",
        "Cookie": f"PVEAuthCookie={ticket['ticket']}",
        "CSRFPreventionToken": ticket["CSRFPreventionToken"],
    }
    call = Request(
        f"{peer.url}/api2/json/nodes/{node}/storage/local/upload", body.encode(), headers
    )
    with urlopen(call, timeout=10, context=trust) as answer:
        assert answer.status == 200


@contextlib.contextmanager
def fakepve(
    folder: Path, authority: Authority, *, second_s: float = 0.005
) -> Iterator[HypervisorPeer]:
    """Run one whose second takes `second_s`. The peer signs in by user and password."""
    programs = environment("fakepve", *FAKEPVE)
    port = free_port()
    guests = folder / "guests.json"
    guests.write_text(json.dumps({"guests": GUESTS}))
    issued = authority.issue("pve")
    log = folder / "fakepve.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                *(programs / "fakepve", guests, "--host", "127.0.0.1", "--port", str(port)),
                *("--password", PASSWORD, "--time-scale", str(second_s)),
                *("--cert", issued.cert, "--key", issued.key),
            ],
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            await_listening(process, port, log, 30)
            peer = HypervisorPeer(
                name=NAME,
                provider="proxmox",
                url=f"https://127.0.0.1:{port}",
                username="root@pam",
                secret=Secret(PASSWORD),
                tls=TrustCa(authority.pem),
            )
            for iso in ISOS:
                put_iso(peer, iso.removeprefix("local:iso/"))
            yield peer
        finally:
            process.terminate()
            process.wait(10)
