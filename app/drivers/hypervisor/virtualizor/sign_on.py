"""Single sign-on to the panel of Virtualizor's clients: `act=sso` gives a session for one machine.

That panel listens on a port of its own and takes an admin's key by a hash of its password, which
differs with every call.
"""

import hashlib
import re
import secrets
from urllib.parse import quote, urlsplit

from app.drivers.http.client import HttpClient
from app.drivers.http.contract import HttpPeer, QueryKeys
from app.drivers.hypervisor.contract import HypervisorPeer, Ref
from app.drivers.hypervisor.virtualizor.api import Api, Failed
from app.drivers.hypervisor.virtualizor.machine import need_machine
from app.drivers.secret import Secret

PORTS = {4085: 4083, 4084: 4082}
"""Of the admins' panel and the clients', by TLS and without."""
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,128}")


async def sign_on(http: HttpClient, peer: HypervisorPeer, ref: Ref) -> Secret:
    """Return the address by which a browser is signed in as the machine's user. Raises Refused."""
    machine = await need_machine(Api(http, peer), ref)
    if machine.vm.is_suspended:
        raise Failed(peer.name, field="machine", reason="it is suspended")
    panel = panel_url(peer)
    keys = (
        ("adminapikey", Secret(peer.username)),
        ("apikey", Secret(hashed(peer.secret, secrets.token_hex(4)))),
    )
    api = Api(
        http, peer, HttpPeer(name=peer.name, base_url=panel, auth=QueryKeys(keys), tls=peer.tls)
    )
    found = await api.get("sso", svs=machine.id)
    token, session = str(found.get("token_key", "")), str(found.get("sid", ""))
    if not _TOKEN.fullmatch(token) or not session:
        raise Failed(peer.name, field="sign-on", reason="it gave no session")
    return Secret(f"{panel}/{token}/?as={quote(session, safe='')}&svs={machine.id}")


def panel_url(peer: HypervisorPeer) -> str:
    """Return where clients find the panel: as the connection says, else by the known ports."""
    if peer.panel_url:
        return peer.panel_url.rstrip("/")
    url = urlsplit(peer.url)
    port = PORTS.get(url.port or 0)
    if port is None:
        reason = "the panel of clients is on no known port; name its address in the connection"
        raise Failed(peer.name, field="panel_url", reason=reason)
    host = f"[{url.hostname}]" if ":" in (url.hostname or "") else url.hostname
    return f"{url.scheme}://{host}:{port}"


def hashed(password: Secret, salt: str) -> str:
    """Return the password as the panel of clients takes it: eight digits, and MD5 with them."""
    text = f"{password.reveal()}{salt}".encode()
    return salt + hashlib.md5(text, usedforsecurity=False).hexdigest()
