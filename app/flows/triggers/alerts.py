"""Alerts: Alertmanager's and our own, in one form."""

import re
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec

from app.core.errors import Refusal

_RUN_OF_KEY = re.compile(r"(halted|undo):([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}):")
_NAME_OF_KEY = {"halted": "run.halted", "undo": "run.undo_failed"}
_SEVERITY = {
    "run.halted": "critical",
    "run.undo_failed": "critical",
    "order.failed": "critical",
    "service.unserved": "critical",
    "payment.credited": "info",
}


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """Something needs a person, or does no longer."""

    name: str
    """`alertname` of Alertmanager; of our own for example `run.halted`, `server.quarantined`."""
    status: str = "firing"
    """`firing` or `resolved`; our own are never resolved."""
    severity: str = "warning"
    """The label of that name; our own are `info`, `warning` or `critical`."""
    summary: str = ""
    description: str = ""
    source: str = "alertmanager"
    """`alertmanager` or `slipway`."""
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    fingerprint: str = ""
    url: str = ""


class BadAlerts(Refusal):
    code = "hooks.bad_alerts"

    def __init__(self, reason: str) -> None:
        super().__init__(f"This is not what Alertmanager sends (version 4): {reason}")


class _Sent(msgspec.Struct, frozen=True, rename="camel"):
    status: Literal["firing", "resolved"]
    labels: dict[str, str]
    fingerprint: Annotated[str, msgspec.Meta(max_length=64)]
    starts_at: datetime
    ends_at: datetime | None = None
    annotations: dict[str, str] = {}
    generator_url: str = msgspec.field(name="generatorURL", default="")


class _Envelope(msgspec.Struct, frozen=True):
    version: Literal["4"]
    alerts: list[_Sent]


def read_alertmanager(raw: bytes) -> list[tuple[str, Alert]]:
    """Return the alerts of a request of Alertmanager, each with the key that it always has.

    Alertmanager repeats what goes on firing, and several of them send the same: one alert is
    one by its labels (the fingerprint), its beginning and its status. Raises BadAlerts.
    Source: Alertmanager's documentation, `<webhook_config>`, version 4.
    """
    try:
        envelope = msgspec.json.decode(raw, type=_Envelope)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadAlerts(str(error)) from error
    return [(_key(sent), _alert(sent)) for sent in envelope.alerts]


def alert_of_notice(key: str, payload: dict[str, Any], *, at: datetime) -> Alert:
    """Return a notice to the staff as an alert; its labels are the plain facts of the notice."""
    found = _RUN_OF_KEY.match(key)
    name = payload.get("kind") or (_NAME_OF_KEY[found[1]] if found else "admin.notice")
    words = ("kind", "title", "text", "path", "chain", "severity")
    labels = {fact: str(value) for fact, value in payload.items() if fact not in words and value}
    if run := run_of_notice(key, payload):
        labels["run"] = str(run)
    return Alert(
        name=name,
        severity=payload.get("severity") or _SEVERITY.get(name, "warning"),
        summary=payload.get("title") or payload.get("subject") or "",
        description=payload.get("text", ""),
        source="slipway",
        labels={"alertname": name, **labels},
        starts_at=at,
        fingerprint=key,
    )


def run_of_notice(key: str, payload: dict[str, Any]) -> UUID | None:
    """Return the run that a notice is about."""
    found = _RUN_OF_KEY.match(key)
    named = payload.get("run") or (found[2] if found else None)
    return UUID(named) if named else None


def _key(sent: _Sent) -> str:
    return f"alert:{sent.fingerprint}:{sent.starts_at.isoformat()}:{sent.status}"


def _alert(sent: _Sent) -> Alert:
    over = sent.ends_at if sent.status == "resolved" else None
    return Alert(
        name=sent.labels.get("alertname", ""),
        status=sent.status,
        severity=sent.labels.get("severity", ""),
        summary=sent.annotations.get("summary", ""),
        description=sent.annotations.get("description", ""),
        labels=sent.labels,
        annotations=sent.annotations,
        starts_at=sent.starts_at,
        ends_at=over,
        fingerprint=sent.fingerprint,
        url=sent.generator_url,
    )
