"""What of a reading differs from what services say. Pure."""

from datetime import timedelta
from uuid import UUID

import pytest
from msgspec.structs import replace

from app.domain.inventory.power_rule import SETTLES
from app.domain.machines.judge import Drift, drift_of
from app.domain.machines.reading import Known, Owner, compare, strays
from app.domain.services.states import ServiceState
from app.drivers.hypervisor.contract import Size, Vm, VmPower
from app.drivers.power import Power
from tests.conftest import START

ONE, TWO = UUID(int=1), UUID(int=2)
NOW = START + SETTLES
RUNS = Vm(
    id="101", node="pve1", name="vm1.example.org", power=VmPower.RUNNING,
    size=Size(cores=1, memory_mb=512, disk_gb=5), service=ONE,
)  # fmt: skip
KNOWN = Known(
    service=ONE, order=ONE, hostname="vm1.example.org", number="101", node="pve1",
    power=Power.ON, drift=None, drift_since=None, made_at=START, noted_at=START,
    state=ServiceState.active, state_since=START, is_under_way=False,
)  # fmt: skip
STOPPED = replace(RUNS, power=VmPower.STOPPED)
KEPT_OFF = replace(STOPPED, is_suspended=True)
SILENT = replace(RUNS, power=VmPower.UNKNOWN)


def judged(
    state: str, vm: Vm | None, *, before: Drift | None = None, late: bool = True, busy: bool = False
) -> Drift | None:
    return drift_of(
        ServiceState(state), vm, changed_at=START, is_under_way=busy, before=before,
        now=NOW if late else NOW - timedelta(seconds=1),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("state", "vm", "drift"),
    [
        ("active", RUNS, None),
        ("active", None, Drift.gone),
        ("active", STOPPED, Drift.off),
        ("active", replace(RUNS, power=VmPower.PAUSED), Drift.off),
        ("active", KEPT_OFF, Drift.suspended),
        ("active", SILENT, None),
        ("suspended", KEPT_OFF, None),
        ("suspended", STOPPED, Drift.not_suspended),
        ("suspended", replace(RUNS, is_suspended=True), Drift.not_suspended),
        ("suspended", replace(SILENT, is_suspended=True), None),
        ("suspended", None, Drift.gone),
        ("terminated", STOPPED, Drift.left_over),
        ("terminated", None, Drift.gone),
        ("provisioning", None, None),
    ],
)
def test_each_state_has_what_fits_it(state: str, vm: Vm | None, drift: Drift | None) -> None:
    assert judged(state, vm) is drift
    assert judged(state, vm, busy=True) is None, "a run is at it"
    assert judged(state, vm, late=False) is None, "its flow has time for it"


def test_what_is_busy_or_unknown_stays_as_it_was_judged() -> None:
    busy = replace(STOPPED, is_busy=True)
    assert judged("active", busy) is None
    assert judged("active", busy, before=Drift.off) is Drift.off
    assert judged("active", busy, before=Drift.gone) is None, "it is there"
    assert judged("active", SILENT, before=Drift.off) is Drift.off
    assert judged("active", SILENT, before=Drift.suspended) is None, "its mark is gone"


def seen_of(known: Known, *vms: Vm) -> tuple[str, Power, Drift | None] | None:
    changed = compare([known], vms, began_at=NOW, now=NOW).changed
    return (changed[0].number, changed[0].power, changed[0].drift) if changed else None


def test_only_what_changed_is_written() -> None:
    assert seen_of(KNOWN, RUNS) is None
    assert seen_of(KNOWN, STOPPED) == ("101", Power.OFF, Drift.off)
    assert seen_of(KNOWN) == ("101", Power.UNKNOWN, Drift.gone)
    since = replace(KNOWN, power=Power.OFF, drift=Drift.off, drift_since=START)
    assert seen_of(since, STOPPED) is None, "since when is kept"
    assert seen_of(replace(KNOWN, made_at=None)) is None, "it is about to be made"
    noted = replace(KNOWN, noted_at=NOW)
    assert seen_of(noted, STOPPED) is None, "a flow noted it after the reading began"


def test_a_machine_whose_mark_was_taken_off_is_known_by_number_and_name() -> None:
    bare = replace(RUNS, service=None)
    assert seen_of(KNOWN, bare) is None
    assert seen_of(KNOWN, replace(bare, name="another")) == ("101", Power.UNKNOWN, Drift.gone)
    moved = replace(RUNS, id="777", node="pve2")
    assert seen_of(KNOWN, bare, moved) is None, "the one that it had goes before a twin"
    assert seen_of(KNOWN, moved) == ("777", Power.ON, None)


def test_what_is_nobodys_is_told_from_what_is_others() -> None:
    twin = replace(RUNS, id="102")
    unknown = replace(RUNS, id="103", service=TWO)
    foreign = replace(RUNS, id="104", service=None)
    found = compare([KNOWN], [RUNS, twin, unknown, foreign], began_at=NOW, now=NOW)
    assert [vm.id for vm in found.unclaimed] == ["102", "103"]
    assert [vm.id for vm in found.foreign] == ["104"]
    live = Owner(service=ONE, state=ServiceState.active, has_plan=True, is_under_way=False)
    assert strays(found.unclaimed, {ONE: live}) == found.unclaimed
    for owner in (replace(live, has_plan=False), replace(live, is_under_way=True)):
        assert strays([twin], {ONE: owner}) == (), "a flow of one's own, or a run at it"
    ended = replace(live, state=ServiceState.terminated, has_plan=False)
    assert strays([twin], {ONE: ended}) == (twin,)
