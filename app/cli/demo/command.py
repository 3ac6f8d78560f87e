"""`slipway demo`: start everything, order a server, show its delivery, go on serving."""

import asyncio
import contextlib
import signal
import time
from pathlib import Path

import click
import uvloop
from rich.console import Console

from app.cli.demo.browser import PortalClient, SoldOut
from app.cli.demo.claim import FolderClaim, remove_data
from app.cli.demo.pay import pay_by_card
from app.cli.demo.processes import DemoFailed
from app.cli.demo.show import await_answer, await_mail, follow
from app.cli.demo.stack import Plan, Stack
from app.core.logs import configure_logs
from app.domain.addresses.find import addresses_of
from app.domain.orders.find import list_orders
from app.domain.orders.views import OrderView

DELIVERY_TIMEOUT_S = 180.0
MAIL_TIMEOUT_S = 30.0
ANSWER_TIMEOUT_S = 30.0
PRODUCT = "metal-s"


@click.command()
@click.option("--once", is_flag=True, help="End when the order is delivered; 0 if it was.")
@click.option("--port", type=click.IntRange(0, 65_535), help="TCP port of the portal.")
@click.option("--speed", type=click.FloatRange(1, 1_000), default=60.0, show_default=True,
              help="How much faster than real hardware the simulated datacentre is.")  # fmt: skip
@click.option("--data-dir", type=click.Path(path_type=Path), default=Path(".data/demo"),
              show_default=True, help="Where the demo keeps its data.")  # fmt: skip
@click.option("--clean", is_flag=True, help="Remove the demo's data, and do nothing else.")
def demo(once: bool, port: int | None, speed: float, data_dir: Path, clean: bool) -> None:
    """Order a dedicated server and watch it being delivered, with no human hand."""
    configure_logs("console", quiet=True)
    if clean:
        remove_data(data_dir)
        return
    claim = FolderClaim(data_dir)
    stack = Stack(Plan(data_dir=data_dir, port=port, speed=speed))
    try:
        uvloop.run(_demo(stack, Console(), once=once))
    except asyncio.CancelledError:
        raise SystemExit(130) from None
    finally:
        claim.release()


async def _demo(stack: Stack, console: Console, *, once: bool) -> None:
    task = asyncio.current_task()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel if task else loop.stop)
    began = time.monotonic()
    try:
        with console.status("Starting PostgreSQL, Redis, the datacentre, web and worker…"):
            await stack.start()
        console.print(f"Everything runs after {time.monotonic() - began:.1f} s.\n")
        _print_addresses(stack, console)
        try:
            await _order(stack, console)
        except SoldOut as error:
            if once:
                raise
            console.print(f"\n[yellow]{error.message}[/]")
        if not once:
            console.print("\nThe portal goes on serving. [bold]Ctrl-C[/] stops everything.")
            ended = await stack.processes.until_one_ends()
            raise DemoFailed(f"{ended.name} ended by itself:\n{ended.said()}")
    finally:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.shield(_stop(stack, console))


async def _stop(stack: Stack, console: Console) -> None:
    with console.status("Stopping…"):
        await stack.stop()


def _print_addresses(stack: Stack, console: Console) -> None:
    logins = stack.logins
    rows = (
        ("Portal", stack.base_url, f"{logins.client.email} / {logins.client.password}"),
        ("Admin", f"{stack.base_url}/admin", f"{logins.owner.email} / {logins.owner.password}"),
        ("Datacentre", stack.lab.url, "simulated: break its machines here"),
        ("Mailbox", f"{stack.lab.url}/mailbox", "every mail that is sent"),
    )
    for name, url, note in rows:
        console.print(f"  [bold]{name:<11}[/]{url}", soft_wrap=True)
        console.print(f"  {'':<11}[dim]{note}[/]", soft_wrap=True)
    folder = stack.plan.data_dir
    console.print(
        f"  [bold]{'Command':<11}[/]SLIPWAY_DATA_DIR={folder} .venv/bin/slipway --help",
        soft_wrap=True,
    )


async def _order(stack: Stack, console: Console) -> None:
    """Order and pay through the portal, follow the delivery, and knock at the machine."""
    number = await _order_count(stack) + 1
    hostname = f"web{number}.slipway.example"
    console.print(f"\nOrdering {PRODUCT} as {hostname}, paid by card…")
    client = PortalClient(stack.base_url)
    try:
        await client.sign_in(stack.logins.client)
        await client.order(PRODUCT, hostname=hostname, os="debian-12", extra_ipv4="1")
        order = await _ordered(stack, hostname)
        await pay_by_card(client.http, stack.payments, f"/invoices/{order.invoice_id}")
    finally:
        await client.close()
    began = time.monotonic()
    await follow(stack.database, order.id, console, timeout_s=DELIVERY_TIMEOUT_S)
    subject = await await_mail(
        stack.lab.url, stack.logins.client.email, hostname, timeout_s=MAIL_TIMEOUT_S
    )
    async with stack.database.snapshot() as tx:
        address = str((await addresses_of(tx, order.id)).ip4[0].address)
    banner = await await_answer(address, stack.lab.ssh_port, timeout_s=ANSWER_TIMEOUT_S)
    console.print(f"\n  ✉ “{subject}” is in the mailbox.", soft_wrap=True)
    console.print(f"  ⇄ {address}:{stack.lab.ssh_port} answers: {banner}")
    console.print(
        f"\n[green]Delivered in {time.monotonic() - began:.1f} s[/], "
        f"with the datacentre at {stack.plan.speed:g} × real speed."
    )


async def _order_count(stack: Stack) -> int:
    async with stack.database.snapshot() as tx:
        return int(await tx.fetchval("SELECT count(*) FROM client_order"))


async def _ordered(stack: Stack, hostname: str) -> OrderView:
    """Return the order that the portal has just taken."""
    async with stack.database.snapshot() as tx:
        page = await list_orders(tx, search=hostname)
    if not page.items:
        raise DemoFailed("The portal took the order, but there is none.")
    return page.items[0]
