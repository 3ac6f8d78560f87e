"""Trigger nodes: pure, typed, documented; what an event said is their output."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from app.core.database import Database
from app.domain.billing.facts import PaymentFacts
from app.domain.services.facts import ServiceFacts
from app.domain.services.states import ServiceState
from app.flows.node import Done, Effect, NodeType, Step, StepFailed, Subject
from app.flows.nodes import (
    alert,
    flow_ended,
    manual,
    payment_received,
    schedule,
    service_created,
    service_terminated,
    webhook,
)
from app.flows.registry import node_types
from app.flows.triggers.alerts import Alert

NOW = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
TRIGGERS = sorted(
    (kind for kind in node_types().values() if kind.trigger), key=lambda kind: kind.name
)


def _id(value: object) -> str:
    return value.name if isinstance(value, NodeType) else str(value)


def step(**given: Any) -> Step:
    return Step(
        run=uuid4(), about=None, node="begin", scope="/", attempt=1, key="run:/:begin", memo={},
        started_at=NOW, database=Database(), tools=None, now=NOW, input=given,
    )  # fmt: skip


def output(kind: NodeType, params: dict[str, Any] | None = None, **given: Any) -> Any:
    done = kind.do(step(**given), msgspec.convert(params or {}, kind.params))
    assert isinstance(done, Done)
    assert done.port == "out"
    return done.output


def test_all_triggers_are_there() -> None:
    assert [kind.name for kind in TRIGGERS] == [
        "trigger.alert",
        "trigger.flow_ended",
        "trigger.manual",
        "trigger.order_paid",
        "trigger.payment_received",
        "trigger.schedule",
        "trigger.server_burn_in",
        "trigger.server_cleaning",
        "trigger.service_created",
        "trigger.service_reinstall",
        "trigger.service_rescue",
        "trigger.service_suspended",
        "trigger.service_terminated",
        "trigger.service_unrescue",
        "trigger.service_unsuspended",
        "trigger.webhook",
    ]
    assert len({kind.trigger for kind in TRIGGERS}) == len(TRIGGERS)


@pytest.mark.parametrize("kind", TRIGGERS, ids=lambda kind: kind.name)
def test_each_says_what_it_is(kind: NodeType) -> None:
    """Title, documentation and every parameter's description; pure but for the one that opens."""
    assert kind.title
    assert kind.summary.endswith(".")
    assert len(kind.docs) > 100
    assert kind.output is not None or kind.output_of is not None
    assert (kind.effect is Effect.PURE) == (kind.name != "trigger.order_paid")
    needed = {"path": "deploy", "cron": "0 3 * * *"}
    given = {name: text for name, text in needed.items() if name in kind.params.__struct_fields__}
    assert kind.says is not None
    assert kind.says(msgspec.convert(given, kind.params))
    schema = msgspec.json.schema(kind.params)
    (made,) = schema["$defs"].values()
    for name, field in made["properties"].items():
        assert field.get("title"), name
        assert field.get("description"), name


def test_what_runs_are_about() -> None:
    given = {kind.name: kind.gives for kind in TRIGGERS}
    services = {name for name, gives in given.items() if gives is Subject.SERVICE}
    assert services == {name for name in given if name.startswith("trigger.service_")}
    assert given["trigger.order_paid"] is Subject.ORDER
    assert given["trigger.payment_received"] is Subject.PAYMENT
    assert given["trigger.manual"] is Subject.NOTHING


SERVICE = ServiceFacts(
    service=uuid4(), order=uuid4(), order_number=7, account=uuid4(), email="a@example.org",
    client="Ada", product="ax-32", category=uuid4(), hostname="web-1", os="debian-12",
    state=ServiceState.active, server=None, server_name="", address="",
)  # fmt: skip


def test_a_service_s_facts_are_the_output() -> None:
    for kind in (service_created.node, service_terminated.node):
        assert output(kind, **msgspec.to_builtins(SERVICE)) == SERVICE


def test_an_input_that_is_no_event_fails_the_step() -> None:
    with pytest.raises(StepFailed, match="not what this trigger says") as failed:
        output(service_created.node, hostname="web-1")
    assert not failed.value.transient


def test_which_payments_start_a_flow() -> None:
    paid = {"gateway": "stripe", "outcome": "paid"}
    part = {"gateway": "bank_transfer", "outcome": "part"}
    matches = payment_received.matches
    assert [matches({}, one) for one in (paid, part)] == [True, True]
    assert [matches({"only_complete": True}, one) for one in (paid, part)] == [True, False]
    assert [matches({"gateways": ["bank_transfer"]}, one) for one in (paid, part)] == [False, True]
    facts = PaymentFacts(
        payment=uuid4(), invoice=uuid4(), invoice_number=1, order=None, account=uuid4(),
        gateway="stripe", gateway_ref="pi_1", amount_minor=100, currency="EUR", outcome="paid",
        applied_minor=100, credited_minor=0, settled_at=NOW,
    )  # fmt: skip
    assert output(payment_received.node, **msgspec.to_builtins(facts)) == facts


def test_by_hand_gives_what_was_typed() -> None:
    assert output(manual.node, host="web-1", days=7) == {"host": "web-1", "days": 7}


def test_a_schedule_gives_its_tick() -> None:
    params = {"cron": "0 3 * * *", "data": {"days": 7}}
    told = output(
        schedule.node, params, scheduled_at="2026-03-01T01:00:00Z", fired_at="2026-03-01T01:00:02Z"
    )
    assert told.scheduled_at == datetime(2026, 3, 1, 1, tzinfo=UTC)
    assert told.fired_at == datetime(2026, 3, 1, 1, 0, 2, tzinfo=UTC)
    assert told.data == {"days": 7}
    by_hand = output(schedule.node, params)
    assert (by_hand.scheduled_at, by_hand.fired_at) == (NOW, NOW)
    with pytest.raises(StepFailed, match="cannot be read"):
        output(schedule.node, params, scheduled_at="yesterday")


@pytest.mark.parametrize(
    ("kind", "params", "problem"),
    [
        (schedule.node, {"cron": "x"}, "write minute, hour"),
        (schedule.node, {"cron": "0 3 * * *", "timezone": "Mars"}, "no time zone"),
        (schedule.node, {"cron": "0 3 * * *", "grace": "soon"}, "not a duration"),
        (schedule.node, {"cron": "0 3 * * *", "misfire": "twice"}, "misfire"),
        (webhook.node, {"path": "/a"}, "path"),
        (webhook.node, {"path": "a//b"}, "path"),
        (webhook.node, {"path": "a/../b"}, "path"),
        (webhook.node, {"path": "a", "auth": "hmac"}, "authentication needs a connection"),
        (webhook.node, {"path": "a", "methods": []}, "methods"),
        (webhook.node, {"path": "a", "window": "long"}, "not a duration"),
        (webhook.node, {"path": "a", "header": "X: y"}, "header"),
        (webhook.node, {"path": "a", "delivery_field": "$..id"}, "delivery_field"),
        (flow_ended.node, {"outcomes": []}, "outcomes"),
    ],
    ids=_id,
)
def test_parameters_that_cannot_be_are_told(
    kind: NodeType, params: dict[str, Any], problem: str
) -> None:
    with pytest.raises(msgspec.ValidationError, match=problem):
        msgspec.convert(params, kind.params)


def test_a_webhook_gives_the_call() -> None:
    told = output(webhook.node, {"path": "a"}, method="POST", body={"a": 1}, headers={"x": "y"})
    assert (told.method, told.body, told.headers, told.query) == ("POST", {"a": 1}, {"x": "y"}, {})
    assert output(webhook.node, {"path": "a"}).body is None


ALERT = {
    "name": "HostDown",
    "severity": "critical",
    "status": "firing",
    "labels": {"datacentre": "fra1", "team": "net"},
}


@pytest.mark.parametrize(
    ("params", "is_taken"),
    [
        ({}, True),
        ({"names": ["DiskFull", "HostDown"]}, True),
        ({"names": ["Host*"]}, True),
        ({"names": ["hostdown"]}, False),
        ({"severity": ["warning", "critical"]}, True),
        ({"severity": ["warning"]}, False),
        ({"labels": {"datacentre": "fra*", "team": "net"}}, True),
        ({"labels": {"datacentre": "ams*"}}, False),
        ({"labels": {"rack": "*"}}, False),
        ({"status": "resolved"}, False),
        ({"status": "any"}, True),
        ({"source": "alertmanager"}, True),
        ({"source": "slipway"}, False),
    ],
    ids=_id,
)
def test_which_alerts_start_a_flow(params: dict[str, Any], is_taken: bool) -> None:
    assert alert.matches(params, ALERT) is is_taken
    assert output(alert.node, params, **ALERT) == msgspec.convert(ALERT, Alert)


def test_which_ends_start_a_flow() -> None:
    ended = {"flow": "dedicated-server", "outcome": "failed"}
    assert not flow_ended.matches({}, ended)
    assert flow_ended.matches({"outcomes": ["failed", "cancelled"]}, ended)
    assert not flow_ended.matches({"outcomes": ["failed"], "flows": ["other"]}, ended)
    facts = {
        "run": str(UUID(int=1)), "flow": "a", "flow_name": "A", "version": 1, "outcome": "failed",
        "subject": None, "subject_kind": "nothing", "input": {}, "output": None, "error": "no",
        "created_at": "2026-03-01T01:00:00Z", "finished_at": "2026-03-01T01:01:00Z",
    }  # fmt: skip
    assert output(flow_ended.node, **facts).run == UUID(int=1)
