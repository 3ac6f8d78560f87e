"""How PVE knows us: by an API token in a header, or by a user's password."""

from app.drivers.http.contract import ApiKey, Basic, HttpPeer
from app.drivers.hypervisor.contract import HypervisorPeer
from app.drivers.secret import Secret

API = "/api2/json"


def http_peer(peer: HypervisorPeer) -> HttpPeer:
    """Return the peer as HTTP calls take it; a user name with `!` is that of a token."""
    url = peer.url.rstrip("/").removesuffix(API)
    is_token = "!" in peer.username
    token = Secret(f"PVEAPIToken={peer.username}={peer.secret.reveal()}")
    return HttpPeer(
        name=peer.name,
        base_url=url + API,
        auth=ApiKey("Authorization", token) if is_token else Basic(peer.username, peer.secret),
        tls=peer.tls,
    )
