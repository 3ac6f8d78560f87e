"""The order in which a flow's nodes are come to; the document itself keeps none."""

from collections.abc import Iterator

from app.flows.document import Document


def in_order(document: Document) -> list[str]:
    """Return the nodes so that each comes after those that lead to it, a body in its container.

    PostgreSQL's jsonb sorts keys, so that the order in which a document was written is lost;
    the edges tell it. Depth first from the nodes that nothing leads to, errors last; among
    equals by name. Nodes of a circle, which nothing else leads to, come first.
    Time: O(nodes + edges), however deep the graph is.
    """
    graph = document.graph
    finished: list[str] = []
    seen: set[str] = set()

    def followers(node: str) -> Iterator[str]:
        # Finished in reverse: what is visited first stands last among the followers.
        edges = graph.outgoing(node)
        ranked = sorted({(_rank(edge.port), edge.target) for edge in edges}, reverse=True)
        return (target for _, target in ranked)

    def visit(start: str) -> None:
        seen.add(start)
        path = [(start, followers(start))]
        while path:
            node, ahead = path[-1]
            following = next((target for target in ahead if target not in seen), None)
            if following is None:
                finished.append(node)
                path.pop()
            else:
                seen.add(following)
                path.append((following, followers(following)))

    starts = sorted(name for name, edges in graph.incoming.items() if not edges)
    for start in reversed(starts):
        visit(start)
    for rest in sorted(document.nodes, reverse=True):
        if rest not in seen:
            visit(rest)
    return finished[::-1]


def _rank(port: str) -> int:
    """Put the body of a container before what follows it, and the ways out of trouble last."""
    if port == "each":
        return 0
    return 2 if port in {"error", "timeout", "exhausted"} else 1
