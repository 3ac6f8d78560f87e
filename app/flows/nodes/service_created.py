"""trigger.service_created: a client has a new service."""

from app.domain.services.facts import ServiceFacts
from app.flows.node import Effect, NodeType, Subject
from app.flows.triggers.says import Nothing, saying

node = NodeType(
    name="trigger.service_created",
    title="Service created",
    summary="Starts when a service has been delivered for the first time.",
    params=Nothing,
    effect=Effect.PURE,
    do=saying(ServiceFacts),
    output=ServiceFacts,
    gives=Subject.SERVICE,
    trigger="service.created",
    says=lambda _: "Begins with the service that was delivered",
    docs="""Starts the flow that is bound to the category of the service's product, once for each
service, when it becomes active for the first time. A service that is still being delivered, and
one whose delivery is cancelled, starts nothing: until then it is the delivering flow's.

The output says what the service is: `=steps.begin.hostname`, `=steps.begin.address`.
""",
)
