"""A layered layout: longest paths make the columns, barycentres the order within them.

Source: Sugiyama, Tagawa and Toda, 1981, with ranks by longest path and two sweeps each way.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

from app.flows.document import Document
from app.flows.drafts.place import GAP_X, GAP_Y, GRID, NODE_WIDTH, height_of, snapped
from app.flows.drafts.ports import ports_of
from app.flows.drafts.sheet import Sheet, port_of, source_of, target_of, write

SWEEPS = 2
TOP = 60


def arrange(sheet: Sheet, chosen: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Return a place on the grid for each of `chosen`; their upper left corner stays.

    O((nodes + edges) log nodes): 500 nodes take about 10 ms.
    """
    among = set(chosen)
    follow = _followers(sheet, among)
    ranks = _ranks(sorted(among), follow)
    columns: list[list[str]] = [[] for _ in range(max(ranks.values(), default=-1) + 1)]
    for node in sorted(among, key=lambda each: (ranks[each], _height(sheet, each), each)):
        columns[ranks[node]].append(node)
    _uncross(columns, follow)
    places = [place for node in chosen if (place := sheet.position(node)) is not None]
    left = snapped(min((x for x, _ in places), default=2 * GRID))
    top = snapped(min((y for _, y in places), default=TOP))
    return _places(sheet, columns, left, top)


def placed(document: Document) -> Document:
    """Return the document with a place for every node: what was written by hand may have none."""
    sheet = Sheet(document)
    if all(sheet.position(node) is not None for node in sheet.nodes):
        return document
    places = arrange(sheet, list(sheet.nodes))
    return write(sheet, {(node, "position"): list(at) for node, at in places.items()}).document


def _height(sheet: Sheet, node: str) -> int:
    """Return how far down a node stands now: among equals the order on the canvas is kept."""
    return (sheet.position(node) or (0, 0))[1]


def _followers(sheet: Sheet, among: set[str]) -> dict[str, set[str]]:
    """Return who stands to the right of whom; what follows a container, of its whole body."""
    bodies: dict[str, list[str]] = {}
    for node in among:
        bodies.setdefault(sheet.nodes[node].within or "", []).append(node)
    follow: dict[str, set[str]] = {node: set() for node in among}
    for edge in sheet.document.edges:
        source, target = source_of(edge), target_of(edge)
        if source not in among or target not in among:
            continue
        follow[source].add(target)
        if port_of(edge) not in ("each", "error"):
            for node in bodies.get(source, ()):
                follow[node].add(target)
    return follow


def _ranks(nodes: Iterable[str], follow: dict[str, set[str]]) -> dict[str, int]:
    """Return each node's column: one more than the last of those before it."""
    before = dict.fromkeys(follow, 0)
    for targets in follow.values():
        for target in targets:
            before[target] += 1
    ranks = dict.fromkeys(nodes, 0)
    open_ = [node for node in ranks if before[node] == 0]
    while open_:
        node = open_.pop()
        for target in sorted(follow[node]):
            ranks[target] = max(ranks[target], ranks[node] + 1)
            before[target] -= 1
            if before[target] == 0:
                open_.append(target)
    return ranks


def _uncross(columns: list[list[str]], follow: dict[str, set[str]]) -> None:
    """Sort each column by the mean place of its neighbours, forth and back."""
    lead: dict[str, list[str]] = {node: [] for node in follow}
    for node, targets in follow.items():
        for target in targets:
            lead[target].append(node)
    for _ in range(SWEEPS):
        _sweep(columns, lead)
        _sweep(columns[::-1], follow)


def _sweep(columns: list[list[str]], neighbours: Mapping[str, Collection[str]]) -> None:
    at = {node: row for column in columns for row, node in enumerate(column)}
    for column in columns:
        mean = {
            node: sum(at[other] for other in near) / len(near)
            if (near := neighbours[node])
            else at[node]
            for node in column
        }
        column.sort(key=lambda node: (mean[node], at[node]))
        at |= {node: row for row, node in enumerate(column)}


def _places(
    sheet: Sheet, columns: list[list[str]], left: int, top: int
) -> dict[str, tuple[int, int]]:
    places: dict[str, tuple[int, int]] = {}
    for number, column in enumerate(columns):
        y = top
        for node in column:
            places[node] = (left + number * snapped(NODE_WIDTH + GAP_X), y)
            y = snapped(y + height_of(len(ports_of(sheet, node))) + GAP_Y)
    return places
