"""`/healthz`: the process lives. `/readyz`: it can do its work. `/metrics`: for Prometheus."""

import hmac

from litestar import Response, get
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from redis.exceptions import RedisError

from app.core.errors import NotFound
from app.flows.metrics import exposition_of_runs
from app.routes.security.dependencies import Cache, Config, Db, HttpRequest


@get("/healthz", include_in_schema=False, sync_to_thread=False)
def healthz() -> dict[str, str]:
    return {"status": "ok"}


@get("/readyz", include_in_schema=False)
async def readyz(db: Db, redis: Cache) -> Response[dict[str, str]]:
    """Answer 503 until the database answers; without Redis only live updates are missing."""
    parts = {"database": "ok", "redis": "ok"}
    try:
        async with db.snapshot() as tx:
            await tx.fetchval("SELECT 1")
    except OSError:
        parts["database"] = "unreachable"
    try:
        await redis.ping()
    except (RedisError, OSError):
        parts["redis"] = "unreachable"
    return Response(parts, status_code=200 if parts["database"] == "ok" else 503)


@get("/metrics", include_in_schema=False)
async def metrics(request: HttpRequest, db: Db, settings: Config) -> Response[bytes]:
    """Show the figures of this process and of all runs to who has the token, and to nobody else.

    To others, and where no token is set, the place does not exist.
    """
    token = settings.metrics_token.get_secret_value()
    given = request.headers.get("authorization", "")
    if not token or not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
        raise NotFound("page", request.url.path)
    async with db.snapshot() as tx:
        runs = await exposition_of_runs(tx)
    return Response(generate_latest() + runs, media_type=CONTENT_TYPE_LATEST)
