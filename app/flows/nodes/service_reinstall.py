"""trigger.service_reinstall: a client or the staff want a server installed anew."""

from app.domain.services.ask import ReinstallFacts
from app.flows.node import Effect, NodeType, Subject
from app.flows.triggers.says import Nothing, saying

node = NodeType(
    name="trigger.service_reinstall",
    title="Reinstall asked for",
    summary="Starts when a client or the staff want a server installed anew.",
    params=Nothing,
    effect=Effect.PURE,
    do=saying(ReinstallFacts),
    output=ReinstallFacts,
    gives=Subject.SERVICE,
    trigger="service.reinstall",
    says=lambda _: "Begins with the service whose system is wanted anew",
    docs="""Starts the flow that is bound to the category of the service's product. Where
none is bound, it is not offered on the client's page of the service.

The output says which system is wanted: `=steps.begin.wanted_os`, and what the service is.
""",
)
