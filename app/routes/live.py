"""`/live`: one stream of server-sent events per page, saying which topics to look at again."""

from collections.abc import AsyncGenerator
from uuid import UUID

from litestar import get
from litestar.background_tasks import BackgroundTask
from litestar.params import FromQuery
from litestar.response import ServerSentEvent, ServerSentEventMessage

from app.core.database import Tx
from app.core.errors import Invalid
from app.core.live import Live
from app.domain.accounts.roles import is_staff
from app.domain.accounts.views import AccountView
from app.routes.security.dependencies import Db, MaybeAccount, Topics

MAX_TOPICS = 40
KEEP_ALIVE_S = 15.0
RETRY_MS = 1_000
OWNED = {
    "order": "SELECT 1 FROM client_order WHERE id = $1 AND account = $2",
    "service": "SELECT 1 FROM service WHERE id = $1 AND account = $2",
    "invoice": "SELECT 1 FROM invoice WHERE id = $1 AND account = $2",
    "account": "SELECT 1 FROM account WHERE id = $1 AND id = $2",
}
PUBLIC = frozenset({"stock"})


@get("/live", include_in_schema=False)
async def live_stream(
    db: Db, live: Topics, account: MaybeAccount, topics: FromQuery[str]
) -> ServerSentEvent:
    """Stream `event: TOPIC` for each of `topics` (comma-separated) that the visitor may watch."""
    wanted = tuple(dict.fromkeys(part for part in topics.split(",") if part))
    if not wanted or len(wanted) > MAX_TOPICS:
        raise Invalid({"topics": f"Name 1 to {MAX_TOPICS} topics, separated by commas."})
    async with db.snapshot() as tx:
        allowed = [topic for topic in wanted if await _may_watch(tx, account, topic)]
    messages = _messages(live, allowed)
    # A visitor who leaves while a message is being sent leaves the generator where it stands.
    return ServerSentEvent(
        messages, retry_duration=RETRY_MS, background=BackgroundTask(_close, messages)
    )


async def _close(messages: AsyncGenerator[ServerSentEventMessage, None]) -> None:
    await messages.aclose()


async def _may_watch(tx: Tx, account: AccountView | None, topic: str) -> bool:
    if topic in PUBLIC:
        return True
    if account is None or topic.startswith("doorbell:"):
        return False
    if is_staff(account.role):
        return True
    kind, _, key = topic.partition(":")
    try:
        subject = UUID(key)
    except ValueError:
        return False
    return kind in OWNED and await tx.fetchval(OWNED[kind], subject, account.id) is not None


async def _messages(live: Live, topics: list[str]) -> AsyncGenerator[ServerSentEventMessage, None]:
    """Yield what is rung; a comment now and then shows proxies that the stream lives.

    Ends when the process hangs up; the page then connects again, to whoever serves by then.
    """
    async with live.listen(*topics) as subscription:
        yield ServerSentEventMessage(comment="open")
        while not subscription.is_over:
            rung = await subscription.wait(KEEP_ALIVE_S)
            if not rung and not subscription.is_over:
                yield ServerSentEventMessage(comment="alive")
            for topic in sorted(rung):
                yield ServerSentEventMessage(event=topic, data="{}")
