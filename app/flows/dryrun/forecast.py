"""How long a run takes along the path of a dry run."""

from collections.abc import Iterable

from app.flows.change import AttemptRow
from app.flows.chart import Chart
from app.flows.dryrun.notebook import Notebook
from app.flows.node import ALL_PORTS, Effect
from app.flows.predict import History, Path, Prediction, predict
from app.flows.scopes import parse_scope


def forecast(chart: Chart, notebook: Notebook, history: History, *, seed: int = 0) -> Prediction:
    """Return p50 and p99 of each node and of the whole, along the path that was taken."""
    instant = [
        name
        for name, stop in chart.stops.items()
        if stop.kind is not None and stop.kind.effect is Effect.PURE
    ]
    path = path_of(chart, notebook.attempts.values())
    return predict(chart.document, history, path, instant=instant, seed=seed)


def path_of(chart: Chart, attempts: Iterable[AttemptRow]) -> Path:
    """Return the ports by which each node was left, and how often each loop went round."""
    ports: dict[str, set[str]] = {}
    rounds: dict[str, set[str]] = {}
    entered: dict[str, set[str]] = {}
    at_once: dict[str, int] = {}
    for row in attempts:
        stop = chart[row.node]
        left = ports.setdefault(row.node, set())
        if row.port == ALL_PORTS and stop.kind is not None:
            left.update(stop.kind.all_ports(stop.spec.params))
        elif row.port:
            left.add(row.port)
        elif row.status == "failed" and row.finished_at is not None:
            left.add("error")
        if stop.kind is not None and stop.kind.container:
            entered.setdefault(row.node, set()).add(row.scope)
            many = stop.spec.params.get("concurrency", 1)
            at_once[row.node] = many if isinstance(many, int) else 1
        parsed = parse_scope(row.scope)
        if parsed is not None:
            rounds.setdefault(parsed[1], set()).add(row.scope)
    counted = {
        name: round(len(rounds.get(name, ())) / len(scopes)) for name, scopes in entered.items()
    }
    return Path(ports, counted, at_once)
