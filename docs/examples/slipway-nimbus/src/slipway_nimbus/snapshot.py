"""nimbus.snapshot: keep the disk of a service's machine as it is now."""

from typing import Annotated, Any

import msgspec

from app.drivers.hypervisor.contract import HypervisorPeer
from app.flows.intent import intended
from app.flows.machines import Connection, Service, machine_at, where
from app.flows.node import Done, Effect, NodeType, Resource, Step, StepFailed
from slipway_nimbus.api import Api
from slipway_nimbus.machine import find_row, need_row


class Params(msgspec.Struct, frozen=True, kw_only=True):
    connection: Connection = ""
    service: Service = None


class Output(msgspec.Struct, frozen=True):
    snapshot: Annotated[str, msgspec.Meta(description="Its id at Nimbus.")]


async def do(step: Step, params: Params) -> Done:
    """Idempotent: Nimbus takes one snapshot of a label, and answers with it when asked again."""
    at = await machine_at(step, params.connection, params.service)
    api = await _api(step, at.connection)
    row = await need_row(api, at.ref)
    taken = await api.post(f"/machines/{row['id']}/snapshots", {"label": step.key})
    return Done(Output(taken["id"]), takes=(Resource("nimbus-snapshot", taken["id"]),))


async def undo(step: Step, _: Any) -> None:
    """Remove it, also one that nobody heard of."""
    params = await intended(step, Params)
    if params is None:
        return
    at = await machine_at(step, params.connection, params.service)
    api = await _api(step, at.connection)
    row = await find_row(api, at.ref)
    if row is not None:
        await api.delete(f"/machines/{row['id']}/snapshots", label=step.key)


async def _api(step: Step, connection: str) -> Api:
    peer = await step.tools.connections.get(step, connection, HypervisorPeer)
    if peer.provider != "nimbus":
        raise StepFailed(f"{connection} leads to {peer.provider}; snapshots are taken at Nimbus")
    return Api(step.tools.peers.http, peer)


node = NodeType(
    name="nimbus.snapshot",
    title="Nimbus snapshot",
    summary="Keeps the disk of the service's machine as it is now.",
    params=Params,
    effect=Effect.OUTSIDE,
    do=do,
    undo=undo,
    output=Output,
    takes=("nimbus-snapshot",),
    says=lambda params: f"Takes a snapshot of the service's machine{where(params.connection)}",
    docs="""
Placed behind the machine's installation it keeps what was delivered, to go back to.

```json
{"connection": "fra-nimbus"}
```
""",
)
