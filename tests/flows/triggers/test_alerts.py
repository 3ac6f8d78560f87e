"""Alerts: Alertmanager's as it sends them, and our own notices in the same form."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from app.flows.triggers.alerts import (
    BadAlerts,
    alert_of_notice,
    read_alertmanager,
    run_of_notice,
)

NOW = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)


def sent(**changed: Any) -> dict[str, Any]:
    """One alert, as in Alertmanager's documentation."""
    return {
        "status": "firing",
        "labels": {"alertname": "HostDown", "severity": "critical", "instance": "web-1"},
        "annotations": {"summary": "web-1 is down", "description": "No answer for 5 m."},
        "startsAt": "2026-03-01T01:58:03.123456789+01:00",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus.test/graph?g0.expr=up",
        "fingerprint": "c5a7f1a4b4b3d1e0",
        **changed,
    }


def request(*alerts: dict[str, Any], **changed: Any) -> bytes:
    return msgspec.json.encode(
        {
            "version": "4",
            "groupKey": '{}:{alertname="HostDown"}',
            "truncatedAlerts": 0,
            "status": "firing",
            "receiver": "slipway",
            "groupLabels": {"alertname": "HostDown"},
            "commonLabels": {},
            "commonAnnotations": {},
            "externalURL": "http://alertmanager.test",
            "alerts": list(alerts),
            **changed,
        }
    )


def test_an_alert_of_alertmanager() -> None:
    ((key, alert),) = read_alertmanager(request(sent()))
    assert key == "alert:c5a7f1a4b4b3d1e0:2026-03-01T01:58:03.123457+01:00:firing"
    assert (alert.name, alert.status, alert.severity) == ("HostDown", "firing", "critical")
    assert (alert.summary, alert.description) == ("web-1 is down", "No answer for 5 m.")
    assert (alert.labels["instance"], alert.source) == ("web-1", "alertmanager")
    assert alert.starts_at == datetime(2026, 3, 1, 0, 58, 3, 123457, tzinfo=UTC)
    assert alert.ends_at is None
    assert alert.url.startswith("http://prometheus.test")


def test_an_alert_that_is_over() -> None:
    over = sent(status="resolved", endsAt="2026-03-01T02:10:00Z")
    ((key, alert),) = read_alertmanager(request(over))
    assert key.endswith(":resolved")
    assert alert.ends_at == datetime(2026, 3, 1, 2, 10, tzinfo=UTC)


def test_an_alert_keeps_its_key_while_it_goes_on() -> None:
    repeated = sent(annotations={"summary": "web-1 is down still"})
    again = sent(startsAt="2026-03-01T03:00:00Z")
    keys = [key for key, _ in read_alertmanager(request(sent(), repeated, again))]
    assert keys[0] == keys[1] != keys[2]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{}",
        b"[" * 100_000,
        request(sent(), version="3"),
        request(sent(status="odd")),
        request(sent(fingerprint="x" * 65)),
        request(sent(startsAt="now")),
        request(sent(labels={"alertname": 7})),
    ],
    ids=lambda raw: raw[-60:].decode(),
)
def test_anything_else_is_refused(raw: bytes) -> None:
    with pytest.raises(BadAlerts, match="not what Alertmanager sends"):
        read_alertmanager(raw)


def test_a_notice_is_an_alert_of_our_own() -> None:
    server = str(uuid4())
    payload = {
        "kind": "server.quarantined",
        "server": server,
        "order": None,
        "title": "Server r1-1 is in quarantine",
        "text": "It smells burnt.",
        "chain": [],
    }
    alert = alert_of_notice("admin.notice:server:1", payload, at=NOW)
    assert (alert.name, alert.severity, alert.source) == (
        "server.quarantined",
        "warning",
        "slipway",
    )
    assert alert.labels == {"alertname": "server.quarantined", "server": server}
    assert (alert.summary, alert.description) == (
        "Server r1-1 is in quarantine",
        "It smells burnt.",
    )
    assert alert.starts_at == NOW


def test_the_run_that_a_notice_is_about() -> None:
    run = uuid4()
    for key, name in (
        (f"halted:{run}:/:install:1", "run.halted"),
        (f"undo:{run}:/n4:2:install", "run.undo_failed"),
    ):
        alert = alert_of_notice(key, {"title": "x"}, at=NOW)
        assert (alert.name, alert.severity, alert.labels["run"]) == (name, "critical", str(run))
        assert run_of_notice(key, {}) == run
    assert run_of_notice("admin.notice:x", {"run": str(run)}) == run
    assert run_of_notice("admin.notice:halted:x", {}) is None
    assert alert_of_notice("odd", {"subject": "s"}, at=NOW).name == "admin.notice"
