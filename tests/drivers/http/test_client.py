"""The HTTP client against a real server: calls, credentials, redirects."""

import asyncio
import base64
import hashlib
import hmac
import json
from typing import Any

import msgspec
import pytest
from aiohttp import web

from app.core.clock import SetClock
from app.drivers.errors import Refused, Retriable, Unauthorised
from app.drivers.http.client import HttpClient
from app.drivers.http.contract import (
    ApiKey,
    Auth,
    Basic,
    Bearer,
    Call,
    ClientCredentials,
    HttpPeer,
    NoAuth,
    Signing,
)
from app.drivers.secret import Secret
from tests.conftest import START
from tests.drivers.http.peer import Peer, raw_server, serving


def at(peer: Peer, auth: Auth | None = None, **facts: Any) -> HttpPeer:
    return HttpPeer(name="shop", base_url=peer.url, auth=auth or NoAuth(), **facts)


async def test_a_call_and_its_answer(client: HttpClient, peer: Peer) -> None:
    peer.routes["/v1/things"] = (201, '{"id": 7}', {"Content-Type": "application/json", "X-A": "1"})
    answer = await client.call(
        Call(
            method="POST", url=f"{peer.url}/v1/things", query={"dry": True}, body=b"{}",
            headers={"Content-Type": "application/json", "Idempotency-Key": "k"},
        )
    )  # fmt: skip
    assert (answer.status, answer.reason, answer.body) == (201, "Created", b'{"id": 7}')
    assert answer.headers["x-a"] == "1"
    assert (peer.last.method, peer.last.path) == ("POST", "/v1/things?dry=true")
    assert peer.last.headers["Idempotency-Key"] == "k"
    assert peer.last.headers["User-Agent"] == "Slipway"
    assert peer.last.body == b"{}"


async def test_odd_bytes_in_headers_are_text_that_can_be_kept(client: HttpClient) -> None:
    odd = b"HTTP/1.1 200 \xff\r\nX-A: caf\xc3\xa9 \xff\xed\xa0\x80\r\nContent-Length: 0\r\n\r\n"
    async with raw_server(odd) as url:
        answer = await client.call(Call(url=url))
    assert answer.headers["x-a"].startswith("café �")
    msgspec.json.encode([answer.headers, answer.reason])


async def test_head_has_no_body_whatever_its_length_says(client: HttpClient, peer: Peer) -> None:
    peer.routes["/x"] = (200, b"0" * 6_000_000, {})
    answer = await client.call(Call(method="HEAD", url=f"{peer.url}/x"))
    assert (answer.status, answer.body) == (200, b"")


async def test_connections_are_kept_alive(client: HttpClient, peer: Peer) -> None:
    peer.routes["/x"] = {}
    for _ in range(5):
        await client.call(Call(url=f"{peer.url}/x"))
    assert len(peer.asked) == 5
    assert len(peer.connections) == 1


@pytest.mark.parametrize(
    ("auth", "header", "value"),
    [
        (Basic("ada", Secret("pässword")), "Authorization",
         "Basic " + base64.b64encode("ada:pässword".encode()).decode()),
        (Bearer(Secret("tok-1234")), "Authorization", "Bearer tok-1234"),
        (ApiKey("X-Api-Key", Secret("key-1234")), "X-Api-Key", "key-1234"),
    ],
)  # fmt: skip
async def test_credentials_in_a_header(
    client: HttpClient, peer: Peer, auth: Auth, header: str, value: str
) -> None:
    peer.routes["/x"] = {}
    await client.call(Call(url="x"), at(peer, auth, headers={"X-Tenant": "7"}))
    assert peer.last.headers[header] == value
    assert peer.last.headers["X-Tenant"] == "7"


async def test_an_api_key_in_the_query(client: HttpClient, peer: Peer) -> None:
    peer.routes["/x"] = {}
    auth = ApiKey("api key", Secret("a&b=c"), in_query=True)
    answer = await client.call(Call(url="x?page=2&q=%26"), at(peer, auth))
    assert peer.last.query == [("page", "2"), ("q", "&"), ("api key", "a&b=c")]
    assert "a%26b" not in str(answer.url)


async def test_a_signed_call(client: HttpClient, peer: Peer) -> None:
    peer.routes["/x"] = {}
    auth = Signing(key=Secret("signing-key"), payload="{method} {path}?{query} {timestamp} {body}")
    await client.call(Call(method="PUT", url="x", query={"a": "1 2"}, body=b"data"), at(peer, auth))
    timestamp = int(START.timestamp())
    signed = f"PUT {peer.last.path} {timestamp} data"
    digest = hmac.new(b"signing-key", signed.encode(), hashlib.sha256).hexdigest()
    assert peer.last.headers["X-Signature"] == digest
    assert peer.last.headers["X-Timestamp"] == str(timestamp)


CREDENTIALS = {"client_id": "us & co", "client_secret": Secret("client-secret")}


def tokens(peer: Peer, *answers: Any) -> None:
    peer.routes["/token"] = list(answers)
    peer.routes["/x"] = {}


def grant(token: str, life_s: Any = 3600) -> dict[str, Any]:
    return {"access_token": token, "token_type": "bearer", "expires_in": life_s}


def calls(peer: Peer) -> list[str]:
    return ["token" if one.path == "/token" else one.headers["Authorization"] for one in peer.asked]


async def test_an_oauth_token_is_fetched_once_and_kept(
    client: HttpClient, peer: Peer, clock: SetClock
) -> None:
    tokens(peer, grant("first"), grant("second"))
    auth = ClientCredentials(token_url=f"{peer.url}/token", scope="a b", **CREDENTIALS)  # type: ignore[arg-type]
    shop = at(peer, auth)
    await asyncio.gather(*(client.call(Call(url="x"), shop) for _ in range(5)))
    assert calls(peer) == ["token"] + ["Bearer first"] * 5
    asked = peer.asked[0]
    assert (
        asked.headers["Authorization"]
        == "Basic " + base64.b64encode(b"us+%26+co:client-secret").decode()
    )
    assert asked.body == b"grant_type=client_credentials&scope=a+b"
    clock.advance(seconds=3600 - 31)
    await client.call(Call(url="x"), shop)
    clock.advance(seconds=2)  # no call begins with a token that is about to end
    await client.call(Call(url="x"), shop)
    assert calls(peer)[6:] == ["Bearer first", "token", "Bearer second"]


async def test_a_token_that_is_not_accepted_is_fetched_anew_once(
    client: HttpClient, peer: Peer
) -> None:
    async def picky(request: web.Request) -> web.Response:
        good = request.headers["Authorization"] == "Bearer second"
        return web.Response(status=200 if good else 401)

    tokens(peer, grant("first"), grant("second"), grant("third"), grant("fourth"))
    peer.routes["/x"] = picky
    auth = ClientCredentials(
        token_url=f"{peer.url}/token",
        audience="api",
        secret_in_body=True,
        **CREDENTIALS,  # type: ignore[arg-type]
    )
    assert (await client.call(Call(method="POST", url="x"), at(peer, auth))).status == 200
    assert calls(peer) == ["token", "Bearer first", "token", "Bearer second"]
    assert peer.asked[0].body == (
        b"grant_type=client_credentials&audience=api&client_id=us+%26+co"
        b"&client_secret=client-secret"
    )

    async def never(_: web.Request) -> web.Response:
        return web.Response(status=401)

    peer.routes["/x"] = never
    assert (await client.call(Call(url="x"), at(peer, auth))).status == 401
    assert calls(peer)[4:] == ["Bearer second", "token", "Bearer third"]


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        ((401, '{"error":"invalid_client","error_description":"unknown"}', {}),
         Unauthorised, "invalid_client: unknown"),
        ((400, "<html>", {}), Unauthorised, "400 Bad Request"),
        ((503, "", {}), Retriable, "503"),
        ((200, "{}", {}), Refused, "no token is there"),
        (grant("x") | {"token_type": "mac"}, Refused, "type mac"),
    ],
)  # fmt: skip
async def test_a_token_server_that_gives_none(
    client: HttpClient, peer: Peer, answer: Any, kind: type[Exception], words: str
) -> None:
    tokens(peer, answer)
    auth = ClientCredentials(token_url=f"{peer.url}/token", **CREDENTIALS)  # type: ignore[arg-type]
    with pytest.raises(kind, match=words) as failed:
        await client.call(Call(url="x"), at(peer, auth))
    assert "client-secret" not in str(failed.value)
    assert [one.path for one in peer.asked] == ["/token"]


@pytest.mark.parametrize("life", [None, "soon", "120", 0.5])
async def test_a_token_of_unclear_life_is_not_kept_for_long(
    client: HttpClient, peer: Peer, clock: SetClock, life: Any
) -> None:
    tokens(peer, grant("first", life), grant("second", life))
    auth = ClientCredentials(token_url=f"{peer.url}/token", **CREDENTIALS)  # type: ignore[arg-type]
    await client.call(Call(url="x"), at(peer, auth))
    clock.advance(seconds=301)
    await client.call(Call(url="x"), at(peer, auth))
    assert calls(peer)[-2:] == ["token", "Bearer second"]


ECHO_SECRETS: list[tuple[Auth, str]] = [
    (Basic("ada", Secret('pass"word')), 'pass"word'),
    (Bearer(Secret("tok/1234")), "tok/1234"),
    (ApiKey("X-Api-Key", Secret("k&y-1234")), "k&y-1234"),
    (ApiKey("key", Secret("k&y-1234"), in_query=True), "k&y-1234"),
    (Signing(key=Secret("signing-key")), "signing-key"),
]


@pytest.mark.parametrize(("auth", "secret"), ECHO_SECRETS)
async def test_a_peer_that_echoes_its_credentials_does_not_give_them_away(
    client: HttpClient, peer: Peer, auth: Auth, secret: str
) -> None:
    async def echo(request: web.Request) -> web.Response:
        heard = {**request.headers, "url": str(request.url), "secret": secret}
        return web.Response(
            text=json.dumps(heard) + repr(heard), headers={"X-Echo": secret, "Set-Cookie": "a=b"}
        )

    peer.routes["/x"] = echo
    answer = await client.call(Call(url="x"), at(peer, auth))
    text = f"{answer.body.decode()} {answer.headers} {answer.url}"
    for form in (secret, json.dumps(secret)[1:-1], "k%26y-1234", "tok%2F1234"):
        assert form not in text
    assert base64.b64encode(f"ada:{secret}".encode()).decode() not in text
    assert "••••••" in text
    assert "set-cookie" not in answer.headers


async def test_get_is_followed_and_says_where_it_came_to(client: HttpClient, peer: Peer) -> None:
    peer.routes["/a"] = (302, "", {"Location": "b?x=1"})
    peer.routes["/b"] = (307, "", {"Location": f"{peer.url}/c"})
    peer.routes["/c"] = {"here": True}
    answer = await client.call(Call(url="a"), at(peer, Bearer(Secret("tok-1234"))))
    assert (answer.status, str(answer.url)) == (200, f"{peer.url}/c")
    assert [one.headers.get("Authorization") for one in peer.asked] == ["Bearer tok-1234"] * 3


async def test_credentials_do_not_follow_to_another_origin(client: HttpClient, peer: Peer) -> None:
    async with serving() as other:
        peer.routes["/a"] = (302, "", {"Location": f"{other.url}/b"})
        other.routes["/b"] = (302, "", {"Location": f"{peer.url}/c"})
        peer.routes["/c"] = {}
        call = Call(url="a", headers={"X-Secret": "s", "Accept": "application/json"})
        await client.call(
            call, at(peer, ApiKey("X-Key", Secret("key-1234")), headers={"X-Tenant": "7"})
        )
        assert {"X-Key", "X-Tenant", "X-Secret"} <= peer.asked[0].headers.keys()
        for one in (other.last, peer.last):
            assert not {"X-Key", "X-Tenant", "X-Secret"} & one.headers.keys()
            assert one.headers["Accept"] == "application/json"


async def test_what_changes_something_is_not_sent_on(client: HttpClient, peer: Peer) -> None:
    peer.routes["/a"] = (307, "", {"Location": "/b"})
    with pytest.raises(Refused, match="POST is sent on to /b"):
        await client.call(Call(method="POST", url="a"), at(peer))
    assert len(peer.asked) == 1


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("/a", "more than 5 times"),
        ("ftp://x.test/", "http://"),
        ("http://user:pass@x.test/", "keep user name"),
        ("http://[::1/", "no address"),
    ],
)
async def test_redirects_that_lead_nowhere(
    client: HttpClient, peer: Peer, place: str, words: str
) -> None:
    peer.routes["/a"] = (302, "", {"Location": place})
    with pytest.raises(Refused, match=words):
        await client.call(Call(url="a"), at(peer))


async def test_headers_cannot_be_smuggled_in(client: HttpClient, peer: Peer) -> None:
    for headers in ({"X-A": "1\r\nX-B: 2"}, {"X-A\r\nX-B": "1"}):
        with pytest.raises(Refused):
            await client.call(Call(url=f"{peer.url}/x", headers=headers))
    assert peer.asked == []


async def test_it_can_be_closed_twice_and_opens_again(client: HttpClient, peer: Peer) -> None:
    peer.routes["/x"] = {}
    await client.call(Call(url=f"{peer.url}/x"))
    await client.close()
    await client.close()
    assert (await client.call(Call(url=f"{peer.url}/x"))).status == 200


def test_nothing_prints_a_secret() -> None:
    auth = Bearer(Secret("tok-1234"))
    peer = HttpPeer(name="shop", base_url="https://x.test", auth=auth)
    assert "tok-1234" not in repr(peer) + str(peer) + repr(msgspec.structs.asdict(peer))
