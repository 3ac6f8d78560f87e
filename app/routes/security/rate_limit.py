"""How often one client may do a costly thing: `guards=[limited(SIGN_UP)]`.

A counter per client and window in Redis, which all processes share. When Redis is away
requests pass: sign-in has its own count in PostgreSQL, the rest is only slower.
"""

import asyncio
from dataclasses import dataclass

import structlog
from litestar.handlers import BaseRouteHandler
from redis.exceptions import RedisError

from app.domain.accounts.throttle import network_of
from app.routes.security.refusals import TooFast
from app.routes.security.visit import Connection, Guard, address_of, edge_of

REDIS_PATIENCE_S = 0.5

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` requests in each window of `per_s` seconds from one address (IPv6: /64)."""

    name: str
    most: int
    per_s: int = 60


SIGN_IN = Limit("sign-in", 60)
SIGN_UP = Limit("sign-up", 30)
PASSWORD = Limit("password", 10)
CHECKOUT = Limit("checkout", 60)
POWER = Limit("power", 12)
WEBHOOK = Limit("webhook", 600)
API_FAILURE = Limit("api-failure", 60)


def limited(limit: Limit) -> Guard:
    """Return a guard that raises `TooFast` beyond the limit; one round trip to Redis."""

    async def guard(connection: Connection, handler: BaseRouteHandler) -> None:  # noqa: ARG001  # Litestar's signature
        await count_towards(limit, connection)

    return guard


async def count_towards(limit: Limit, connection: Connection, *, who: str | None = None) -> None:
    """Count one request of this client, or of `who`; raises `TooFast` beyond the limit."""
    edge = edge_of(connection.scope)
    now_s = int(edge.database.clock.now().timestamp())
    window = now_s // limit.per_s
    key = f"slipway:rate:{limit.name}:{who or network_of(address_of(connection))}:{window}"
    try:
        async with asyncio.timeout(REDIS_PATIENCE_S):
            pipeline = edge.redis.pipeline(transaction=False)
            pipeline.incr(key)
            pipeline.expire(key, limit.per_s)
            count, _ = await pipeline.execute()
    except (RedisError, OSError) as error:  # TimeoutError is an OSError
        log.warning("rate limit not applied", limit=limit.name, error=str(error))
        return
    if count > limit.most:
        raise TooFast(limit.name, retry_after_s=(window + 1) * limit.per_s - now_s)
