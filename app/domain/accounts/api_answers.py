"""What programs were answered under an `Idempotency-Key`: asked again, the same answer.

The row is written in the transaction of the deed itself: either both are there, or neither.
"""

from datetime import timedelta
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.errors import Refusal
from app.core.ids import new_id

KEPT = timedelta(hours=24)
LONGEST_KEY = 200


class KeyReused(Refusal):
    """The key was used for another request; `key` is that key."""

    code = "api.key_reused"

    def __init__(self, key: str) -> None:
        super().__init__(
            f"The Idempotency-Key {key} came with another request before. "
            "Use a new key for each thing that is to be done once."
        )
        self.key = key


class Answer(msgspec.Struct, frozen=True):
    """An HTTP answer as it was sent."""

    status: int
    headers: dict[str, str]
    body: bytes


async def claim_answer(tx: Tx, account: UUID, key: str, request_hash: bytes) -> Answer | None:
    """Return what `key` was answered; None claims it, to be told by `keep_answer`.

    While another transaction is at the same key, this waits for its end. Raises `KeyReused`
    when the key stands for another request. Keys are forgotten after `KEPT`.
    """
    claimed = await tx.fetchval(
        "INSERT INTO api_answer (id, account, key, request_hash, at) VALUES ($1, $2, $3, $4, $5) "
        "ON CONFLICT (account, key) DO UPDATE SET request_hash = EXCLUDED.request_hash, "
        "status = 0, at = EXCLUDED.at WHERE api_answer.at <= $6 RETURNING id",
        new_id(),
        account,
        key,
        request_hash,
        tx.now(),
        tx.now() - KEPT,
    )
    if claimed is not None:
        return None
    row = await tx.fetchrow(
        "SELECT request_hash, status, headers, body FROM api_answer "
        "WHERE account = $1 AND key = $2",
        account,
        key,
    )
    if row is None or row["request_hash"] != request_hash:
        raise KeyReused(key)
    return Answer(row["status"], msgspec.json.decode(row["headers"]), row["body"])


async def keep_answer(tx: Tx, account: UUID, key: str, answer: Answer) -> None:
    """Keep what the claimed key is answered."""
    await tx.execute(
        "UPDATE api_answer SET status = $3, headers = $4, body = $5 "
        "WHERE account = $1 AND key = $2",
        account,
        key,
        answer.status,
        msgspec.json.encode(answer.headers).decode(),
        answer.body,
    )
