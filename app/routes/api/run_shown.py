"""What the answers to all deeds on runs have in common: who did it, and the run as it is then."""

from uuid import UUID

from app.core.database import Tx
from app.domain.accounts.api_tokens import Caller
from app.flows.find import find_run
from app.flows.standing import find_standing
from app.flows.steer import By
from app.routes.api.run_json import RunDetail, detail_of


async def shown(tx: Tx, run: UUID) -> RunDetail:
    """Return a run as `GET /runs/{run}` does. Raises NotFound."""
    return detail_of(await find_run(tx, run), await find_standing(tx, run))


def by_of(caller: Caller) -> By:
    """Return whom the audit trail names."""
    return By(caller.account.id, caller.label)
