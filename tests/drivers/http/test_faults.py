"""The HTTP client against peers that misbehave; each test is named after the fault.

`Unreachable` promises that nothing was sent, `Unanswered` that nobody knows.
"""

import asyncio
import gzip
import socket
import ssl
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import uvloop
from aiohttp import web

from app.core.clock import SetClock
from app.drivers.egress import Egress, EgressDenied
from app.drivers.errors import DriverError, Refused, Unanswered, Unreachable
from app.drivers.http.client import HttpClient
from app.drivers.http.contract import Call, ClientCertificate, HttpPeer
from app.drivers.secret import Secret
from app.drivers.tls import Tls, TrustAnything, TrustCa, TrustPin, TrustSystem
from tests.drivers.certificates import Authority, Issued
from tests.drivers.http.peer import Peer, raw_server, serving
from tests.drivers.process import free_port


async def failure(client: HttpClient, url: str, **facts: Any) -> DriverError:
    with pytest.raises(DriverError) as failed:
        await client.call(Call(url=url, **facts))
    return failed.value


async def test_nobody_listens(client: HttpClient) -> None:
    failed = await failure(client, f"http://127.0.0.1:{free_port()}/")
    assert type(failed) is Unreachable
    assert "refused" in failed.message.lower()


async def test_a_name_that_does_not_exist(client: HttpClient) -> None:
    assert "cannot be resolved" in (await failure(client, "http://nowhere.invalid/")).message


async def test_it_hangs_after_the_request(client: HttpClient, peer: Peer) -> None:
    async def hang(_: web.Request) -> web.Response:
        await asyncio.Event().wait()
        return web.Response()

    peer.routes |= {"/x": hang, "/warm": {}}
    await client.call(Call(url=f"{peer.url}/warm"))  # so that no time goes into a connection
    failed = await failure(client, f"{peer.url}/x", method="POST", timeout_s=0.2)
    assert type(failed) is Unanswered
    assert "no answer in time" in failed.message


@pytest.mark.parametrize("stalls", [False, True], ids=["by-itself", "while-we-stand-still"])
async def test_it_hangs_before_the_connection_is_made(client: HttpClient, *, stalls: bool) -> None:
    """A process that is busy for a moment sees all of its time limits pass at once."""
    if stalls:
        asyncio.get_running_loop().call_later(0.1, time.sleep, 0.4)
    with socket.socket() as full:  # one place in the queue, and it is taken
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        failed = await failure(client, f"http://127.0.0.1:{port}/", method="POST", timeout_s=0.3)
        for one in waiting:
            one.close()
    assert type(failed) is Unreachable
    assert "no connection in time" in failed.message


async def test_it_resets_the_connection(client: HttpClient) -> None:
    async with raw_server(None, reset=True) as url:
        assert type(await failure(client, url, method="POST")) is Unanswered


async def test_it_closes_without_an_answer(client: HttpClient) -> None:
    async with raw_server(b"") as url:
        failed = await failure(client, url, method="POST")
    assert type(failed) is Unanswered
    assert "without an answer" in failed.message


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "POST"])
async def test_what_was_not_answered_is_not_sent_again_unseen(
    client: HttpClient, peer: Peer, method: str
) -> None:
    async def swallow(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    peer.routes |= {"/x": swallow, "/warm": {}}
    await client.call(Call(url=f"{peer.url}/warm"))  # the next call reuses its connection
    assert type(await failure(client, f"{peer.url}/x", method=method)) is Unanswered
    assert [one.path for one in peer.asked] == ["/warm", "/x"]


async def test_it_breaks_off_in_the_middle(client: HttpClient) -> None:
    async with raw_server(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf") as url:
        failed = await failure(client, url)
    assert type(failed) is Unanswered
    assert "in the middle" in failed.message


async def test_it_does_not_speak_http(client: HttpClient) -> None:
    async with raw_server(b"SSH-2.0-OpenSSH_9.2\r\n") as url:
        failed = await failure(client, url)
    assert type(failed) is Unanswered
    assert "not HTTP" in failed.message


async def test_it_sends_headers_without_end(client: HttpClient) -> None:
    async with raw_server(b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100_000 + b"\r\n\r\n") as url:
        assert type(await failure(client, url)) is Unanswered


@pytest.mark.parametrize("way", ["stated", "chunked", "bomb"])
async def test_a_huge_answer_is_not_read_to_its_end(
    client: HttpClient, peer: Peer, way: str
) -> None:
    async def huge(request: web.Request) -> web.StreamResponse:
        if way == "bomb":
            body = gzip.compress(b"0" * 50_000_000)
            return web.Response(body=body, headers={"Content-Encoding": "gzip"})
        if way == "stated":
            return web.Response(body=b"0" * 6_000_000)
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(100):
            await response.write(b"0" * 100_000)
        return response

    peer.routes["/x"] = huge
    failed = await failure(client, f"{peer.url}/x")
    assert isinstance(failed, Refused)
    assert "5,242,880 bytes" in failed.message
    peer.routes["/y"] = (200, b"0" * 5_242_880, {})
    assert len((await client.call(Call(url=f"{peer.url}/y"))).body) == 5_242_880


async def test_of_a_huge_error_the_beginning_is_read(client: HttpClient, peer: Peer) -> None:
    peer.routes["/x"] = (500, b"broken! " * 100_000, {})
    answer = await client.call(Call(url=f"{peer.url}/x"))
    assert answer.status == 500
    assert len(answer.body) == 65_536


async def test_a_compressed_answer_is_unpacked(client: HttpClient, peer: Peer) -> None:
    peer.routes["/x"] = (200, gzip.compress(b"hello"), {"Content-Encoding": "gzip"})
    assert (await client.call(Call(url=f"{peer.url}/x"))).body == b"hello"


# --- the egress policy -------------------------------------------------------------------------


@pytest.fixture
async def strict(clock: SetClock) -> AsyncIterator[HttpClient]:
    """A client with the policy as it is shipped."""
    client = HttpClient(Egress(), clock)
    yield client
    await client.close()


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "[::1]", "127.1", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]",
     "0.0.0.0", "169.254.169.254", "10.0.0.1"],
)  # fmt: skip
async def test_a_flow_does_not_reach_inside(strict: HttpClient, peer: Peer, host: str) -> None:
    port = peer.url.rpartition(":")[2]
    failed = await failure(strict, f"http://{host}:{port}/x")
    assert isinstance(failed, EgressDenied | Refused)  # 0x7f.1 is no host name to yarl
    assert peer.asked == []


async def test_a_name_that_leads_inside_is_found_out(
    strict: HttpClient, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: what the name resolves to when the connection is made is what counts."""
    resolve = asyncio.get_running_loop().getaddrinfo

    async def rebound(host: Any, port: Any, **more: Any) -> Any:
        host = "127.0.0.1" if host == "public.example" else host
        return await resolve(host, port, **more)

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", rebound)
    port = peer.url.rpartition(":")[2]
    assert isinstance(await failure(strict, f"http://public.example:{port}/x"), EgressDenied)
    assert peer.asked == []


async def test_a_redirect_to_the_metadata_service_is_not_followed(
    clock: SetClock, peer: Peer
) -> None:
    client = HttpClient(Egress(["127.0.0.1"]), clock)
    peer.routes["/x"] = (302, "", {"Location": "http://169.254.169.254/latest/meta-data/"})
    failed = await failure(client, f"{peer.url}/x")
    await client.close()
    assert isinstance(failed, EgressDenied)
    assert failed.address == "169.254.169.254"


# --- TLS -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def issued(authority: Authority) -> Issued:
    return authority.issue("peer")


def server_side(issued: Issued, *, wants: Authority | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(issued.cert, issued.key)
    if wants is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=wants.pem)
    return context


@pytest.fixture
async def shielded(issued: Issued) -> AsyncIterator[Peer]:
    async with serving(tls=server_side(issued)) as peer:
        peer.routes["/x"] = {}
        yield peer


def trusting(peer: Peer, tls: Tls, certificate: ClientCertificate | None = None) -> HttpPeer:
    return HttpPeer(name="shop", base_url=peer.url, tls=tls, certificate=certificate)


async def test_a_certificate_is_trusted_by_ca_pin_or_explicitly_not_looked_at(
    client: HttpClient, shielded: Peer, authority: Authority, issued: Issued
) -> None:
    pin = ":".join(issued.sha256.upper()[i : i + 2] for i in range(0, 64, 2))
    for tls in (TrustCa(authority.pem), TrustPin(issued.sha256), TrustPin(pin), TrustAnything()):
        for _ in range(2):
            assert (await client.call(Call(url="x"), trusting(shielded, tls))).status == 200
    assert len(shielded.connections) <= 4


async def test_a_certificate_that_is_not_trusted(
    client: HttpClient, shielded: Peer, issued: Issued, tmp_path: Path
) -> None:
    another = Authority(tmp_path)
    for tls, words in (
        (TrustSystem(), "unable to get local issuer"),
        (TrustCa(another.pem), "unable to get local issuer"),
        (TrustPin("00" * 32), issued.sha256),
    ):
        with pytest.raises(Refused, match=words) as failed:
            await client.call(Call(method="POST", url="x"), trusting(shielded, tls))
        assert failed.value.field == "tls"
    assert shielded.asked == []


async def test_a_certificate_for_another_host(
    client: HttpClient, issued: Issued, authority: Authority
) -> None:
    async with serving(tls=server_side(issued), host="127.0.0.2") as peer:
        with pytest.raises(Refused, match=r"127\.0\.0\.2"):
            await client.call(Call(url="x"), trusting(peer, TrustCa(authority.pem)))


async def test_the_peer_wants_our_certificate(
    client: HttpClient, issued: Issued, authority: Authority
) -> None:
    ours = authority.issue("us", client=True)
    shown = ClientCertificate(ours.cert.read_text(), Secret(ours.key.read_text()))
    async with serving(tls=server_side(issued, wants=authority)) as peer:
        peer.routes["/x"] = {}
        for tls in (TrustCa(authority.pem), TrustPin(issued.sha256)):
            assert (await client.call(Call(url="x"), trusting(peer, tls, shown))).status == 200
        with pytest.raises(DriverError):
            await client.call(Call(url="x"), trusting(peer, TrustCa(authority.pem)))
        assert len(peer.asked) == 2


@pytest.mark.parametrize(
    "key", ["", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"]
)
async def test_a_key_that_is_none(
    client: HttpClient, shielded: Peer, issued: Issued, key: str
) -> None:
    shown = ClientCertificate(issued.cert.read_text(), Secret(key))
    with pytest.raises(Refused, match="cannot be used"):
        await client.call(Call(url="x"), trusting(shielded, TrustAnything(), shown))


async def test_tls_is_asked_of_a_server_that_has_none(client: HttpClient, peer: Peer) -> None:
    failed = await failure(client, peer.url.replace("http:", "https:") + "/x")
    assert not isinstance(failed, Unanswered)


async def test_it_hangs_in_the_handshake(client: HttpClient) -> None:
    async with raw_server(None) as url:
        failed = await failure(client, url.replace("http:", "https:"), timeout_s=0.3)
    assert type(failed) is Unreachable


async def test_no_downgrade_by_redirect(
    client: HttpClient, shielded: Peer, peer: Peer, authority: Authority
) -> None:
    shielded.routes["/x"] = (302, "", {"Location": f"{peer.url}/y"})
    with pytest.raises(Refused, match="unprotected"):
        await client.call(Call(url="x"), trusting(shielded, TrustCa(authority.pem)))
    assert peer.asked == []


def test_the_pin_holds_in_the_event_loop_of_production_too(issued: Issued) -> None:
    async def call(sha256: str) -> int:
        client = HttpClient(Egress(["127.0.0.0/8"]))
        async with serving(tls=server_side(issued)) as peer:
            peer.routes["/x"] = {}
            try:
                return (await client.call(Call(url="x"), trusting(peer, TrustPin(sha256)))).status
            finally:
                await client.close()

    with ThreadPoolExecutor(1) as apart:
        assert apart.submit(uvloop.run, call(issued.sha256)).result() == 200
        with pytest.raises(Refused, match=issued.sha256):
            apart.submit(uvloop.run, call("00" * 32)).result()
