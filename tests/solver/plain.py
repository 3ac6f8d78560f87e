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
    if want.layout is not None and not storage_fits(server, (want.layout,)):
        rules.add("layout")
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
    avoid = (avoid_racks or {}).get(_place_of(server), 0) if want.spread_racks else 0
    return (
        _place(server.datacentre, want.datacentres),
        model_cost(server, want, equivalences, groups),
        size(server),
        avoid,
        min(
            _place(name, want.racks)
            for name in (server.rack, "/".join(map(str, _place_of(server))))
        ),
    )


def _place(name, preferred):
    return preferred.index(name) if name in preferred else len(preferred)


def side_failed(server, racks, most_in_rack, client, vlans):
    """Return the names of the side rules that the server's rack fails."""
    room = _room(server, racks)
    if room is None:
        return frozenset()
    limits = _limits(room)
    rules = {
        name
        for name, needed in _takes(server, vlans).items()
        if needed and limits[name] is not None and needed > limits[name]
    }
    if client and most_in_rack is not None and room.clients.get(client, 0) >= most_in_rack:
        rules.add("client")
    limit = room.most_of_client
    if client and limit is not None and room.clients.get(client, 0) + 1 > limit:
        rules.add("rack_client")
    return frozenset(rules)


def racks_admit(pairs, orders, racks):
    """Return whether all racks admit all the (server, order) pairs at once."""
    caps = {}
    for order in orders:
        if order.client and order.want.most_in_rack is not None:
            caps[order.client] = min(order.want.most_in_rack, caps.get(order.client, 99))
    for room in racks:
        here = [(server, order) for server, order in pairs if _room(server, racks) is room]
        for name, limit in _limits(room).items():
            needed = sum(_takes(server, order.vlans)[name] for server, order in here)
            if needed and limit is not None and needed > limit:
                return False
        for client in {order.client for _, order in here} - {""}:
            new = sum(order.client == client for _, order in here)
            limits = (caps.get(client), room.most_of_client)
            if any(
                limit is not None and new + room.clients.get(client, 0) > limit for limit in limits
            ):
                return False
    return True


def shared(pairs, racks):
    """Count the machines of spread orders that share a rack with another of their client."""
    number = 0
    for room in racks:
        for client in {order.client for _, order in pairs} - {""}:
            new = sum(
                order.client == client and order.want.spread_racks
                for server, order in pairs
                if _room(server, racks) is room
            )
            number += max(0, new - (0 if room.clients.get(client, 0) else 1))
    return number


def _room(server, racks):
    places = [room for room in racks if (room.datacentre, room.rack) == _place_of(server)]
    return places[0] if places else None


def _place_of(server):
    return server.datacentre, server.rack


def _limits(room):
    return {
        "feed_a": room.feed_a_watts,
        "feed_b": room.feed_b_watts,
        "cooling": room.cooling_watts,
        "ports": room.ports,
        "vlans": room.vlans,
    }


def _takes(server, vlans):
    return {
        "feed_a": server.power_watts if "A" in server.feeds else 0,
        "feed_b": server.power_watts if "B" in server.feeds else 0,
        "cooling": server.power_watts,
        "ports": server.ports,
        "vlans": vlans,
    }
