"""Messages to chats: what each is sent, and what is made of its answer."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from app.drivers.chat.contract import ChatKind, ChatMessage, ChatRoom
from app.drivers.chat.payload import payload
from app.drivers.chat.webhook import ChatWebhooks
from app.drivers.egress import Egress
from app.drivers.errors import DriverError, Refused, Retriable, Unanswered, Unauthorised
from app.drivers.http.client import HttpClient
from app.drivers.secret import Secret
from tests.drivers.http.peer import Peer, raw_server, serving

TOKEN = "T0/B0/xyzzy-secret"
MESSAGE = ChatMessage(
    text="Order 7 halted: a < b & c", title="Halted", level="danger", link="https://x.test/7"
)


@pytest.fixture
async def chats() -> AsyncIterator[ChatWebhooks]:
    http = HttpClient(Egress(["127.0.0.0/8"]))
    yield ChatWebhooks(http)
    await http.close()


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    async with serving() as peer:
        yield peer


def room(peer: Peer, kind: ChatKind = ChatKind.SLACK) -> ChatRoom:
    return ChatRoom(name="ops", kind=kind, url=Secret(f"{peer.url}/hooks/{TOKEN}"))


EXPECTED: dict[ChatKind, Any] = {
    ChatKind.SLACK: {
        "attachments": [
            {
                "color": "#e03131", "text": "Order 7 halted: a &lt; b &amp; c", "mrkdwn_in": [],
                "fallback": "Halted", "title": "Halted", "title_link": "https://x.test/7",
            }
        ]
    },
    ChatKind.MATTERMOST: {
        "attachments": [
            {
                "color": "#e03131", "text": "Order 7 halted: a \\< b & c", "fallback": "Halted",
                "title": "Halted", "title_link": "https://x.test/7",
            }
        ]
    },
    ChatKind.TEAMS: {
        "type": "message",
        "attachments": [
            {
                "contentType": "application/vnd.microsoft.card.adaptive",
                "content": {
                    "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                    "type": "AdaptiveCard",
                    "version": "1.4",
                    "body": [
                        {"type": "TextBlock", "text": "Halted", "weight": "Bolder",
                         "size": "Medium", "color": "Attention", "wrap": True},
                        {"type": "TextBlock", "text": "Order 7 halted: a \\< b & c", "wrap": True},
                    ],
                    "actions": [
                        {"type": "Action.OpenUrl", "title": "Open", "url": "https://x.test/7"}
                    ],
                },
            }
        ],
    },
    ChatKind.DISCORD: {
        "embeds": [
            {
                "description": "Order 7 halted: a \\< b & c", "color": 0xE03131,
                "title": "Halted", "url": "https://x.test/7",
            }
        ],
        "allowed_mentions": {"parse": []},
    },
}  # fmt: skip


@pytest.mark.parametrize("kind", ChatKind)
async def test_each_chat_gets_its_own_form(chats: ChatWebhooks, peer: Peer, kind: ChatKind) -> None:
    peer.routes[f"/hooks/{TOKEN}"] = (204 if kind is ChatKind.DISCORD else 200, "", {})
    await chats.send(room(peer, kind), MESSAGE)
    assert json.loads(peer.last.body) == EXPECTED[kind]
    assert peer.last.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("kind", ChatKind)
def test_a_client_calls_nobody_and_disguises_no_link(kind: ChatKind) -> None:
    hostile = "@channel <!everyone> <@U1> @here [x](https://evil.test) *b* `c` | # h"
    made = json.dumps(payload(kind, ChatMessage(text=hostile, title=hostile)), ensure_ascii=False)
    for call in ("@channel", "@here", "<!", "<@"):
        assert call not in made.replace("\\\\<", "")
    assert "[x](" not in made or kind is ChatKind.SLACK  # to Slack that is no link
    assert len(json.dumps(payload(kind, ChatMessage(text="x" * 100_000)))) < 7_000
    assert "title" not in json.dumps(payload(kind, ChatMessage(text="bare"))).replace(
        "subtitle", ""
    )


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        ((429, "slow down", {"Retry-After": "30"}), Retriable, "429 slow down, come again after 30 s"),
        ((503, "", {}), Retriable, "503 Service Unavailable"),
        ((404, "no_service", {}), Unauthorised, "no_service; make a new webhook"),
        ((400, "invalid_payload", {}), Refused, "invalid_payload"),
        ((302, "", {"Location": "/login"}), Refused, "sent on to /login"),
    ],
)  # fmt: skip
async def test_a_message_that_is_not_taken(
    chats: ChatWebhooks, peer: Peer, answer: Any, kind: type[DriverError], words: str
) -> None:
    peer.routes[f"/hooks/{TOKEN}"] = answer
    with pytest.raises(kind) as failed:
        await chats.send(room(peer), MESSAGE)
    assert words in failed.value.message
    assert "xyzzy" not in str(failed.value)


async def test_the_address_is_in_no_error(chats: ChatWebhooks, peer: Peer) -> None:
    async def echo(request: web.Request) -> web.Response:
        return web.Response(status=400, text=f"cannot POST {request.url}")

    peer.routes[f"/hooks/{TOKEN}"] = echo
    with pytest.raises(Refused, match="cannot POST the webhook"):
        await chats.send(room(peer), MESSAGE)
    async with raw_server(None, reset=True) as url:
        at = ChatRoom(name="ops", kind=ChatKind.SLACK, url=Secret(f"{url}/{TOKEN}"))
        with pytest.raises(Unanswered) as failed:
            await chats.send(at, MESSAGE)
    assert "xyzzy" not in str(failed.value)
