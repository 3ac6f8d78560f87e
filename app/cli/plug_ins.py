"""`slipway plug-ins`: what other packages add, and what is wrong with it."""

import click

from app.cli.say import json_option, say_json
from app.flows.plug_ins import list_plug_ins


@click.command("plug-ins")
@json_option
def plug_ins(as_json: bool) -> None:
    """List the packages that add providers, nodes and flows; exit 1 when one is faulty.

    What is faulty is left out, and everything else works. A running process has what was
    installed when it began: restart `serve` and `worker` after a change.
    """
    found = list_plug_ins()
    if as_json:
        say_json(found)
    elif not found:
        click.echo("No other package adds anything.")
    else:
        for one in found:
            click.echo(f"{one.package} {one.version}".rstrip())
            for thing in one.adds:
                click.echo(f"  {thing}")
            for words in one.faults:
                click.echo(f"  {click.style('faulty', fg='red')}: {words}")
    if any(one.faults for one in found):
        raise SystemExit(1)
