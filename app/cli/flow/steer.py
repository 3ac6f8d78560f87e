"""`slipway run resume`, `settle`, `approve`, `cancel`: what a person may do to a run."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import click

from app.cli.database import with_database
from app.cli.flow.json_value import JsonValue, NodeEdit, place_of
from app.core.database import Database, Tx
from app.flows.find import find_run_row
from app.flows.search import version_for
from app.flows.steer import By, cancel_run, decide, resume, settle

run_argument = click.argument("run_id", metavar="RUN", type=click.UUID)
step_argument = click.argument("step", metavar="STEP")


@click.command("resume")
@run_argument
@click.option(
    "--edit",
    "edits",
    multiple=True,
    type=NodeEdit(),
    metavar="STEP=JSON",
    help="Other parameters for a halted step, in place of its document's; JSON or @FILE.",
)
@click.option("--version", type=click.IntRange(min=1), help="Go on with this version of its flow.")
def resume_(
    run_id: UUID, edits: tuple[tuple[tuple[str, str], dict[str, Any]], ...], version: int | None
) -> None:
    """Let the halted steps of RUN be tried again; what is finished is not done again."""

    async def steer(tx: Tx) -> None:
        other = None if version is None else await version_for(tx, run_id, version)
        await resume(tx, run_id, edits=dict(edits), version=other, by=_by("resume"))

    _steer(run_id, steer)
    click.echo("The run goes on.")


@click.command("settle")
@run_argument
@step_argument
@click.option("--happened/--did-not-happen", required=True, help="What you found when you looked.")
@click.option("--output", type=JsonValue(), help="What it gave, if it happened; JSON or @FILE.")
def settle_(run_id: UUID, step: str, happened: bool, output: Any) -> None:
    """Say what became of STEP of RUN, which nobody knows the outcome of.

    STEP is a node's id, or SCOPE:NODE inside a loop, such as /attempts:2:install.
    """
    if output is not None and not happened:
        raise click.UsageError("What did not happen has no output.")
    scope, node = place_of(step)

    async def steer(tx: Tx) -> None:
        await settle(
            tx,
            run_id,
            scope=scope,
            node=node,
            happened=happened,
            output=output,
            by=_by("settle"),
        )

    _steer(run_id, steer)
    click.echo(f"{node} counts as done." if happened else f"{node} is tried again.")


@click.command()
@run_argument
@step_argument
@click.option("--reject", is_flag=True, help="Reject it instead.")
@click.option("--note", default="", help="Why; the flow sees it.")
def approve(run_id: UUID, step: str, reject: bool, note: str) -> None:
    """Approve what STEP of RUN waits for, or reject it.

    STEP is a node's id, or SCOPE:NODE inside a loop.
    """
    scope, node = place_of(step)
    decision = "rejected" if reject else "approved"

    async def steer(tx: Tx) -> None:
        await decide(
            tx, run_id, scope=scope, node=node, decision=decision, note=note, by=_by("approve")
        )

    _steer(run_id, steer)
    click.echo(f"{node} is {decision}.")


@click.command()
@run_argument
@click.option("--reason", required=True, help="Kept in the audit trail.")
def cancel(run_id: UUID, reason: str) -> None:
    """Ask RUN to undo what it did and end; a worker does it."""
    _steer(run_id, lambda tx: cancel_run(tx, run_id, by=_by("cancel"), reason=reason))
    click.echo("The run is being stopped.")


def _steer(run: UUID, steer: Callable[[Tx], Awaitable[None]]) -> None:
    async def verb(database: Database) -> None:
        async with database.transaction() as tx:
            row = await find_run_row(tx, run)
            await steer(tx)
            if row.order_id is not None:
                tx.publish(f"order:{row.order_id}")

    with_database(verb)


def _by(command: str) -> By:
    return By(None, f"slipway run {command}")
