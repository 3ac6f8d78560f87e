"""What a cloud said of a failure, and where the node itself has forgotten it."""

from typing import Any, cast
from uuid import uuid4

import pytest

from app.drivers.errors import NotReached, Refused
from app.drivers.metal.contract import NodeRef, WorkFailed, Working
from app.drivers.metal.ironic import life
from app.drivers.metal.ironic.api import Api
from app.drivers.power import Power
from app.drivers.secret import Secret

REF = NodeRef("node-1", uuid4())
NODE = {
    "uuid": "node-1",
    "name": "box1",
    "instance_uuid": "instance-1",
    "provision_state": "active",
    "power_state": "power on",
    "target_power_state": None,
    "last_error": None,
    "maintenance": False,
    "maintenance_reason": None,
    "fault": None,
    "automated_clean": None,
    "resource_class": "baremetal",
    "driver": "redfish",
    "extra": {},
}
NEWER = {"created_at": "2024-05-02T10:00:00", "event": "the ramdisk never called back"}
OLDER = {"created_at": "2024-05-01T10:00:00", "event": "it was cleaned"}


class Told:
    """Ironic's answers about a node."""

    name = "fra-ironic"

    def __init__(self, **node: Any) -> None:
        self._node = NODE | node
        self.asked: list[str] = []

    async def put(self, _: str, body: dict[str, Any]) -> None:
        self.asked.append(body["target"])
        if body["target"].startswith("soft"):
            reason = "The driver snmp does not support the power state, soft power off"
            raise Refused(self.name, field="request", reason=reason)

    async def get(self, path: str, **_: str) -> Any:
        if path.endswith("/history"):
            return {"history": [NEWER, OLDER]}
        if path.startswith("/allocations"):
            return {"uuid": "instance-1", "state": "active"}
        return self._node


def told(**node: Any) -> Api:
    return cast(Api, Told(**node))


async def test_why_a_rescue_failed_is_told_from_the_history() -> None:
    """A power sync wipes `last_error`."""
    api = told(provision_state="rescue failed")
    with pytest.raises(WorkFailed, match="rescue failed: the ramdisk never called back"):
        await life.rescue(api, REF, Secret("only now"), {"asked": "rescue"})


async def test_why_the_power_was_not_switched_is_told_and_that_nothing_came_of_it() -> None:
    asked = {"asked": "power off", "looks": 0}
    words = "Failed to change power state to 'power off' by 'power off': HTTP 500"
    with pytest.raises(WorkFailed, match=r"asked for power off: Failed to change .* HTTP 500"):
        await life.power(told(last_error=words), REF, Power.OFF, asked, soft=False)
    with pytest.raises(NotReached, match="asked for power off, still power on"):
        await life.power(told(), REF, Power.OFF, asked | {"looks": life.LOOKS}, soft=False)


async def test_a_machine_whose_driver_cannot_ask_it_to_stop_loses_its_power() -> None:
    cloud = Told()
    working = await life.power(cast(Api, cloud), REF, Power.OFF, {}, soft=True)
    assert isinstance(working, Working)
    assert working.memo["asked"] == "power off"
    assert cloud.asked == ["soft power off", "power off"]
