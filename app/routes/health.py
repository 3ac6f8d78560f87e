"""`/healthz`: the process lives. `/readyz`: it can do its work. `/metrics`: Prometheus."""

from litestar import Response, get
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from redis.exceptions import RedisError

from app.routes.security.dependencies import Cache, Db


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


@get("/metrics", include_in_schema=False, sync_to_thread=False)
def metrics() -> Response[bytes]:
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
