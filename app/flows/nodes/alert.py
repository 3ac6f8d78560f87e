"""trigger.alert: something needs looking after."""

from collections.abc import Collection, Mapping
from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal

import msgspec

from app.flows.node import Effect, NodeType
from app.flows.triggers.alerts import Alert
from app.flows.triggers.says import saying


class Params(msgspec.Struct, frozen=True):
    """Which alerts start the flow; what is left empty lets all of them through."""

    names: Annotated[
        tuple[str, ...],
        msgspec.Meta(
            title="Names",
            description="Names of alerts; `*` stands for anything.",
            examples=[["HostDown", "run.*"]],
        ),
    ] = ()
    severity: Annotated[
        tuple[str, ...],
        msgspec.Meta(
            title="Severity",
            description="Severities, as the alerts call them.",
            examples=[["critical"]],
        ),
    ] = ()
    labels: Annotated[
        dict[str, str],
        msgspec.Meta(
            title="Labels",
            description="Labels that an alert must have, all of them; `*` stands for anything.",
            examples=[{"datacentre": "fra*", "team": "network"}],
        ),
    ] = {}
    status: Annotated[
        Literal["firing", "resolved", "any"],
        msgspec.Meta(title="Status", description="Whether it has begun, is over, or both."),
    ] = "firing"
    source: Annotated[
        Literal["any", "alertmanager", "slipway"],
        msgspec.Meta(title="Source", description="Who says so."),
    ] = "any"


def matches(config: Any, data: Mapping[str, Any], led_by: Collection[str] = ()) -> bool:
    """Return whether an alert starts the flow; one that an alert led to starts none.

    Of flows that all listen to alerts, and all halt, each would hear of each other's halt, and
    of what comes of that.
    """
    params, alert = msgspec.convert(config, Params), msgspec.convert(data, Alert)
    return (
        "alert" not in led_by
        and params.status in ("any", alert.status)
        and params.source in ("any", alert.source)
        and (not params.severity or alert.severity in params.severity)
        and (not params.names or any(fnmatchcase(alert.name, one) for one in params.names))
        and all(
            name in alert.labels and fnmatchcase(alert.labels[name], wanted)
            for name, wanted in params.labels.items()
        )
    )


node = NodeType(
    name="trigger.alert",
    title="Alert",
    summary="Starts when an alert fires: one of Alertmanager's, or one of Slipway's own.",
    params=Params,
    effect=Effect.PURE,
    do=saying(Alert),
    output=Alert,
    trigger="alert",
    says=lambda _: "Begins with the alert",
    docs="""Alertmanager sends its alerts to `/webhooks/alertmanager`, with the token of the
settings (`SLIPWAY_ALERT_TOKEN`). Slipway's own are the notices that staff get by mail:
`run.halted`, `run.undo_failed`, `server.quarantined`, `server.not_burned_in`, `order.failed`,
`order.waits_for_stock`, `payment.unknown` and the like.

```json
{"names": ["HostDown"], "severity": ["critical"], "labels": {"datacentre": "fra*"}}
```
An alert that goes on firing starts one run, however often it is repeated; when it fires again after
it was over, that is another. Alerts about a run that an alert had started start nothing; people
are mailed all the same. So a run that halts cannot call itself, or another, again and again.
""",
)
