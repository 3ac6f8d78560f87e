"""`/designer/drafts/ID/people`: who is here; and the windows that say that they are."""

import logging
from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import FromPath, FromQuery
from redis.asyncio import Redis
from redis.exceptions import RedisError

from app.components.designer.names import people_topic
from app.components.designer.people import Present, people
from app.core.database import Database
from app.flows.drafts.presence import Presence, arrive, leave, who_is_here
from app.routes.designer.access import DESIGNERS, DRAFT, designer_of
from app.routes.security.dependencies import Cache, Db, HttpRequest, Me, Topics
from app.routes.security.html import html
from app.routes.security.typed import typed
from app.routes.security.visit import edge_of

log = logging.getLogger(__name__)


class People(Controller):
    """Presence: nothing is lost when Redis is."""

    path = DRAFT
    guards = DESIGNERS
    include_in_schema = False

    @get("/people")
    async def show(
        self, db: Db, redis: Cache, draft: FromPath[UUID], tab: FromQuery[str] = ""
    ) -> Response[Any]:
        """Return who is here, but for the window `tab` that asks."""
        return html(people(draft, await present(redis, db, draft), tab))

    @post("/here", status_code=204)
    async def here(
        self,
        request: HttpRequest,
        redis: Cache,
        live: Topics,
        me: Me,
        draft: FromPath[UUID],
    ) -> None:
        """Say that the window `tab` is open, with `node` selected; with `gone`, that it closes."""
        db = edge_of(request.scope).database
        values = await typed(request)
        tab = values.get("tab", "")
        try:
            if values.get("gone"):
                await leave(redis, draft, tab)
                await live.publish([people_topic(draft)])
                return
            now_s = db.clock.now().timestamp()
            presence = Presence(designer_of(me).name, values.get("node", "")[:64], now_s)
            if await arrive(redis, draft, tab, presence):
                await live.publish([people_topic(draft)])
        except (RedisError, OSError, TimeoutError) as error:
            log.warning("presence waits for Redis: %s", error)


async def present(redis: Redis, db: Database, draft: UUID) -> list[Present] | None:
    """Return the open windows by name; None while Redis is away, when nobody knows."""
    try:
        found = await who_is_here(redis, draft, now_s=db.clock.now().timestamp())
    except (RedisError, OSError, TimeoutError):
        return None
    return sorted(
        (Present(tab, each.name, each.node) for tab, each in found.items()),
        key=lambda each: (each.name, each.tab),
    )
