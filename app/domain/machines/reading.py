"""Compare what a provider shows with what services have there. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from app.domain.machines.judge import Drift, There, drift_of, power_of
from app.domain.machines.note import POWER
from app.domain.services.states import ServiceState
from app.drivers.power import Power


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """A machine that a service has at the provider, as we know it."""

    service: UUID
    order: UUID
    hostname: str
    number: str
    node: str
    power: Power
    drift: Drift | None
    drift_since: datetime | None
    made_at: datetime | None
    noted_at: datetime | None
    """When a flow last noted it; what was read before that is older."""
    state: ServiceState
    state_since: datetime
    is_under_way: bool


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be written of one machine."""

    service: UUID
    order: UUID
    number: str
    node: str
    power: Power
    drift: Drift | None
    drift_since: datetime | None


class Owner(msgspec.Struct, frozen=True, kw_only=True):
    """What there is of a service whose mark a machine carries."""

    service: UUID
    state: ServiceState
    has_plan: bool
    """Its machine is planned or made, at this provider or at another."""
    is_under_way: bool


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """What follows from a reading."""

    changed: tuple[Seen, ...]
    unclaimed: tuple[There, ...]
    """With our mark, and not the machine of a service here."""
    foreign: tuple[There, ...]
    """Without our mark."""


def compare(
    known: Sequence[Known], vms: Sequence[There], *, began_at: datetime, now: datetime
) -> Compared:
    """Say what changed of the machines that are known, and which others there are.

    A machine is known by its mark, or, where that was taken off, by number and name. What a flow
    noted since the reading `began_at` is left as it noted it.
    """
    found = _matched(known, vms)
    taken = {vm.id for vm in found.values()}
    changed = [
        seen
        for one in known
        if one.made_at is not None and (one.noted_at is None or one.noted_at < began_at)
        for seen in [_seen(one, found.get(one.service), now)]
        if seen != _before(one)
    ]
    others = [vm for vm in vms if vm.id not in taken]
    return Compared(
        changed=tuple(changed),
        unclaimed=tuple(vm for vm in others if vm.service is not None),
        foreign=tuple(vm for vm in others if vm.service is None),
    )


def strays(unclaimed: Iterable[There], owners: Mapping[UUID, Owner]) -> tuple[There, ...]:
    """Return those that belong to no service of ours.

    A service without a plan has its machine by a flow of the provider's own; while a run is at
    one, its machine may be about to be made or removed.
    """
    found = []
    for vm in unclaimed:
        owner = None if vm.service is None else owners.get(vm.service)
        if owner is not None and owner.is_under_way:
            continue
        is_own = owner is not None and owner.state is not ServiceState.terminated
        if is_own and owner is not None and not owner.has_plan:
            continue
        found.append(vm)
    return tuple(found)


def _matched(known: Sequence[Known], vms: Collection[There]) -> dict[UUID, There]:
    """Return the machine of each service; of several with its mark, the one that it had."""
    marked: dict[UUID, dict[str, There]] = {}
    bare: dict[tuple[str, str], There] = {}
    for vm in vms:
        if vm.service is None:
            bare[vm.id, vm.name] = vm
        else:
            marked.setdefault(vm.service, {})[vm.id] = vm
    found: dict[UUID, There] = {}
    for one in known:
        own = marked.get(one.service, {})
        there = own.get(one.number) or bare.get((one.number, one.hostname))
        there = there or next(iter(own.values()), None)
        if there is not None:
            found[one.service] = there
    return found


def _seen(one: Known, vm: There | None, now: datetime) -> Seen:
    drift = drift_of(
        one.state,
        vm,
        changed_at=one.state_since,
        is_under_way=one.is_under_way,
        before=one.drift,
        now=now,
    )
    since = None if drift is None else one.drift_since if drift is one.drift else now
    return Seen(
        service=one.service,
        order=one.order,
        number=one.number if vm is None else vm.id,
        node=one.node if vm is None else vm.node,
        power=_power(one, vm),
        drift=drift,
        drift_since=since,
    )


def _power(one: Known, vm: There | None) -> Power:
    """Return whether it runs: as it was known where the provider does not tell it with the rest."""
    if vm is None:
        return Power.UNKNOWN
    told = power_of(vm)
    if told is None:
        return Power.OFF if vm.is_suspended else one.power
    return POWER.get(told, Power.UNKNOWN)


def _before(one: Known) -> Seen:
    return Seen(
        service=one.service,
        order=one.order,
        number=one.number,
        node=one.node,
        power=one.power,
        drift=one.drift,
        drift_since=one.drift_since,
    )
