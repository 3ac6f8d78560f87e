"""The table of the latest figures in `docs/benchmarks.md`, between two marks."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from benchmarks.result import RESULTS, Result, kept, quantity

DOCUMENT = Path(__file__).parent.parent / "docs" / "benchmarks.md"
PLOTS = "plots"
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"


def write(path: Path = DOCUMENT, results: Path = RESULTS) -> Path:
    """Replace what is between the marks and put the plots beside the page.

    Raises ValueError where there are no marks.
    """
    plots = sorted(results.glob("*.svg"))
    names = [plot.stem for plot in plots]
    path.write_text(with_figures(path.read_text(), kept(results), names))
    for plot in plots:
        folder = path.parent / PLOTS
        folder.mkdir(exist_ok=True)
        shutil.copyfile(plot, folder / plot.name)
    return path


def with_figures(text: str, results: list[Result], plots: Sequence[str] = ()) -> str:
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the document has no {BEGIN} … {END}")
    shown = [f"![{name}]({PLOTS}/{name}.svg)" for name in plots]
    inside = "\n\n".join([figures(results), *shown])
    return f"{before}{BEGIN}\n\n{inside}\n\n{END}{after}"


def figures(results: list[Result]) -> str:
    """Return the results as a Markdown table, and the machines that they were measured on."""
    if not results:
        return "Nothing has been measured yet."
    lines = [
        "| benchmark | ours | peer | ratio | goal | | measured | machine |",
        "|---|--:|--:|--:|--:|---|---|---|",
    ]
    machines: list[str] = []
    for result in results:
        machine = _machine(result)
        if machine not in machines:
            machines.append(machine)
        lines.append(
            f"| `{result.name}` | {quantity(result.ours, result.unit)} "
            f"| {quantity(result.peer, result.unit)} | {result.ratio:.2f} "
            f"| {_bound(result)} | {'met' if result.is_met else '**short**'} "
            f"| {result.at[:16].replace('T', ' ')} | {machines.index(machine) + 1} |"
        )
    said = [f"- `{result.name}`: {result.says}." for result in results]
    named = [f"{number}. {machine}" for number, machine in enumerate(machines, 1)]
    return "\n".join([*lines, "", *said, "", "Machines:", "", *named])


def _bound(result: Result) -> str:
    sign = "≥" if result.at_least else "<"
    return f"{sign} {quantity(result.goal, result.unit)}"


def _machine(result: Result) -> str:
    facts = result.machine
    if not facts:
        return "not told"
    return (
        f"{facts['cores']} cores of {facts['cpu']}, {facts['memory_gb']} GB, {facts['system']}, "
        f"Python {facts['python']}; load before {facts['load_1min']}, "
        f"{facts['loop_per_s'] / 1e6:.1f} M loop turns/s, {facts['commits_per_s']} commits/s, "
        f"HTTP hello {facts['hello_per_s']}/s"
    )
