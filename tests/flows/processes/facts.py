"""What events say that start runs of the shipped flows."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

import msgspec

from app.domain.billing.facts import PaymentFacts
from app.domain.services.facts import ServiceFacts
from app.domain.services.states import ServiceState


def service_facts(service: UUID, order: UUID, host: str, address: str) -> Mapping[str, Any]:
    facts = ServiceFacts(
        service=service, order=order, order_number=7, account=uuid4(), email="a@example.org",
        client="Ada", product="ax-32", category=uuid4(), hostname=host, os="debian-12",
        state=ServiceState.active, server=None, server_name="", address=address,
    )  # fmt: skip
    told: Mapping[str, Any] = msgspec.to_builtins(facts)
    return told


def payment(amount_minor: int) -> Mapping[str, Any]:
    facts = {
        "payment": str(uuid4()), "invoice": str(uuid4()), "invoice_number": 1, "order": None,
        "account": str(uuid4()), "gateway": "stripe", "gateway_ref": "pi_1", "currency": "EUR",
        "amount_minor": amount_minor, "outcome": "paid", "applied_minor": amount_minor,
        "credited_minor": 0, "settled_at": "2026-11-25T12:00:00Z",
    }  # fmt: skip
    msgspec.convert(facts, PaymentFacts)
    return facts
