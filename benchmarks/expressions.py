"""What an expression costs: `python -m benchmarks.expressions`; microseconds, warm, one core."""

import sys
import timeit
from typing import Any

from app.flows.expressions import evaluate, plan, resolve

ROWS = [{"name": f"srv-{i}", "price": i * 3, "tags": ["a", "b"]} for i in range(2_000)]
SCOPE: dict[str, Any] = {
    "input": {"plan": "m4", "host": "srv-1.example.net", "count": 3, "rows": ROWS[:20]},
    "steps": {
        "server": {"id": 7, "rack": {"name": "r3", "unit": 12}, "addresses": ["192.0.2.1"]},
        "inventory": {"rows": ROWS, "total": 2_000},
    },
}
EVALUATED = {
    "a plain reference": "input.plan",
    "a deep reference": "steps.server.rack.name",
    "a reference into a large output": "steps.inventory.total",
    "arithmetic": "input.count * 2 + 1",
    "a condition": 'input.plan == "m4" && steps.server.rack.unit < 20',
    "an index": "steps.server.addresses[0]",
    "a macro over 20 rows": "input.rows.filter(r, r.price > 30).size()",
    "a macro over 2,000 rows": "steps.inventory.rows.map(r, r.name).size()",
}
RESOLVED: dict[str, Any] = {
    "a literal tree of 30 leaves": {f"k{i}": {"a": "text", "b": [i, "x"]} for i in range(10)},
    "parameters of a usual node": {
        "url": "https://api.example.net/servers/${steps.server.id}/power",
        "method": "POST",
        "headers": {"accept": "application/json", "x-request": "=input.host"},
        "body": {"plan": "=input.plan", "rack": "=steps.server.rack.name", "force": False},
    },
}


def microseconds(run: Any) -> float:
    """Return the time of one call: the best of five rounds of some 50 ms each."""
    timer = timeit.Timer(run)
    once_s = max(timer.timeit(3) / 3, 1e-7)
    number = max(1, int(0.05 / once_s))
    return min(timer.repeat(5, number)) / number * 1e6


def main() -> None:
    sys.stdout.write(f"{'what':36} µs\n")
    for name, source in EVALUATED.items():
        took_us = microseconds(lambda source=source: evaluate(source, SCOPE))
        sys.stdout.write(f"{name:36} {took_us:10.2f}\n")
    for name, tree in RESOLVED.items():
        took_us = microseconds(lambda tree=tree: resolve(tree, SCOPE))
        sys.stdout.write(f"{name:36} {took_us:10.2f}\n")
        planned = plan(tree)
        took_us = microseconds(lambda planned=planned: planned.resolve(SCOPE))
        sys.stdout.write(f"{'  the same by its plan':36} {took_us:10.2f}\n")


if __name__ == "__main__":
    main()
