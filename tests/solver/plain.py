"""A matcher in plain Python, written from the descriptions alone: slow, and easy to believe."""

from itertools import product

DISKS_OF_RAID = {None: 1, 0: 2, 1: 2, 5: 3, 6: 4, 10: 4}


def disks_of(want):
    needed = max(want.count, DISKS_OF_RAID[want.raid])
    if want.raid == 10 and needed % 2:
        needed += 1
    return needed


def storage_fits(server, wants):
    """Hand out single disks, one set after the other, trying everything."""
    disks = [(disk.kind, disk.capacity_gb) for disk in server.disks for _ in range(disk.count)]

    def place(wants, disks):
        if not wants:
            return True
        want, *rest = wants
        for kind in [want.kind] if want.kind else sorted({kind for kind, _ in disks}):
            for used in _choices(disks, kind, want.capacity_gb, disks_of(want)):
                left = list(disks)
                for disk in used:
                    left.remove(disk)
                if place(rest, left):
                    return True
        return False

    return place(list(wants), disks)


def _choices(disks, kind, capacity, number):
    """Yield every way to take `number` disks, as multisets."""
    usable = sorted({disk for disk in disks if disk[0] == kind and disk[1] >= capacity})
    limits = [range(min(disks.count(disk), number) + 1) for disk in usable]
    for numbers in product(*limits):
        if sum(numbers) == number:
            yield [disk for disk, times in zip(usable, numbers, strict=True) for _ in range(times)]


def model_cost(server, want, equivalences, groups):
    """Return what the CPU model costs, or None if it will not do."""
    if not want.cpu_models and want.cpu_group is None:
        return 0
    wanted = set(want.cpu_models)
    if want.cpu_group is not None:
        wanted |= set(groups.get(want.cpu_group, ()))
    if server.cpu_model in wanted:
        return 0
    costs = [
        link.cost
        for link in equivalences
        if link.wanted in wanted and link.stand_in == server.cpu_model
    ]
    return min(costs, default=None)


def failed(server, want, equivalences, groups, exclude=()):
    """Return the names of the rules that the server fails."""
    rules = set()
    if server.id in exclude:
        rules.add("excluded")
    elsewhere = want.datacentres and server.datacentre not in want.datacentres
    if want.datacentre_required and elsewhere:
        rules.add("datacentre")
    if model_cost(server, want, equivalences, groups) is None:
        rules.add("cpu")
    for rule, value, wanted, exact in (
        ("cores", server.cores, want.min_cores, want.cores_exact),
        ("ram", server.ram_gb, want.ram_gb, want.ram_exact),
    ):
        if wanted is not None and (value != wanted if exact else value < wanted):
            rules.add(rule)
    if not storage_fits(server, want.storage):
        rules.add("storage")
    if any(one.hardware_raid for one in want.storage) and not server.raid_controller:
        rules.add("raid_controller")
    return frozenset(rules)


def size(server):
    flash = sum(
        disk.capacity_gb * disk.count // (256 if disk.kind == "hdd" else 32)
        for disk in server.disks
    )
    return server.cores * 8 + server.ram_gb + flash


def costs(server, want, equivalences, groups, avoid_racks=None):
    """Return the tiers, to be compared one after the other."""
    avoid = (avoid_racks or {}).get(server.rack, 0) if want.spread_racks else 0
    return (
        _place(server.datacentre, want.datacentres),
        model_cost(server, want, equivalences, groups),
        size(server),
        avoid,
        _place(server.rack, want.racks),
    )


def _place(name, preferred):
    return preferred.index(name) if name in preferred else len(preferred)
