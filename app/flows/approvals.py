"""Whose decision a waiting step asks for."""

from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.errors import Refusal
from app.domain.accounts.roles import Role
from app.flows.nodes.approval import Params


class NotYoursToDecide(Refusal):
    code = "flow.not_yours_to_decide"

    def __init__(self, node: str, *, asked: str) -> None:
        super().__init__(
            f"{node} asks for the decision of the role {asked}; someone of that role, or an "
            "owner, decides."
        )
        self.node = node
        self.asked = asked


async def require_decider(tx: Tx, run: UUID, *, scope: str, node: str, role: Role) -> None:
    """Raise NotYoursToDecide when the step asks for another role; an owner always decides.

    Of a step that asks for nothing, this says nothing. One look-up by unique index.
    """
    if role is Role.OWNER:
        return
    given = await tx.fetchval(
        "SELECT input FROM step_attempt WHERE run = $1 AND scope = $2 AND node = $3 "
        "AND type = 'logic.approval' ORDER BY attempt DESC LIMIT 1",
        run,
        scope,
        node,
    )
    if given is None:
        return
    asked = msgspec.json.decode(given).get("role") or _usual()
    if asked != role.value:
        raise NotYoursToDecide(node, asked=asked)


def _usual() -> str:
    """Return the role that is asked when the flow names none."""
    (role,) = (field for field in msgspec.structs.fields(Params) if field.name == "role")
    return str(role.default)
