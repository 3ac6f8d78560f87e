"""A small site of the gallery's pages on loopback, and a headless browser to look at it."""

import asyncio
import socket
import threading
from collections.abc import Iterator

import pytest
import uvicorn

from tests.components.site import Site


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    site = Site(f"http://127.0.0.1:{listener.getsockname()[1]}")
    server = uvicorn.Server(
        uvicorn.Config(site.app, log_level="error", ws="none", timeout_graceful_shutdown=1)
    )
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([listener])))
    thread.start()
    yield site
    site.close_streams()
    server.should_exit = True
    thread.join(10)
    listener.close()
