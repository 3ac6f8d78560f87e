"""What a benchmark says at its end: one line for people and scripts, the same as JSON."""

from pathlib import Path
from typing import Any

import msgspec

RESULTS = Path(__file__).parent / "results"


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """`ours` and `peer` are in `unit`, where less is better, or more when `goal` is `at_least`."""

    name: str
    ours: float
    peer: float
    goal: float
    unit: str = "s"
    at_least: bool = False
    says: str = ""
    """What exactly `ours` and `peer` are."""
    details: dict[str, Any] = {}
    plots: dict[str, str] = {}
    """SVG by name; kept in files of their own beside the result."""
    at: str = ""
    """ISO 8601, UTC."""
    machine: dict[str, Any] = {}

    @property
    def ratio(self) -> float:
        return self.ours / self.peer if self.peer else float("inf")

    @property
    def is_met(self) -> bool:
        return self.ours >= self.goal if self.at_least else self.ours < self.goal

    @property
    def bound(self) -> str:
        """Return the goal as it is written: `<2s`, `>=2000/s`."""
        return f"{'>=' if self.at_least else '<'}{quantity(self.goal, self.unit)}"

    def line(self) -> str:
        """Return `name ours=… peer=… ratio=… goal=… met|short`."""
        return (
            f"{self.name} ours={quantity(self.ours, self.unit)} "
            f"peer={quantity(self.peer, self.unit)} ratio={self.ratio:.2f} "
            f"goal={self.bound} {'met' if self.is_met else 'short'}"
        )


def quantity(value: float, unit: str) -> str:
    """Return a number with three significant digits at least, and its unit: `0.284s`, `1240s`."""
    digits = 3 if abs(value) < 1 else 2 if abs(value) < 10 else 1 if abs(value) < 1000 else 0
    text = f"{value:.{digits}f}"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text}{unit}"


def keep(result: Result, folder: Path = RESULTS) -> Path:
    """Write the result as JSON and its plots; the latest of each name is kept."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, svg in result.plots.items():
        (folder / f"{name}.svg").write_text(svg)
    result = msgspec.structs.replace(result, plots={})
    path = folder / f"{result.name}.json"
    verdict = {"ratio": result.ratio, "met": result.is_met, "line": result.line()}
    document = msgspec.to_builtins(result) | verdict
    path.write_bytes(msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n")
    return path


def kept(folder: Path = RESULTS) -> list[Result]:
    """Return the latest result of each name, by name."""
    return [
        msgspec.json.decode(path.read_bytes(), type=Result)
        for path in sorted(folder.glob("*.json"))
    ]
