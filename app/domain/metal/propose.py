"""Which server of ours a node of a cloud may be: by its cards, its serial number, its name."""

from collections.abc import Iterable, Mapping
from typing import Literal
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.drivers.metal.contract import MetalNode

By = Literal["mark", "card", "serial", "name"]


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A server that no cloud has."""

    id: UUID
    name: str
    state: str
    serial: str
    macs: frozenset[str]


class Proposal(msgspec.Struct, frozen=True):
    """The server that a node may be, and what says so."""

    server: Candidate
    by: By
    words: str


class Stray(msgspec.Struct, frozen=True, kw_only=True):
    """A node of a cloud that is no server of ours yet."""

    node: MetalNode
    macs: tuple[str, ...]
    proposal: Proposal | None


async def of_nobody(tx: Tx, connection: str, nodes: Iterable[MetalNode]) -> tuple[MetalNode, ...]:
    """Return those nodes of a cloud that no server of ours is."""
    rows = await tx.fetch("SELECT node FROM metal_node WHERE connection = $1", connection)
    known = {row["node"] for row in rows}
    return tuple(node for node in nodes if node.id not in known)


async def propose(
    tx: Tx,
    nodes: Iterable[MetalNode],
    cards: Mapping[str, tuple[str, ...]],
    serials: Mapping[str, str],
) -> tuple[Stray, ...]:
    """Return the nodes with what each may be; those with a proposal first. One statement."""
    wanted = list(nodes)
    rows = await tx.fetch(
        "SELECT s.id, s.name, s.state, s.serial, s.mac, (SELECT coalesce(array_agg(p.mac), '{}') "
        "FROM port p WHERE p.server = s.id AND p.mac IS NOT NULL) AS macs FROM server s "
        "WHERE NOT EXISTS (SELECT FROM metal_node n WHERE n.server = s.id) AND "
        "(s.id::text = ANY($1) OR s.mac = ANY($2) OR s.serial = ANY($3) OR s.name = ANY($4) "
        "OR EXISTS (SELECT FROM port p WHERE p.server = s.id AND p.mac = ANY($2)))",
        [node.mark for node in wanted],
        [mac for node in wanted for mac in cards.get(node.id, ())],
        [serial for serial in serials.values() if serial],
        [node.name for node in wanted],
    )
    servers = [
        Candidate(
            id=row["id"],
            name=row["name"],
            state=row["state"],
            serial=row["serial"],
            macs=frozenset({row["mac"], *row["macs"]}),
        )
        for row in rows
    ]
    strays = [
        Stray(
            node=node,
            macs=cards.get(node.id, ()),
            proposal=match(node, cards.get(node.id, ()), serials.get(node.id, ""), servers),
        )
        for node in wanted
    ]
    return tuple(sorted(strays, key=lambda one: (one.proposal is None, one.node.name)))


def match(
    node: MetalNode, macs: tuple[str, ...], serial: str, servers: Iterable[Candidate]
) -> Proposal | None:
    """Return the server that a node is by what says most: our mark, a card, the serial, the name.

    Pure. None where nothing says so, or two servers are meant by the same.
    """
    known = list(servers)
    ways: tuple[tuple[By, str, list[Candidate]], ...] = (
        ("mark", "it is marked so", [one for one in known if str(one.id) == node.mark]),
        (
            "card",
            f"it has the card {', '.join(macs)}",
            [one for one in known if one.macs & {*macs}],
        ),
        (
            "serial",
            f"its serial number is {serial}",
            [one for one in known if serial and one.serial == serial],
        ),
        ("name", "it is called so", [one for one in known if one.name == node.name]),
    )
    for by, words, found in ways:
        if len(found) == 1:
            return Proposal(found[0], by, words)
        if found:
            return None
    return None
