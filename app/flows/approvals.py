"""Whose decision a waiting step asks for."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.errors import Refusal
from app.domain.accounts.roles import Role, may_decide
from app.flows.nodes.approval import Params

APPROVAL = "logic.approval"


class NotYoursToDecide(Refusal):
    code = "flow.not_yours_to_decide"

    def __init__(self, node: str, *, asked: str) -> None:
        super().__init__(
            f"{node} asks for the decision of the role {asked}; someone of that role, or an "
            "owner, decides."
        )
        self.node = node
        self.asked = asked


def asked_role(given: Mapping[str, Any]) -> str:
    """Return the role that an approval asks, from its parameters as they are recorded.

    What a flow leaves out is not in the record: then it is the node type's usual role.
    """
    return str(given.get("role") or _usual())


async def require_decider(tx: Tx, run: UUID, *, scope: str, node: str, role: Role) -> None:
    """Raise NotYoursToDecide when the step asks for another role; an owner always decides.

    Of a step that asks for nothing, this says nothing. One look-up by unique index.
    """
    given = await tx.fetchval(
        "SELECT input FROM step_attempt WHERE run = $1 AND scope = $2 AND node = $3 "
        f"AND type = '{APPROVAL}' ORDER BY attempt DESC LIMIT 1",
        run,
        scope,
        node,
    )
    if given is None:
        return
    asked = asked_role(msgspec.json.decode(given))
    if not may_decide(role, asked):
        raise NotYoursToDecide(node, asked=asked)


@lru_cache(maxsize=1)
def _usual() -> str:
    (role,) = (field for field in msgspec.structs.fields(Params) if field.name == "role")
    return str(role.default)
