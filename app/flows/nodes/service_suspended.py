"""trigger.service_suspended: a service is to be switched off for a while."""

from app.domain.services.facts import ServiceFacts
from app.flows.node import Effect, NodeType, Subject
from app.flows.triggers.says import Nothing, saying

node = NodeType(
    name="trigger.service_suspended",
    title="Service suspended",
    summary="Starts when a service is suspended; its flow switches it off.",
    params=Nothing,
    effect=Effect.PURE,
    do=saying(ServiceFacts),
    output=ServiceFacts,
    gives=Subject.SERVICE,
    trigger="service.suspended",
    says=lambda _: "Begins with the service that was suspended",
    docs="""Starts the flow that is bound to the category of the service's product, once for each
time that a service is suspended. Suspending only says that the service is off: this flow makes it
so. Where no flow is bound, the staff are told that nothing was switched off.

The output says what the service was then, and why it was suspended: `=steps.begin.reason`.
""",
)
