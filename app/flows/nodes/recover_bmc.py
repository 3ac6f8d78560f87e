"""action.recover_bmc: find out whether a server's BMC is at fault, and restart it if it is.

A BMC that answers nonsense, or obeys no more, is often well after a cold reset; one that does not
even hear that, after its power was gone for a while. It takes minutes: meanwhile the run is a row
in the database. A BMC that answers proves nothing where a machine did not go on as it was told: it
has to do just that.
"""

from datetime import datetime, timedelta
from typing import Annotated, NamedTuple
from uuid import UUID

import msgspec

from app.domain.devices.errors import NoOutlet
from app.domain.devices.outlets import REST_S
from app.domain.devices.owed_power import switch_for_good, take_power
from app.domain.inventory.outage import is_outage
from app.domain.services.power_pace import power_late_s, power_patience
from app.drivers.bmc.contract import Bmc
from app.drivers.boot import BootDevice
from app.drivers.errors import DriverError, NotReached, Refused, Retriable, Unauthorised
from app.drivers.power import Power
from app.flows.booting import bmc_at
from app.flows.document import duration
from app.flows.node import Done, Effect, NodeType, Step, StepFailed, Wait
from app.flows.owed_power import give_owed_power
from app.flows.patience import Duration

FIRST_LOOK = timedelta(seconds=20)
LOOK_AGAIN = timedelta(seconds=15)
REST = timedelta(seconds=REST_S)
LOOKS = 2
"""How often a BMC that was restarted may answer and not obey, before the next rung."""


class Params(msgspec.Struct, frozen=True, kw_only=True):
    server: Annotated[
        UUID,
        msgspec.Meta(
            title="Server",
            description="The server that the order was given; any other is left alone.",
            examples=["01890a5d-ac96-774b-bcce-b302099a8058", "=steps.server.server"],
        ),
    ]
    patience: Annotated[
        Duration,
        msgspec.Meta(
            title="Patience",
            description="How long a BMC that was restarted may take to do as it is told.",
            examples=["6m"],
        ),
    ] = "6m"


class Output(msgspec.Struct, frozen=True):
    server: Annotated[UUID, msgspec.Meta(description="Which server.")]
    trouble: Annotated[str, msgspec.Meta(description="What was wrong; empty if nothing was.")]


DOCS = """\
The rungs of the ladder between trying again and taking another server. It has the BMC switch the
machine off and choose a boot device, and reads both back. A BMC that does so is `fine`: the
trouble lies elsewhere, and it is left by that port. Any other is restarted (a cold reset), and
looked at until it does as it is told; then it is left by `out`, and what failed may be tried again.
One that answers, and twice does not obey, is not waited for any longer.

A machine that had been told to go on, and did not, must go on and off again in twice the time, too.
If it does, it is left by `out`.

While most other BMCs of servers in use are silent too, or many servers were put aside lately, it is
not this one: it is waited for until it answers, as long as one that was restarted, and then what
failed may be tried again.

Where a restart does not help, and the server is plugged into PDUs that are reached, all of its
outlets are switched off for 10 s and on again, and the BMC gets as long once more. Whatever becomes
of the run meanwhile, they are switched on again: by another worker half a minute later, or at once
where the run is undone.

A BMC that does not come back, or rejects its credentials, is an error. Lead that port, and `fine`,
to `action.quarantine_server`. The machine is off afterwards.

```json
{"server": "=steps.server.server"}
```
"""


class _Test(NamedTuple):
    """What a BMC has to do, within `patience_s`: switch the machine off, and on where it was late.

    `late_s` is how long a machine was waited for that did not go on or off when it was last
    installed; None if it did.
    """

    late_s: float | None
    patience_s: float

    @property
    def words(self) -> str:
        return "" if self.late_s is None else f"it did not go on or off within {self.late_s:g} s"


class _Trouble(NamedTuple):
    """What a BMC does not do; whether it `answers` all the same."""

    words: str
    answers: bool


async def do(step: Step, params: Params) -> Done | Wait:
    """Idempotent: which rungs were taken is in the memo; a second restart does no harm."""
    await _require_held(step, params.server)
    if "off_at" in step.memo:
        return await _give_power(step, params)
    bmc, _ = await bmc_at(step, params.server)
    since: str | None = step.memo.get("since")
    test = await _test_of(step, params.server)
    trouble = await _trouble_of(bmc, test)
    if trouble is None:
        was_at_fault = since is not None or "outage" in step.memo or test.late_s is not None
        return Done(
            Output(params.server, step.memo.get("trouble", test.words)),
            port="out" if was_at_fault else "fine",
        )
    if since is None:
        outage = await _outage(step, params, trouble.words)
        return outage or await _restart(step, bmc, params.server, trouble.words)
    ends = datetime.fromisoformat(since) + duration(params.patience)
    looks = step.memo.get("looks", 0) + trouble.answers
    if step.now < ends and looks < LOOKS:
        until = min(step.now + LOOK_AGAIN, ends)
        return Wait(until=until, memo={**step.memo, "looks": looks}, says="the BMC restarts")
    if step.memo.get("was_off"):
        words = f"its BMC was restarted, was without power, and still: {trouble.words}"
        raise StepFailed(words)
    words = f"its BMC was restarted, and still: {trouble.words}"
    return await _cut_power(step, params.server, words)


async def _outage(step: Step, params: Params, trouble: str) -> Wait | None:
    """Return a wait while many others fail as well, for as long as patience has it.

    It looks less and less often: an outage may be our own overload.
    """
    since = datetime.fromisoformat(step.memo.get("outage", step.now.isoformat()))
    ends = since + duration(params.patience)
    async with step.database.snapshot() as tx:
        if step.now >= ends or not await is_outage(tx, params.server):
            return None
    until = min(step.now + max(LOOK_AGAIN, (step.now - since) / 3), ends)
    memo = {"outage": since.isoformat(), "trouble": trouble}
    return Wait(until=until, memo=memo, says="many servers do not answer")


async def _restart(step: Step, bmc: Bmc, server: UUID, trouble: str) -> Wait:
    try:
        await bmc.cold_reset()
    except DriverError as error:
        words = f"{trouble}; nor could its BMC be restarted: {error.message}"
        return await _cut_power(step, server, words)
    memo = {"since": step.now.isoformat(), "trouble": trouble}
    return Wait(until=step.now + FIRST_LOOK, memo=memo, says="the BMC restarts")


async def _cut_power(step: Step, server: UUID, trouble: str) -> Wait:
    """Take the power from the server. Raises StepFailed where its outlets are not ours."""
    try:
        await take_power(
            step.database, step.tools.vault, step.tools.peers.pdus, server, by=step.key
        )
    except NoOutlet as error:
        raise StepFailed(trouble) from error
    except DriverError as error:
        raise StepFailed(f"{trouble}; nor could its outlets be: {error.message}") from error
    memo = {"off_at": step.now.isoformat(), "trouble": trouble}
    return Wait(until=step.now + REST, memo=memo, says="the server is without power")


async def _give_power(step: Step, params: Params) -> Wait:
    """Give the server its power again. That of a PDU which is away stays owed."""
    until = datetime.fromisoformat(step.memo["off_at"]) + REST
    if step.now < until:
        return Wait(until=until, memo=dict(step.memo), says="the server is without power")
    try:
        await switch_for_good(
            step.database, step.tools.vault, step.tools.peers.pdus, params.server, Power.ON
        )
    except Retriable as error:
        if step.now >= until + duration(params.patience):
            words = f"it is without power: its outlets cannot be switched on: {error.message}"
            raise StepFailed(words) from error
        again = step.now + LOOK_AGAIN
        return Wait(until=again, memo=dict(step.memo), says="its PDU does not answer")
    memo = {"since": step.now.isoformat(), "trouble": step.memo["trouble"], "was_off": True}
    return Wait(until=step.now + FIRST_LOOK, memo=memo, says="the BMC starts")


async def _test_of(step: Step, server: UUID) -> _Test:
    whole_s: float = step.tools.power_wait_s
    async with step.database.snapshot() as tx:
        late_s = await power_late_s(tx, server)
        usual_s = whole_s if late_s is None else await power_patience(tx, server, whole_s)
    return _Test(late_s, min(usual_s, whole_s / 2))


async def _trouble_of(bmc: Bmc, test: _Test) -> _Trouble | None:
    """Return what the BMC does not do, in its own words; None when it does all that is needed."""
    try:
        await bmc.power.ensure(Power.OFF, deadline_s=test.patience_s)
        await bmc.boot.set_once(BootDevice.PXE)
        await bmc.boot.set_once(BootDevice.DISK)
        if test.late_s is not None:
            await bmc.power.ensure(Power.ON, deadline_s=test.patience_s)
            await bmc.power.ensure(Power.OFF, deadline_s=test.patience_s)
    except Unauthorised as error:
        raise StepFailed(error.message) from error
    except DriverError as error:
        return _Trouble(error.message, isinstance(error, NotReached | Refused))
    return None


async def _require_held(step: Step, server: UUID) -> None:
    async with step.database.snapshot() as tx:
        held = await tx.fetchval(
            "SELECT true FROM server m WHERE m.id = $1 AND (m.holder = $2 OR m.holder = "
            '(SELECT "order" FROM service WHERE id = $2))',
            server,
            step.subject,
        )
    if not held:
        raise StepFailed("the server was taken away from the order")


node = NodeType(
    name="action.recover_bmc",
    title="Recover BMC",
    summary="Restarts a server's BMC if that is at fault, by its outlets if need be.",
    params=Params,
    effect=Effect.OUTSIDE,
    do=do,
    undo=give_owed_power,
    ports=("out", "fine"),
    output=Output,
    says=lambda params: f"Looks at the BMC of server {params.server}, and restarts it if need be",
    docs=DOCS,
)
