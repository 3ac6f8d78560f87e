"""trigger.server_burn_in: a server that nobody has is to be burned in."""

from app.domain.inventory.server_facts import BurnInFacts
from app.flows.node import Effect, NodeType
from app.flows.triggers.says import Nothing, saying

node = NodeType(
    name="trigger.server_burn_in",
    title="Server to be burned in",
    summary="Starts when a server that nobody has is to be put under load before it is sold.",
    params=Nothing,
    effect=Effect.PURE,
    do=saying(BurnInFacts),
    output=BurnInFacts,
    trigger="server.burn_in",
    says=lambda _: "Begins with the server that is to be burned in",
    docs="""Starts each time that a burn-in begins: a person asked for it, or the settings have new
servers (`SLIPWAY_BURN_IN_NEW_HOURS`) or those that came back (`SLIPWAY_BURN_IN_RETURNED_HOURS`)
burned in. The run is about no order and no service: nobody has the server.

The output says which it is and for how long: `=steps.begin.server`, `=steps.begin.name`,
`=steps.begin.burn_in`, `=steps.begin.minutes`.
""",
)
