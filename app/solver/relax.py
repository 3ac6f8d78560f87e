"""What would admit more servers: the smallest step back in each rule."""

from collections.abc import Callable, Iterator
from typing import TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from app.solver.inventory import Inventory
from app.solver.rules import (
    KIND_NAMES,
    Failures,
    Rule,
    RuleName,
    model_costs,
    storage_label,
)
from app.solver.storage import disks_needed, holds
from app.solver.want import ServerWant, StorageWant

Rows: TypeAlias = NDArray[np.intp]
Step: TypeAlias = tuple[str, int, ServerWant | None]
"""What changes in words, how many more servers it admits, the want so changed."""

ALTERNATIVES = 3
"""Other datacentres and CPU models named, those that admit most."""


class Relaxation(msgspec.Struct, frozen=True, kw_only=True):
    """A smaller wish in one rule, and how many more servers it would admit."""

    rule: RuleName
    text: str
    """Such as "32 GB instead of 64 GB of memory admits 12"."""
    admits: int
    """Servers that become eligible besides those that are; at least 1."""
    want: ServerWant | None
    """The want so relaxed; None where it is not the want that changes (`excluded`)."""


def relaxations(
    inventory: Inventory, want: ServerWant, rules: tuple[Rule, ...], bits: Failures
) -> tuple[Relaxation, ...]:
    """Return the smallest relaxations of single rules, those that admit most first.

    `bits` is what `failures` returned for the same rules. Only servers that fail
    nothing else count, so each number is what the relaxed want really adds.
    """
    found = []
    for place, rule in enumerate(rules):
        rows = np.flatnonzero((bits == 1 << place) & inventory.live)
        if len(rows):
            found += [
                Relaxation(rule=rule.name, text=f"{text} admits {admits}", admits=admits, want=new)
                for text, admits, new in STEPS[rule.name](inventory, want, rows)
            ]
    return tuple(sorted(found, key=lambda relaxation: -relaxation.admits))


def _excluded(_inventory: Inventory, _want: ServerWant, rows: Rows) -> Iterator[Step]:
    yield "What was set aside for this order", len(rows), None


def _datacentre(inventory: Inventory, want: ServerWant, rows: Rows) -> Iterator[Step]:
    counts = np.bincount(inventory.datacentre[rows])
    for code in np.argsort(-counts, kind="stable")[:ALTERNATIVES].tolist():
        if counts[code]:
            name = inventory.datacentre_names[code]
            new = msgspec.structs.replace(want, datacentres=(*want.datacentres, name))
            yield f"{name} as well", int(counts[code]), new


def _cpu(inventory: Inventory, want: ServerWant, rows: Rows) -> Iterator[Step]:
    counts = np.bincount(inventory.cpu[rows], minlength=len(inventory.cpu_names))
    steps = []
    for code in np.flatnonzero(counts).tolist():
        name = inventory.cpu_names[code]
        new = msgspec.structs.replace(want, cpu_models=(*want.cpu_models, name))
        # the added model brings its own stand-ins along
        admits = int(counts[model_costs(inventory, new) >= 0].sum())
        steps.append((f"CPU {name} as well", admits, new))
    steps.sort(key=lambda step: (-step[1], step[0]))
    yield from steps[:ALTERNATIVES]


def _cores(inventory: Inventory, want: ServerWant, rows: Rows) -> Iterator[Step]:
    assert want.min_cores is not None  # noqa: S101 - the rule exists because it is stated
    for least, admits in _lower(inventory.cores[rows], want.min_cores):
        new = msgspec.structs.replace(want, min_cores=least, cores_exact=False)
        yield _fewer(least, want.min_cores, "cores", exact=want.cores_exact), admits, new


def _ram(inventory: Inventory, want: ServerWant, rows: Rows) -> Iterator[Step]:
    assert want.ram_gb is not None  # noqa: S101 - the rule exists because it is stated
    for least, admits in _lower(inventory.ram_gb[rows], want.ram_gb):
        new = msgspec.structs.replace(want, ram_gb=least, ram_exact=False)
        yield _fewer(least, want.ram_gb, "GB of memory", exact=want.ram_exact), admits, new


def _lower(values: NDArray[np.int32], wanted: int) -> Iterator[tuple[int, int]]:
    """Return (a minimum, how many have it): first `wanted` itself where more was too much."""
    if np.any(values > wanted):
        yield wanted, int(np.count_nonzero(values > wanted))
    below = values[values < wanted]
    if len(below):
        least = int(below.max())
        yield least, int(np.count_nonzero(values >= least))


def _fewer(least: int, wanted: int, unit: str, *, exact: bool) -> str:
    if least == wanted:
        return f"{wanted} {unit} or more instead of exactly {wanted}"
    if exact:
        return f"{least} {unit} or more instead of exactly {wanted}"
    return f"{least} instead of {wanted} {unit}"


def _raid_controller(_inventory: Inventory, want: ServerWant, rows: Rows) -> Iterator[Step]:
    storage = tuple(msgspec.structs.replace(one, hardware_raid=False) for one in want.storage)
    new = msgspec.structs.replace(want, storage=storage)
    yield "Software RAID instead of a RAID controller", len(rows), new


def _layout(_inventory: Inventory, want: ServerWant, rows: Rows) -> Iterator[Step]:
    yield "A disk layout that takes less", len(rows), msgspec.structs.replace(want, layout=None)


def _storage(inventory: Inventory, want: ServerWant, rows: Rows) -> Iterator[Step]:
    counts = np.bincount(inventory.disks[rows])
    sets = [(inventory.disk_sets[code], int(counts[code])) for code in np.flatnonzero(counts)]
    capacities = sorted({disk.capacity_gb for disks, _ in sets for disk in disks}, reverse=True)
    for place, one in enumerate(want.storage):
        for variants in _variants(one, capacities):
            for text, changed in variants:
                storage = (*want.storage[:place], changed, *want.storage[place + 1 :])
                admits = sum(count for disks, count in sets if holds(disks, storage))
                if admits:
                    yield text, admits, msgspec.structs.replace(want, storage=storage)
                    break


def _variants(
    one: StorageWant, capacities: list[int]
) -> Iterator[Iterator[tuple[str, StorageWant]]]:
    """Return for each thing that can be asked less of: ever smaller wishes."""
    whole = storage_label(one)
    change = msgspec.structs.replace
    yield (
        (f"{capacity} GB a disk instead of {whole}", change(one, capacity_gb=capacity))
        for capacity in capacities
        if capacity < one.capacity_gb
    )
    yield (
        (f"{count} disk{'' if count == 1 else 's'} instead of {whole}", change(one, count=count))
        for count in range(one.count - 1, 0, -1)
        if count == disks_needed(change(one, count=count))
    )
    if one.raid is not None:
        yield iter([(f"No RAID instead of {whole}", change(one, raid=None))])
    if one.kind is not None:
        yield iter(
            [(f"Any disks instead of {KIND_NAMES[one.kind]} in {whole}", change(one, kind=None))]
        )


def _more(text: str) -> Callable[[Inventory, ServerWant, Rows], Iterator[Step]]:
    """Return the step of a rule that the racks set, not the want."""
    return lambda _inventory, _want, rows: iter([(text, len(rows), None)])


def _client(_inventory: Inventory, want: ServerWant, rows: Rows) -> Iterator[Step]:
    new = msgspec.structs.replace(want, most_in_rack=None)
    yield f"No limit in a rack instead of {want.most_in_rack}", len(rows), new


STEPS: dict[RuleName, Callable[[Inventory, ServerWant, Rows], Iterator[Step]]] = {
    "excluded": _excluded,
    "datacentre": _datacentre,
    "cpu": _cpu,
    "cores": _cores,
    "ram": _ram,
    "storage": _storage,
    "layout": _layout,
    "raid_controller": _raid_controller,
    "feed_a": _more("More power on feed A"),
    "feed_b": _more("More power on feed B"),
    "cooling": _more("More cooling"),
    "ports": _more("More switch ports"),
    "vlans": _more("More VLANs"),
    "client": _client,
    "rack_client": _more("A higher limit of one client's machines in their racks"),
}
