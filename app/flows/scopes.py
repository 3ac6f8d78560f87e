"""Scopes: the body of a container runs in one of its own, once per iteration.

The scope of iteration 2 of the container `n4` at the top is `/n4:2`; inside it another
container `n7` makes `/n4:2/n7:1`.
"""

from functools import lru_cache

TOP = "/"


def inner(scope: str, node: str, count: int) -> str:
    return f"{scope.rstrip('/')}/{node}:{count}"


@lru_cache(maxsize=4_096)
def parse_scope(scope: str) -> tuple[str, str, int] | None:
    """Return (outer scope, container node, count) of a body scope; None at the top."""
    if scope == TOP:
        return None
    outer, _, last = scope.rpartition("/")
    node, _, count = last.partition(":")
    return outer or TOP, node, int(count)


def count_of(scope: str) -> int:
    """Return the iteration that a scope is in; 0 at the top."""
    parsed = parse_scope(scope)
    return parsed[2] if parsed else 0


def chain(scope: str) -> list[str]:
    """Return the scope and those around it, innermost first."""
    scopes = [scope]
    while (parsed := parse_scope(scopes[-1])) is not None:
        scopes.append(parsed[0])
    return scopes


def is_within(scope: str, outer: str) -> bool:
    """Return whether `scope` is `outer` or inside it."""
    return scope == outer or scope.startswith(outer.rstrip("/") + "/")
