"""What a cloud said of a failure, where the node itself has forgotten it."""

from typing import Any, cast
from uuid import uuid4

import pytest

from app.drivers.metal.contract import NodeRef, WorkFailed
from app.drivers.metal.ironic import life
from app.drivers.metal.ironic.api import Api
from app.drivers.secret import Secret


class Told:
    """Ironic's answers about a node whose rescue failed, before a power sync wiped why."""

    name = "fra-ironic"

    async def get(self, path: str, **_: str) -> Any:
        if path.endswith("/history"):
            older = {"created_at": "2024-05-01T10:00:00", "event": "it was cleaned"}
            newer = {"created_at": "2024-05-02T10:00:00", "event": "the ramdisk never called back"}
            return {"history": [newer, older]}
        if path.startswith("/allocations"):
            return {"uuid": "instance-1", "state": "active"}
        return {
            "uuid": "node-1",
            "instance_uuid": "instance-1",
            "provision_state": "rescue failed",
            "last_error": None,
        }


async def test_why_a_rescue_failed_is_told_from_the_history() -> None:
    ref = NodeRef("node-1", uuid4())
    with pytest.raises(WorkFailed, match="rescue failed: the ramdisk never called back"):
        await life.rescue(cast(Api, Told()), ref, Secret("only now"), {"asked": "rescue"})
