"""The tree of prefixes as one reads it: each below what contains it, free gaps among them."""

from collections.abc import Iterator, Sequence
from ipaddress import IPv4Network, IPv6Network
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.errors import NotFound
from app.core.paging import PAGE_SIZE, Page, containing
from app.domain.addresses.clients import clients_called, prefixes_of
from app.domain.addresses.find import list_prefixes_by_id
from app.domain.addresses.states import PrefixStatus
from app.domain.addresses.views import PrefixView
from app.ipam.gaps import free_networks, gaps, networks_of

Network = IPv4Network | IPv6Network


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """Addresses of a container that are of no prefix in it; both ends are of the gap."""

    first: str
    last: str
    largest: str
    """The largest network in it: what one could add."""
    vrf: str


class TreeLine(msgspec.Struct, frozen=True, kw_only=True):
    """A prefix, or a gap, at its depth.

    `covered` is the share (0 to 1) of a container that leaves in it take.
    """

    depth: int
    what: PrefixView | Gap
    covered: float = 0.0


class _Node(msgspec.Struct):
    id: UUID
    network: Network
    vrf: str
    is_container: bool
    depth: int = 0
    parts: list["_Node"] = msgspec.field(default_factory=list)

    def covered(self) -> int:
        """Return how many addresses leaves have."""
        if not self.is_container:
            return self.network.num_addresses
        return sum(part.covered() for part in self.parts)


async def prefix_tree(
    tx: Tx, *, vrf: str | None = None, datacentre: str = "", search: str = "", page: int = 1
) -> Page[TreeLine]:
    """Return a page of the tree, 50 lines; gaps are lines too unless something is searched for.

    `vrf` is a name, empty for the global one, None for all; `search` a part of a network, a
    role or a note, or of a client's name or e-mail address: then what the client has some of.
    Cost: one statement over all prefixes (about 10 µs each), one over the claims of those on the
    page, two more where something is searched for.
    """
    search = search.strip()
    rows = await tx.fetch(
        "SELECT p.id, p.network, coalesce(v.name, '') AS vrf, p.status FROM prefix p "
        "JOIN datacentre d ON d.id = p.datacentre LEFT JOIN vrf v ON v.id = p.vrf "
        "WHERE ($1::text IS NULL OR coalesce(v.name, '') = $1) AND ($2 = '' OR d.code = $2) "
        "AND ($3 = '' OR p.network::text ILIKE $4 OR p.purpose ILIKE $4 OR p.note ILIKE $4 "
        "OR p.id = ANY($5)) "
        "ORDER BY v.name NULLS FIRST, family(p.network), p.network",
        vrf,
        datacentre,
        search,
        containing(search),
        await prefixes_of(tx, await clients_called(tx, search)),
    )
    nodes = [
        _Node(row["id"], row["network"], row["vrf"], row["status"] == PrefixStatus.container)
        for row in rows
    ]
    roots = _nest(nodes)
    lines = list(_lines(roots, with_gaps=not (search or datacentre)))
    page = max(page, 1)
    shown = lines[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
    return Page(
        items=await _filled(tx, shown),
        page=page,
        page_count=max(1, -(-len(lines) // PAGE_SIZE)),
        total=len(nodes),
    )


async def parts_of(tx: Tx, container: PrefixView) -> tuple[TreeLine, ...]:
    """Return what a container holds directly, and its gaps, in order."""
    nodes = [
        _Node(row["id"], row["network"], container.vrf, row["status"] == PrefixStatus.container)
        for row in await tx.fetch(
            "SELECT p.id, p.network, p.status FROM prefix p LEFT JOIN vrf v ON v.id = p.vrf "
            "WHERE p.network <<= $1 AND coalesce(v.name, '') = $2 ORDER BY p.network",
            container.network,
            container.vrf,
        )
    ]
    [root] = _nest(nodes)
    direct = [line for line in _lines([root], with_gaps=True) if _depth(line) == 1]
    return await _filled(tx, direct)


def covered_of(container: PrefixView, parts: Sequence[TreeLine]) -> float:
    """Return the share (0 to 1) of a container that leaves in it take; `parts` are its own."""
    taken = sum(
        part.covered * part.what.network.num_addresses
        for part in parts
        if isinstance(part.what, PrefixView)
    )
    return taken / container.network.num_addresses


async def free_in(tx: Tx, container: UUID) -> list[Network]:
    """Return the largest networks of a container that are of no prefix, the lowest first.

    A leaf has none. Raises NotFound.
    """
    network, parts, is_container = await parts_in(tx, container)
    return list(free_networks(network, parts)) if is_container else []


async def parts_in(tx: Tx, container: UUID) -> tuple[Network, list[Network], bool]:
    """Return a prefix's network, the largest prefixes in it, and whether it is a container.

    Raises NotFound.
    """
    rows = await tx.fetch(
        "SELECT o.network AS whole, o.status, p.network FROM prefix o LEFT JOIN prefix p "
        "ON p.network << o.network AND p.vrf IS NOT DISTINCT FROM o.vrf "
        "WHERE o.id = $1 ORDER BY p.network",
        container,
    )
    if not rows:
        raise NotFound("prefix", container)
    parts: list[Network] = []
    for row in rows:
        part = row["network"]
        if part is not None and not (parts and part.subnet_of(parts[-1])):
            parts.append(part)
    return rows[0]["whole"], parts, rows[0]["status"] == PrefixStatus.container


_Line = tuple[int, _Node | Gap]


def _depth(line: _Line) -> int:
    return line[0]


def _nest(nodes: Sequence[_Node]) -> list[_Node]:
    """Put each below the smallest that contains it; they come larger ones first."""
    roots: list[_Node] = []
    path: list[_Node] = []
    for node in nodes:
        while path and not _holds(path[-1], node):
            path.pop()
        (path[-1].parts if path else roots).append(node)
        node.depth = len(path)
        path.append(node)
    return roots


def _holds(outer: _Node, inner: _Node) -> bool:
    return (
        outer.vrf == inner.vrf
        and outer.network.version == inner.network.version
        and inner.network[0] in outer.network
    )


def _lines(nodes: Sequence[_Node], *, with_gaps: bool) -> Iterator[_Line]:
    for node in nodes:
        yield node.depth, node
        between = _gaps(node) if with_gaps and node.is_container else []
        for part in node.parts:
            while between and between[0][0] < int(part.network[0]):
                yield node.depth + 1, between.pop(0)[1]
            yield from _lines([part], with_gaps=with_gaps)
        for _, gap in between:
            yield node.depth + 1, gap


def _gaps(node: _Node) -> list[tuple[int, Gap]]:
    """Return the gaps of a container, each with its first address as a number."""
    found = []
    for first, last in gaps(node.network, [part.network for part in node.parts]):
        largest = max(networks_of(first, last), key=lambda one: one.num_addresses)
        gap = Gap(first=str(first), last=str(last), largest=str(largest), vrf=node.vrf)
        found.append((int(first), gap))
    return found


async def _filled(tx: Tx, lines: Sequence[_Line]) -> tuple[TreeLine, ...]:
    views = await list_prefixes_by_id(tx, [one.id for _, one in lines if isinstance(one, _Node)])
    return tuple(
        TreeLine(depth=depth, what=one)
        if isinstance(one, Gap)
        else TreeLine(
            depth=depth,
            what=views[one.id],
            covered=one.covered() / one.network.num_addresses,
        )
        for depth, one in lines
    )
