"""The order in which a flow's nodes are come to; the document itself keeps none."""

from app.flows.document import Document


def in_order(document: Document) -> list[str]:
    """Return the nodes so that each comes after those that lead to it, a body in its container.

    PostgreSQL's jsonb sorts keys, so that the order in which a document was written is lost;
    the edges tell it. Depth first from the nodes that nothing leads to, errors last; among
    equals by name.
    """
    led_to = {end.partition(".")[0] for _, end in document.edges}
    starts = sorted(name for name in document.nodes if name not in led_to)
    finished: list[str] = []
    seen: set[str] = set()

    def visit(node: str) -> None:
        if node in seen:
            return
        seen.add(node)
        # Finished in reverse: what is visited first stands last among the followers.
        ports = sorted(
            (
                (_rank(source.partition(".")[2]), end.partition(".")[0])
                for source, end in document.edges
                if source.partition(".")[0] == node
            ),
            reverse=True,
        )
        for _, target in ports:
            visit(target)
        finished.append(node)

    for start in reversed(starts):
        visit(start)
    return finished[::-1]


def _rank(port: str) -> int:
    """Put the body of a container before what follows it, and the ways out of trouble last."""
    if port == "each":
        return 0
    return 2 if port in {"error", "timeout", "exhausted"} else 1
