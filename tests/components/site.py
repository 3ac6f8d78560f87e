"""The site that browser tests visit: gallery pages under the real policy, and a live stream."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import htpy as h
from litestar import Litestar, Response, get, post
from litestar.exceptions import HTTPException
from litestar.params import FromPath, FromQuery
from litestar.response import Stream

from app.components.button import submit_button
from app.components.csp import content_security_policy
from app.components.form import Form, form_element, text_field
from app.components.live import live_region
from app.components.page import portal_page
from app.routes.assets import serve_asset
from tests.components.gallery import PAGES
from tests.components.gallery_setting import frame


class Site:
    """Counts the fetches of each live region and sends the events a test asks for."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.fetches: dict[str, int] = {}
        self.asked: list[str] = []
        self.sent = 0
        self.refuse_streams = False
        self.posts = 0
        self._queues: set[asyncio.Queue[str | None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self.app = Litestar(
            [
                serve_asset,
                get("/gallery/{name:str}/{theme:str}", sync_to_thread=False)(self.show),
                get("/watch", sync_to_thread=False)(self.watch),
                get("/part/{name:str}", sync_to_thread=False)(self.part),
                get("/form", sync_to_thread=False)(self.form),
                post("/slow")(self.slow),
                get("/live")(self.live),
            ],
            openapi_config=None,
        )

    def url(self, path: str) -> str:
        return self.address + path

    def reset(self) -> None:
        self.fetches.clear()
        self.asked.clear()
        self.sent = 0
        self.refuse_streams = False
        self.posts = 0

    def send(self, topic: str) -> None:
        self.sent += 1
        self._each(f"id: 1\nevent: {topic}\ndata: {{}}\n\n")

    def close_streams(self) -> None:
        self._each(None)

    def _each(self, item: str | None) -> None:
        if self._loop is not None:
            for queue in list(self._queues):
                self._loop.call_soon_threadsafe(queue.put_nowait, item)

    def show(self, name: FromPath[str], theme: FromPath[str]) -> Response[str]:
        return _page(PAGES[name](theme))  # type: ignore[arg-type] - "light" or "dark"

    def watch(self) -> Response[str]:
        return _page(portal_page("Watch", self._region("one"), self._region("two"), frame=frame()))

    def part(self, name: FromPath[str]) -> Response[str]:
        self.fetches[name] = self.fetches.get(name, 0) + 1
        return _page(self._region(name))

    def form(self) -> Response[str]:
        form = Form(csrf="t0ken")
        body = form_element(
            form, "/slow", text_field(form, "name", "Name"), submit_button("Send", busy="Sending…")
        )
        return _page(portal_page("Form", body, frame=frame()))

    async def slow(self) -> Response[str]:
        self.posts += 1
        await asyncio.sleep(0.4)
        return _page(h.html[h.body["received"]])

    async def live(self, topics: FromQuery[str]) -> Stream:
        if self.refuse_streams:
            raise HTTPException(status_code=503)
        self.asked.append(topics)
        self._loop = asyncio.get_running_loop()
        return Stream(self._events(), media_type="text/event-stream")

    async def _events(self) -> AsyncIterator[str]:
        queue: asyncio.Queue[str | None] = asyncio.Queue()
        self._queues.add(queue)
        try:
            yield "retry: 200\n\n"
            while (item := await queue.get()) is not None:
                yield item
        finally:
            self._queues.discard(queue)

    def _region(self, name: str) -> h.Element:
        return live_region(f"topic:{name}", f"/part/{name}")[
            h.output(id=f"count-{name}")[str(self.fetches.get(name, 0))],
            h.output(id=f"seen-{name}")[str(self.sent)],
            h.input(id=f"note-{name}", aria_label="Note"),
        ]


def _page(element: Any) -> Response[str]:
    return Response(
        str(element),
        media_type="text/html",
        headers={"Content-Security-Policy": content_security_policy()},
    )
