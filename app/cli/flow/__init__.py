"""`slipway flow` and `slipway run`."""

import click

from app.cli.commands import Commands

FLOW = {
    "bind": "app.cli.flow.change:bind",
    "diff": "app.cli.flow.look:diff_",
    "disable": "app.cli.flow.change:disable",
    "dry-run": "app.cli.flow.rehearse:dry_run",
    "enable": "app.cli.flow.change:enable",
    "export": "app.cli.flow.look:export_",
    "history": "app.cli.flow.look:history",
    "import": "app.cli.flow.change:import_",
    "list": "app.cli.flow.look:list_",
    "nodes": "app.cli.flow.check:nodes",
    "publish": "app.cli.flow.change:publish",
    "rehearse": "app.cli.flow.rehearse:rehearse",
    "roll-back": "app.cli.flow.change:roll_back",
    "schema": "app.cli.flow.check:schema",
    "start": "app.cli.flow.start:start",
    "unbind": "app.cli.flow.change:unbind",
    "validate": "app.cli.flow.check:validate",
}
RUN = {
    "approve": "app.cli.flow.steer:approve",
    "cancel": "app.cli.flow.steer:cancel",
    "export": "app.cli.flow.replay:export_",
    "list": "app.cli.flow.runs:list_",
    "orphans": "app.cli.flow.orphans:orphans",
    "replay": "app.cli.flow.replay:replay_",
    "resume": "app.cli.flow.steer:resume_",
    "settle": "app.cli.flow.steer:settle_",
    "show": "app.cli.flow.runs:show",
}


@click.group(cls=Commands, modules=FLOW)
def flow() -> None:
    """Read, check, publish and start flows."""


@click.group(cls=Commands, modules=RUN)
def run() -> None:
    """Find, read and steer runs of flows."""
