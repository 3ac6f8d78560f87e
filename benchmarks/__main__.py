"""`python -m benchmarks`: run all benchmarks or one, keep the results, or write their table."""

import asyncio
import signal
import traceback
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TypeAlias

import click
import msgspec
import uvloop

from app.core.errors import Refusal
from app.core.logs import configure_logs
from benchmarks import (
    bmcs,
    cold,
    delivery,
    document,
    editor,
    flows,
    ipam,
    pages,
    providers,
    solver,
)
from benchmarks.machine import calibrate, describe
from benchmarks.report import say
from benchmarks.result import Result, keep

Parts: TypeAlias = dict[str, Callable[[], Awaitable[list[Result]]]]
"""What a benchmark measures one after the other; what one part found is kept if another fails."""

BENCHMARKS: dict[str, Parts] = {
    "delivery": {"delivery": delivery.measure},
    "pages": {"pages": pages.measure},
    "flows": {"flows": flows.measure},
    "cold": {"cold": cold.measure},
    "editor": {"editor": editor.measure},
    "solver": solver.parts(),
    "ipam": ipam.parts(),
    "hardware": bmcs.parts(),
    "providers": {"providers": providers.measure},
}


@click.command()
@click.option("--only", type=click.Choice(sorted(BENCHMARKS)), help="Run this one alone.")
@click.option("--table", "write_table", is_flag=True,
              help="Run nothing; write the kept results into docs/benchmarks.md.")  # fmt: skip
@click.option("--speed", type=click.FloatRange(1, 1_000),
              help="`delivery` alone: hardware seconds per second; 1 is real time.")  # fmt: skip
@click.option("--size", type=click.FloatRange(0.01, 1),
              help="`flows`, `hardware`, `ipam`, `solver`: a share; nothing is kept.")  # fmt: skip
@click.option("--part", "parts", multiple=True,
              help="`flows`, `hardware`, `ipam`, `solver`: these parts of one.")  # fmt: skip
def main(
    only: str | None,
    write_table: bool,
    speed: float | None,
    size: float | None,
    parts: tuple[str, ...],
) -> None:
    """Measure, print and keep. Exit 0 whether goals are met or not; 1 when one cannot run."""
    if write_table:
        say(f"written: {document.write()}")
        return
    configure_logs("console", quiet=True)
    chosen = {only: BENCHMARKS[only]} if only else dict(BENCHMARKS)
    if speed is not None:
        if only != "delivery":
            raise click.UsageError("--speed goes with --only delivery.")
        chosen = {"delivery": {"delivery": lambda: delivery.measure(speed=speed)}}
    if size is not None or parts:
        chosen = {only or "": _some(only, size or 1.0, parts)}
    try:
        failed = uvloop.run(_run(chosen, keeps=speed is None and size is None))
    except asyncio.CancelledError:
        raise SystemExit(143) from None
    if failed:
        raise click.ClickException(f"could not be measured: {', '.join(failed)}")


def _some(only: str | None, size: float, wanted: Sequence[str]) -> Parts:
    """Return the parts asked for of one benchmark, at a share of their size. Raises UsageError."""
    known: Parts
    match only:
        case "flows":
            known = {name: partial(flows.measure, size=size, parts=(name,)) for name in flows.PARTS}
        case "hardware":
            known = bmcs.parts(size)
        case "ipam" | "solver":
            known = (ipam if only == "ipam" else solver).parts(size)
        case _:
            raise click.UsageError(
                "--size and --part go with --only flows, hardware, ipam or solver."
            )
    if unknown := sorted({*wanted} - {*known}):
        raise click.UsageError(f"{only} has no part {unknown[0]}; it has {', '.join(known)}.")
    return {name: measure for name, measure in known.items() if name in wanted or not wanted}


async def _run(chosen: dict[str, Parts], *, keeps: bool) -> list[str]:
    """Return the parts that failed, by name."""
    if task := asyncio.current_task():
        # What was started is ended, whoever stops us.
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    lines: list[str] = []
    failed: list[str] = []
    for name, parts in chosen.items():
        machine = await calibrate()
        say(f"{name} on {describe(machine)}")
        at = datetime.now(UTC).isoformat(timespec="seconds")
        for part, measure in parts.items():
            try:
                results = await measure()
            except Exception as error:  # noqa: BLE001 - the other parts are measured all the same
                failed.append(name if part == name else f"{name} ({part})")
                say(_why(failed[-1], error))
                continue
            for result in results:
                dated = msgspec.structs.replace(result, at=at, machine=machine)
                if keeps:
                    keep(dated)
                lines.append(dated.line())
        say("")
    # Last, so that whoever runs it finds the verdict on the last line.
    for line in lines:
        say(line)
    return failed


def _why(part: str, error: Exception) -> str:
    if isinstance(error, Refusal):
        return f"{part} failed: {error.message}"
    return f"{part} failed:\n{''.join(traceback.format_exception(error))}"


if __name__ == "__main__":
    main()
