"""The `slipway` command."""

import click

from app.cli.commands import Commands
from app.core.errors import Refusal

MODULES = {
    "allocate": "app.cli.allocate:allocate",
    "assets": "app.cli.assets:assets",
    "connection": "app.cli.connection:connection",
    "demo": "app.cli.demo.command:demo",
    "dhcp": "app.cli.dhcp:dhcp",
    "doctor": "app.cli.doctor:doctor",
    "flow": "app.cli.flow:flow",
    "import": "app.cli.import_:import_",
    "ipam": "app.cli.ipam:ipam",
    "key": "app.cli.key:key",
    "migrate": "app.cli.migrate:migrate",
    "plug-ins": "app.cli.plug_ins:plug_ins",
    "run": "app.cli.flow:run",
    "serve": "app.cli.serve:serve",
    "token": "app.cli.token:token",
    "user": "app.cli.user:user",
    "worker": "app.cli.worker:worker",
}


class Slipway(Commands):
    def invoke(self, ctx: click.Context) -> object:
        """Show a refusal as one clear message instead of a traceback."""
        try:
            return super().invoke(ctx)
        except Refusal as error:
            raise click.ClickException(error.message) from error


@click.group(cls=Slipway, modules=MODULES)
@click.version_option(package_name="slipway")
def main() -> None:
    """Slipway: from the moment a client pays to the moment credentials arrive, no human hand."""
