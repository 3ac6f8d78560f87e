"""trigger.service_terminated: a service is over, and what it had is to be given back."""

from app.domain.services.facts import ServiceFacts
from app.flows.node import Effect, NodeType, Subject
from app.flows.triggers.says import Nothing, saying

node = NodeType(
    name="trigger.service_terminated",
    title="Service terminated",
    summary="Starts when a service that was delivered ends; its flow gives back what it had.",
    params=Nothing,
    effect=Effect.PURE,
    do=saying(ServiceFacts),
    output=ServiceFacts,
    gives=Subject.SERVICE,
    trigger="service.terminated",
    says=lambda _: "Begins with the service that ended",
    docs="""Starts the flow that is bound to the category of the service's product, once for each
service that ends after it was delivered. One that never was starts nothing: its order was
cancelled, and the run that was delivering it gives everything back. Where no flow is bound, the
staff are told that nothing was given back.

The output says what the service was in its last moment, its server and address among it.
""",
)
