"""What a server's power should be, and since when it is not."""

from datetime import UTC, datetime, timedelta

import pytest

from app.domain.inventory.power_rule import SETTLES, drifts_since, wanted_power
from app.domain.inventory.states import ServerState
from app.domain.services.states import ServiceState
from app.drivers.power import Power

NOON = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
LONG_AGO = NOON - timedelta(days=1)
BEFORE = NOON - timedelta(minutes=3)
ON, OFF, UNKNOWN = Power.ON, Power.OFF, Power.UNKNOWN


def test_only_a_services_server_is_judged() -> None:
    told = {
        (server, service): wanted
        for server in ServerState
        for service in (None, *ServiceState)
        if (wanted := wanted_power(server, service)) is not None
    }
    assert told == {
        (ServerState.active, ServiceState.active): ON,
        (ServerState.active, ServiceState.suspended): OFF,
    }


@pytest.mark.parametrize(
    ("seen", "wanted", "changed_at", "before", "since"),
    [
        pytest.param(OFF, ON, LONG_AGO, None, NOON, id="off-now"),
        pytest.param(ON, OFF, LONG_AGO, None, NOON, id="on-now"),
        pytest.param(OFF, ON, LONG_AGO, BEFORE, BEFORE, id="off-since"),
        pytest.param(ON, ON, LONG_AGO, BEFORE, None, id="put-right"),
        pytest.param(UNKNOWN, ON, LONG_AGO, BEFORE, BEFORE, id="not-said"),
        pytest.param(UNKNOWN, ON, LONG_AGO, None, None, id="never-said"),
        pytest.param(OFF, None, LONG_AGO, BEFORE, None, id="not-judged"),
        pytest.param(ON, OFF, NOON - SETTLES + timedelta(seconds=1), None, None, id="flow-at-work"),
        pytest.param(ON, OFF, NOON - SETTLES, None, NOON, id="flow-had-its-time"),
        pytest.param(OFF, ON, None, None, None, id="no-service"),
    ],
)
def test_since_when_it_is_not_as_it_should_be(
    seen: Power,
    wanted: Power | None,
    changed_at: datetime | None,
    before: datetime | None,
    since: datetime | None,
) -> None:
    assert drifts_since(seen, wanted, changed_at=changed_at, before=before, now=NOON) == since
