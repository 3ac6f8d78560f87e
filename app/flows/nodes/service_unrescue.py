"""trigger.service_unrescue: a rescued server is to run its own system again."""

from app.domain.services.facts import ServiceFacts
from app.flows.node import Effect, NodeType, Subject
from app.flows.triggers.says import Nothing, saying

node = NodeType(
    name="trigger.service_unrescue",
    title="End of rescue asked for",
    summary="Starts when a rescued server is to run its own system again.",
    params=Nothing,
    effect=Effect.PURE,
    do=saying(ServiceFacts),
    output=ServiceFacts,
    gives=Subject.SERVICE,
    trigger="service.unrescue",
    says=lambda _: "Begins with the service whose rescue ends",
    docs="""Starts the flow that is bound to the category of the service's product. Where
none is bound, it is not offered on the client's page of the service.

The output says what the service is: `=steps.begin.server`, `=steps.begin.hostname`.
""",
)
