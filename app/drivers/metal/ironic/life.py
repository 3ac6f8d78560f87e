"""What is done to a node that a service has: its power, a rescue system."""

from typing import Any

from app.drivers.errors import NotReached, Refused
from app.drivers.metal.contract import MetalNode, NodeRef, Stage, WorkFailed, Working
from app.drivers.metal.ironic import nodes
from app.drivers.metal.ironic.api import Api, node_path
from app.drivers.metal.ironic.enrol import AGAIN_S
from app.drivers.metal.ironic.install import owned
from app.drivers.metal.ironic.words import Locked
from app.drivers.power import Power
from app.drivers.secret import Secret

SOFT_OFF = "soft power off"
SOFT_S = 300
"""How long a system that was asked to stop may take."""
LOOKS = 5
"""How often the power may be found unchanged, nothing being under way, before that is an error."""
_TARGETS = {Power.ON: "power on", Power.OFF: "power off"}


async def power(
    api: Api, ref: NodeRef, wanted: Power, memo: dict[str, Any], *, soft: bool
) -> MetalNode | Working:
    row = await owned(api, ref)
    node = nodes.view(row)
    if node.is_switching or (node.stage is Stage.WORKING and node.power is not wanted):
        return Working(memo, AGAIN_S, f"the cloud says {node.state}, {row['power_state']}")
    if node.power is wanted:
        return node
    asked = memo.get("asked")
    if asked == SOFT_OFF and (node.error or memo["looks"] >= LOOKS):
        asked = None  # the power is taken away
        soft = False
    if asked is None:
        target = SOFT_OFF if soft and wanted is Power.OFF else _TARGETS[wanted]
        return await _switch(api, row, target, says="its power is switched")
    if node.error:
        raise WorkFailed(api.name, state=f"asked for {asked}", words=node.error)
    if memo["looks"] >= LOOKS:
        raise NotReached(
            api.name, wanted=asked, seen=str(row["power_state"]), deadline_s=LOOKS * AGAIN_S
        )
    return Working({**memo, "looks": memo["looks"] + 1}, AGAIN_S, "its power is switched")


async def reboot(api: Api, ref: NodeRef, memo: dict[str, Any]) -> MetalNode | Working:
    row = await owned(api, ref)
    node = nodes.view(row)
    if node.is_switching or node.stage is Stage.WORKING:
        return Working(memo, AGAIN_S, f"the cloud says {node.state}, {row['power_state']}")
    if "asked" not in memo:
        target = "power on" if node.power is Power.OFF else "rebooting"
        return await _switch(api, row, target, says="it is restarted")
    if node.error:
        raise WorkFailed(api.name, state=f"asked for {memo['asked']}", words=node.error)
    return await power(api, ref, Power.ON, memo, soft=False)


async def _switch(api: Api, row: dict[str, Any], target: str, *, says: str) -> Working:
    body: dict[str, Any] = {"target": target}
    if target == SOFT_OFF:
        body["timeout"] = SOFT_S
    try:
        await api.put(f"{node_path(row['uuid'])}/states/power", body)
    except Locked:
        return Working({}, AGAIN_S, "the cloud is busy with it")
    except Refused:
        if target != SOFT_OFF:
            raise
        # Its driver cannot ask the system (`snmp`, `manual-management`).
        return await _switch(api, row, _TARGETS[Power.OFF], says=says)
    return Working({"asked": target, "looks": 0}, AGAIN_S, says)


async def rescue(
    api: Api, ref: NodeRef, password: Secret, memo: dict[str, Any]
) -> MetalNode | Working:
    row = await owned(api, ref)
    secret = {"rescue_password": password.reveal()}
    return await _pass_to(api, row, memo, wanted="rescue", target="rescue", **secret)


async def unrescue(api: Api, ref: NodeRef, memo: dict[str, Any]) -> MetalNode | Working:
    row = await owned(api, ref)
    return await _pass_to(api, row, memo, wanted="active", target="unrescue")


async def _pass_to(
    api: Api,
    row: dict[str, Any],
    memo: dict[str, Any],
    *,
    wanted: str,
    target: str,
    **more: str,
) -> MetalNode | Working:
    state = row["provision_state"]
    if state == wanted:
        return nodes.view(row)
    stage = nodes.stage_of(state)
    if stage is Stage.WORKING:
        return Working({**memo, "asked": target}, AGAIN_S, f"the cloud says {state}")
    if stage is Stage.FAILED and memo.get("asked") == target:
        raise await nodes.failure(api, row)
    try:
        body = {"target": target, **more}
        await api.put(f"{node_path(row['uuid'])}/states/provision", body)
    except Locked:
        return Working(memo, AGAIN_S, "the cloud is busy with it")
    return Working({**memo, "asked": target}, AGAIN_S, f"the cloud was asked to {target}")
