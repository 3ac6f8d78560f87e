"""A screen: RFB 3.8 with VNC authentication over a web socket, as a provider offers it by TLS."""

import contextlib
import secrets
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

from aiohttp import WSMsgType, web
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes

from tests.drivers.certificates import Authority

PASSWORD, KEY = "s3cr3t", "PVEAPIToken=open"
WIDTH, HEIGHT = 4, 2
PICTURE = bytes(range(24))
"""Red, green and blue of each pixel."""


class Gone(Exception):
    """The client closed the screen."""


@dataclass
class Stream:
    """What the client sends, as one stream of bytes."""

    there: web.WebSocketResponse
    come: bytes = b""

    async def read(self, size: int) -> bytes:
        """Return so many bytes. Raises Gone."""
        while len(self.come) < size:
            message = await self.there.receive()
            if message.type is not WSMsgType.BINARY:
                raise Gone
            self.come += message.data
        found, self.come = self.come[:size], self.come[size:]
        return found


@dataclass
class Screen:
    """One screen, where it is, and what was typed at it."""

    url: str = ""
    typed: list[int] = field(default_factory=list)
    """Keysyms that were pressed."""

    async def serve(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Authorization") != KEY:
            return web.Response(status=401)
        there = web.WebSocketResponse(protocols=("binary",))
        await there.prepare(request)
        with contextlib.suppress(Gone):
            await self._talk(there)
        return there

    async def _talk(self, there: web.WebSocketResponse) -> None:
        read = Stream(there).read
        await _shake_hands(there, read)
        shifts = (16, 8, 0)
        while True:
            match (await read(1))[0]:
                case 0:  # SetPixelFormat
                    shifts = struct.unpack(">3x4x6x3B3x", await read(19))
                case 2:  # SetEncodings
                    await read(4 * struct.unpack(">xH", await read(3))[0])
                case 3:  # FramebufferUpdateRequest
                    if (await read(9))[0] == 0:
                        await there.send_bytes(_picture(shifts))
                case 4:  # KeyEvent
                    is_down, key = struct.unpack(">BxxI", await read(7))
                    self.typed += [key] * is_down
                case 5:  # PointerEvent
                    await read(5)
                case other:
                    raise AssertionError(f"message of type {other}")


async def _shake_hands(
    there: web.WebSocketResponse, read: Callable[[int], Awaitable[bytes]]
) -> None:
    """Agree on version and security, and tell the size. Raises Gone for a wrong password."""
    await there.send_bytes(b"RFB 003.008\n")
    assert await read(12) == b"RFB 003.008\n"
    await there.send_bytes(b"\x01\x02")
    assert await read(1) == b"\x02"
    challenge = secrets.token_bytes(16)
    await there.send_bytes(challenge)
    if await read(16) != _answer(challenge):
        await there.send_bytes(struct.pack(">II", 1, 3) + b"no!")
        raise Gone
    await there.send_bytes(struct.pack(">I", 0))
    await read(1)
    name = b"the machine"
    layout = struct.pack(">BBBBHHHBBBxxx", 32, 24, 0, 1, 255, 255, 255, 16, 8, 0)
    size = struct.pack(">HH", WIDTH, HEIGHT)
    await there.send_bytes(size + layout + struct.pack(">I", len(name)) + name)


def _answer(challenge: bytes) -> bytes:
    """Encrypt as VNC does: by DES, with the bits of each byte of the password turned round."""
    key = bytes(int(f"{byte:08b}"[::-1], 2) for byte in PASSWORD.encode().ljust(8, b"\0")[:8])
    cipher = Cipher(TripleDES(key * 3), modes.ECB()).encryptor()
    return cipher.update(challenge) + cipher.finalize()


def _picture(shifts: tuple[int, ...]) -> bytes:
    pixels = b"".join(
        struct.pack("<I", sum(PICTURE[at + n] << shift for n, shift in enumerate(shifts)))
        for at in range(0, len(PICTURE), 3)
    )
    return struct.pack(">BxHHHHHi", 0, 1, 0, 0, WIDTH, HEIGHT, 0) + pixels


@contextlib.asynccontextmanager
async def a_screen(authority: Authority) -> AsyncIterator[Screen]:
    """Serve a screen on loopback, by TLS with a certificate of this authority."""
    issued = authority.issue("screen")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(issued.cert, issued.key)
    screen = Screen()
    app = web.Application()
    app.router.add_get("/screen", screen.serve)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    host, port = runner.addresses[0][:2]
    screen.url = f"wss://{host}:{port}/screen"
    try:
        yield screen
    finally:
        await runner.cleanup()
