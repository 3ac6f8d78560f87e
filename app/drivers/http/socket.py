"""A web socket to a peer that carries bytes."""

import aiohttp

from app.drivers.http.words import translate


class ByteSocket:
    """An open web socket; made by `HttpClient.socket`, and closed by it."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, peer: str) -> None:
        self._socket = socket
        self._peer = peer

    async def receive(self) -> bytes | None:
        """Return what comes next; None once the peer has closed it."""
        message = await self._socket.receive()
        match message.type:
            case aiohttp.WSMsgType.BINARY:
                data: bytes = message.data
                return data
            case aiohttp.WSMsgType.TEXT:
                return str(message.data).encode()
            case _:
                return None

    async def send(self, data: bytes) -> None:
        """Send bytes. Raises Unanswered where the connection broke."""
        try:
            await self._socket.send_bytes(data)
        except (aiohttp.ClientError, OSError) as error:
            raise translate(self._peer, error) from error
