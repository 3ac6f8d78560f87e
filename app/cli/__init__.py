"""The `slipway` command."""

from importlib import import_module

import click

from app.core.errors import Refusal


class Commands(click.Group):
    """Loads a command's module when it is called, so that `--help` stays fast."""

    modules = {  # noqa: RUF012 - a constant table
        "assets": "app.cli.assets:assets",
        "connection": "app.cli.connection:connection",
        "demo": "app.cli.demo.command:demo",
        "doctor": "app.cli.doctor:doctor",
        "flow": "app.cli.flow.flow:flow",
        "import": "app.cli.import_:import_",
        "key": "app.cli.key:key",
        "migrate": "app.cli.migrate:migrate",
        "run": "app.cli.flow.run:run",
        "serve": "app.cli.serve:serve",
        "token": "app.cli.token:token",
        "user": "app.cli.user:user",
        "worker": "app.cli.worker:worker",
    }

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return sorted(self.modules)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        target = self.modules.get(cmd_name)
        if target is None:
            return None
        module, _, name = target.partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def invoke(self, ctx: click.Context) -> object:
        """Show a refusal as one clear message instead of a traceback."""
        try:
            return super().invoke(ctx)
        except Refusal as error:
            raise click.ClickException(error.message) from error


@click.group(cls=Commands)
@click.version_option(package_name="slipway")
def main() -> None:
    """Slipway: from the moment a client pays to the moment credentials arrive, no human hand."""
