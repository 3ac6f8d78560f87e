"""What a benchmark says at its end: one line for people and scripts, the same as JSON."""

from pathlib import Path
from typing import Any

import msgspec

RESULTS = Path(__file__).parent / "results"


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """`ours` and `peer` are in `unit`, where less is better; `goal` bounds `ours`."""

    name: str
    ours: float
    peer: float
    goal: float
    unit: str = "s"
    says: str = ""
    """What exactly `ours` and `peer` are."""
    details: dict[str, Any] = {}
    at: str = ""
    """ISO 8601, UTC."""
    machine: dict[str, Any] = {}

    @property
    def ratio(self) -> float:
        return self.ours / self.peer if self.peer else float("inf")

    @property
    def is_met(self) -> bool:
        return self.ours < self.goal

    def line(self) -> str:
        """Return `name ours=… peer=… ratio=… goal=… met|short`."""
        return (
            f"{self.name} ours={quantity(self.ours, self.unit)} "
            f"peer={quantity(self.peer, self.unit)} ratio={self.ratio:.2f} "
            f"goal=<{quantity(self.goal, self.unit)} {'met' if self.is_met else 'short'}"
        )


def quantity(value: float, unit: str) -> str:
    """Return a number with three significant digits at least, and its unit: `0.284s`, `1240s`."""
    digits = 3 if abs(value) < 1 else 2 if abs(value) < 10 else 1 if abs(value) < 1000 else 0
    text = f"{value:.{digits}f}"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text}{unit}"


def keep(result: Result, folder: Path = RESULTS) -> Path:
    """Write the result as JSON; the latest of each name is kept."""
    folder.mkdir(parents=True, exist_ok=True)
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
