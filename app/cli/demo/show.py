"""Show a delivery in the terminal: each step with its time, until the client has access."""

import asyncio
from datetime import datetime
from uuid import UUID

import httpx
from rich.console import Console, Group
from rich.live import Live as Screen
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from app.cli.demo.processes import DemoFailed
from app.core.database import Database
from app.domain.orders.find import find_order
from app.domain.orders.views import OrderView
from app.drivers.errors import Unreachable
from app.drivers.health import ssh_banner
from app.flows.timeline import RunTimeline, StepStatus, TimelineEntry, timeline_of

REFRESH_S = 0.15
SYMBOLS = {
    StepStatus.pending: ("·", "dim"),
    StepStatus.running: ("▸", "cyan"),
    StepStatus.done: ("✓", "green"),
    StepStatus.halted: ("✗", "red"),
}
BAR_WIDTH = 24


class Delivery:
    """One order on its way, as the database tells it."""

    def __init__(self, order: OrderView, run: RunTimeline | None, now: datetime) -> None:
        self.order = order
        self.run = run
        self.now = now

    @property
    def is_over(self) -> bool:
        return self.run is not None and self.run.status in ("succeeded", "failed", "cancelled")

    @property
    def problem(self) -> str | None:
        """Return why it does not go on by itself."""
        if self.run is not None and self.run.status in ("halted", "failed", "cancelled"):
            return f"the run is {self.run.status}: {self.run.error}"
        return None


async def look(database: Database, order: UUID) -> Delivery:
    async with database.snapshot() as tx:
        view = await find_order(tx, order)
        run = await timeline_of(tx, view.run) if view.run else None
        return Delivery(view, run, tx.now())


async def follow(database: Database, order: UUID, console: Console, *, timeout_s: float) -> None:
    """Draw the delivery until it is over; without a terminal, print each finished step once."""
    printed: set[str] = set()
    with Screen(console=console, refresh_per_second=12, transient=False) as screen:
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    delivery = await look(database, order)
                    if console.is_terminal:
                        screen.update(picture(delivery))
                    else:
                        _print_new(console, delivery, printed)
                    if delivery.problem:
                        raise DemoFailed(f"The order was not delivered; {delivery.problem}.")
                    if delivery.is_over:
                        return
                    await asyncio.sleep(REFRESH_S)
        except TimeoutError:
            raise DemoFailed(f"The order was not delivered within {timeout_s:g} s.") from None


def picture(delivery: Delivery) -> Group:
    """Return the order's head line, its steps, and the overall progress."""
    table = Table.grid(padding=(0, 2))
    entries = delivery.run.entries if delivery.run else ()
    for entry in entries:
        symbol, style = SYMBOLS[entry.status]
        table.add_row(
            Text(symbol, style=style),
            Text(entry.label, style="" if entry.status is not StepStatus.pending else "dim"),
            Text(_time(entry, delivery.now), style="dim"),
            _detail(entry),
        )
    head = Text.assemble(
        (f"Order {delivery.order.number} ", "bold"),
        f"{delivery.order.product_name}, {delivery.order.hostname}",
    )
    return Group(head, table)


def _detail(entry: TimelineEntry) -> Text | Table:
    if entry.status is StepStatus.running and entry.percent is not None:
        row = Table.grid(padding=(0, 1))
        row.add_row(
            ProgressBar(total=100, completed=entry.percent, width=BAR_WIDTH),
            Text(f"{entry.percent} % {entry.says}", style="cyan"),
        )
        return row
    return Text(entry.says if entry.status is not StepStatus.done else "", style="cyan")


def _time(entry: TimelineEntry, now: datetime) -> str:
    elapsed = entry.elapsed(now)
    return "" if elapsed is None else f"{elapsed.total_seconds():6.2f} s"


def _print_new(console: Console, delivery: Delivery, printed: set[str]) -> None:
    """Print finished steps in the order of the flow; a later one waits for those before it."""
    for entry in delivery.run.entries if delivery.run else ():
        if entry.status is not StepStatus.done:
            return
        if entry.node not in printed:
            printed.add(entry.node)
            console.print(f"  ✓ {entry.label:<28} {_time(entry, delivery.now)}")


async def await_mail(lab_url: str, recipient: str, subject_part: str, *, timeout_s: float) -> str:
    """Return the subject of the credentials mail once it is in the mailbox."""
    async with httpx.AsyncClient(base_url=lab_url, trust_env=False) as client:
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    mails = (await client.get("/api/mailbox", params={"to": recipient})).json()
                    for mail in mails:
                        if subject_part in mail["subject"]:
                            return str(mail["subject"])
                    await asyncio.sleep(REFRESH_S)
        except TimeoutError:
            raise DemoFailed(
                f"No mail about {subject_part} reached {recipient} within {timeout_s:g} s."
            ) from None


async def await_answer(address: str, port: int, *, timeout_s: float) -> str:
    """Return the SSH banner of the delivered machine."""
    try:
        return await ssh_banner(address, port, deadline_s=timeout_s)
    except Unreachable as error:
        raise DemoFailed(f"The machine does not answer: {error}") from error
