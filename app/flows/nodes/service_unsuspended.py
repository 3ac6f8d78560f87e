"""trigger.service_unsuspended: a suspended service is to run again."""

from app.domain.services.facts import ServiceFacts
from app.flows.node import Effect, NodeType, Subject
from app.flows.triggers.says import Nothing, saying

node = NodeType(
    name="trigger.service_unsuspended",
    title="Service unsuspended",
    summary="Starts when a suspended service is active again; its flow switches it on.",
    params=Nothing,
    effect=Effect.PURE,
    do=saying(ServiceFacts),
    output=ServiceFacts,
    gives=Subject.SERVICE,
    trigger="service.unsuspended",
    says=lambda _: "Begins with the service that is active again",
    docs="""Starts the flow that is bound to the category of the service's product, once for each
time that a suspended service is made active again. Where no flow is bound, the staff are told that
nothing was switched on.

The output says what the service is: `=steps.begin.server`, `=steps.begin.hostname`.
""",
)
