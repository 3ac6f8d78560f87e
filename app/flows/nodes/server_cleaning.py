"""trigger.server_cleaning: a server came back, and a client's data may be on its disks."""

from app.domain.inventory.server_facts import ServerFacts
from app.flows.node import Effect, NodeType
from app.flows.triggers.says import Nothing, saying

node = NodeType(
    name="trigger.server_cleaning",
    title="Server to be erased",
    summary="Starts when a server came back with a client's data on its disks.",
    params=Nothing,
    effect=Effect.PURE,
    do=saying(ServerFacts),
    output=ServerFacts,
    trigger="server.cleaning",
    says=lambda _: "Begins with the server that came back",
    docs="""Starts each time that a server goes to cleaning: its service ended, its order was
cancelled after an installation had begun, or it left quarantine or maintenance with data on it. The
run is about no order and no service: nobody has the server any more.

The output says which it is: `=steps.begin.server`, `=steps.begin.name`.
""",
)
