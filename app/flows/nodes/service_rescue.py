"""trigger.service_rescue: a client or the staff want a server in its rescue system."""

from app.domain.services.facts import ServiceFacts
from app.flows.node import Effect, NodeType, Subject
from app.flows.triggers.says import Nothing, saying

node = NodeType(
    name="trigger.service_rescue",
    title="Rescue asked for",
    summary="Starts when a client or the staff want a server in its rescue system.",
    params=Nothing,
    effect=Effect.PURE,
    do=saying(ServiceFacts),
    output=ServiceFacts,
    gives=Subject.SERVICE,
    trigger="service.rescue",
    says=lambda _: "Begins with the service that is to be rescued",
    docs="""Starts the flow that is bound to the category of the service's product. Where
none is bound, it is not offered on the client's page of the service.

The output says what the service is: `=steps.begin.server`, `=steps.begin.hostname`.
""",
)
