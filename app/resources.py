"""What a process holds open: database, Redis, live topics, vault. Made by the composition roots."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff

from app.core.clock import Clock
from app.core.database import Database
from app.core.embedded.postgres import EmbeddedPostgres
from app.core.embedded.redis import EmbeddedRedis
from app.core.live import EVERYTHING, Live
from app.core.secrets import Vault, key_from_file
from app.settings import Settings

MAX_REDIS_CONNECTIONS = 64


@dataclass(frozen=True, slots=True)
class Servers:
    """Where PostgreSQL and Redis are, and the embedded ones that this process may have to stop."""

    database_url: str
    redis_url: str
    embedded: tuple[EmbeddedPostgres | EmbeddedRedis, ...]

    def stop(self) -> None:
        for server in self.embedded:
            server.stop()


def start_servers(settings: Settings) -> Servers:
    """Use the servers of the settings; start an embedded one for each that is not named."""
    embedded: list[EmbeddedPostgres | EmbeddedRedis] = []
    database_url, redis_url = settings.database_url, settings.redis_url
    try:
        if not database_url:
            postgres = EmbeddedPostgres(settings.data_dir)
            embedded.append(postgres)
            database_url = postgres.dsn
        if not redis_url:
            redis = EmbeddedRedis(settings.data_dir)
            embedded.append(redis)
            redis_url = redis.url
    except BaseException:
        for server in embedded:
            server.stop()
        raise
    return Servers(database_url, redis_url, tuple(embedded))


def open_vault(settings: Settings) -> Vault:
    keys = [key.strip() for key in settings.keys.get_secret_value().split(",") if key.strip()]
    return Vault(keys or [key_from_file(settings.data_dir / "key")])


def open_redis(url: str) -> Redis:
    client: Redis = Redis.from_url(
        url,
        max_connections=MAX_REDIS_CONNECTIONS,
        retry=Retry(ExponentialBackoff(cap=1.0, base=0.05), retries=3),
    )
    return client


@dataclass(frozen=True, slots=True)
class Resources:
    """A process's open resources."""

    settings: Settings
    database: Database
    redis: Redis
    live: Live
    vault: Vault


@contextlib.asynccontextmanager
async def open_resources(
    settings: Settings,
    servers: Servers,
    *,
    clock: Clock | None = None,
    pool_size: int = 16,
    hears: str = EVERYTHING,
) -> AsyncIterator[Resources]:
    """Open everything, and close it in reverse order on leaving. `hears`: see `Live`."""
    redis = open_redis(servers.redis_url)
    live = Live(redis, hears=hears)
    database = Database(clock, after_commit=live.publish)
    try:
        await database.open(servers.database_url, max_size=pool_size)
        await live.start()
        yield Resources(settings, database, redis, live, open_vault(settings))
    finally:
        await live.stop()
        await database.close()
        await redis.aclose()
