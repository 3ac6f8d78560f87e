"""Mail the provider's own people that something needs a person."""

from collections.abc import Iterable
from uuid import UUID

from app.core.database import Tx
from app.core.secrets import Vault
from app.domain.notices.queue import queue_mail

LONGEST_TEXT = 8_000
LONGEST_PARAGRAPH = 2_000


async def notify_staff(
    tx: Tx,
    vault: Vault,
    *,
    key: str,
    title: str,
    text: str,
    link: str,
    recipients: Iterable[str],
    company: str = "Slipway",
) -> list[UUID]:
    """Queue one mail to each recipient; returns their ids. Idempotent by `key`.

    Each line of `text` becomes a paragraph; `link` is a whole address or empty.
    """
    lines = (line.strip() for line in text[:LONGEST_TEXT].splitlines())
    values = {
        "company": company,
        "title": title[:200],
        "paragraphs": [line[:LONGEST_PARAGRAPH] for line in lines if line],
        "link": link,
    }
    return [
        await queue_mail(
            tx,
            vault,
            code="staff-notice",
            mail_key=f"staff:{key}:{recipient}",
            account=None,
            order=None,
            recipient=recipient,
            values=values,
        )
        for recipient in dict.fromkeys(recipients)
    ]
