"""Sends messages to chats through their incoming webhooks."""

import msgspec

from app.drivers.chat.contract import ChatMessage, ChatRoom
from app.drivers.chat.payload import payload
from app.drivers.errors import Refused, Retriable, Unauthorised
from app.drivers.http.client import HttpClient
from app.drivers.http.contract import Answer, Call, HttpPeer

SEND_S = 15.0
NOT_NOW = frozenset({408, 425, 429})
GONE = frozenset({401, 403, 404, 410})
"""What chats answer to a webhook that was taken away."""


class ChatWebhooks:
    """Raises only `DriverError`s, in which the address is hidden."""

    def __init__(self, http: HttpClient) -> None:
        self._http = http

    async def send(self, room: ChatRoom, message: ChatMessage) -> None:
        """Return once the chat took the message; sent twice, it is there twice."""
        url = room.url.reveal()
        # The whole address is the base: redirects to it and errors about it name the room only.
        peer = HttpPeer(name=room.name, base_url=url)
        call = Call(
            method="POST",
            headers={"Content-Type": "application/json"},
            body=msgspec.json.encode(payload(room.kind, message)),
            timeout_s=SEND_S,
            limit_bytes=64 * 1024,
        )
        answer = await self._http.call(call, peer)
        words = _said(answer, url)
        if answer.status < 300:
            return
        if answer.status in NOT_NOW or answer.status >= 500:
            raise Retriable(room.name, words)
        if answer.status in GONE:
            raise Unauthorised(room.name, f"{words}; make a new webhook if this one was removed")
        raise Refused(room.name, field="message", reason=words)


def _said(answer: Answer, url: str) -> str:
    words = " ".join(answer.body.decode("utf-8", "replace").split())[:200]
    words = words.replace(url, "the webhook")
    again = answer.headers.get("retry-after", "")
    more = f", come again after {again[:40]} s" if again else ""
    return f"it answers {answer.status} {words or answer.reason}{more}"
