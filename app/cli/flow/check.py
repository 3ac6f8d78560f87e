"""`slipway flow validate`, `nodes`, `schema`: what documents may say; no database is needed."""

from pathlib import Path

import click

from app.cli.say import json_option, say_json, say_rows
from app.core.errors import NotFound, Refusal
from app.flows.node import NodeType
from app.flows.node_docs import params_schema
from app.flows.registry import node_types, versions_of
from app.flows.schema import flow_schema
from app.flows.transfer import read
from app.flows.validate import Problem, problems_of
from app.routes.api.flow_json import flaw
from app.routes.api.node_types import node_type_detail, node_type_line


@click.command()
@click.argument(
    "paths",
    metavar="FILE...",
    nargs=-1,
    required=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
)
@click.option("--strict", is_flag=True, help="Exit 1 for warnings, too.")
@json_option
def validate(paths: tuple[Path, ...], strict: bool, as_json: bool) -> None:
    """Say what is wrong with each flow FILE; exit 1 when one could not be published."""
    found = {path: _problems(path) for path in paths}
    if as_json:
        say_json({str(path): [flaw(one) for one in problems] for path, problems in found.items()})
    else:
        for path, problems in found.items():
            for one in problems:
                click.echo(f"{path}: {one.severity}: {one}")
    if any(strict or one.is_error for problems in found.values() for one in problems):
        raise SystemExit(1)


def _problems(path: Path) -> list[Problem]:
    try:
        return problems_of(read(path.read_bytes()))
    except Refusal as refusal:  # no document at all
        return [Problem("", "document", refusal.message)]


@click.command()
@click.argument("type_name", metavar="[TYPE]", required=False)
@json_option
def nodes(type_name: str | None, as_json: bool) -> None:
    """List the node types that are installed, or tell how TYPE is used."""
    if type_name is None:
        kinds = [kind for _, kind in sorted(node_types().items())]
        if as_json:
            say_json([node_type_line(kind) for kind in kinds])
            return
        say_rows(
            ("TYPE", "V", "EFFECT", "WHAT IT DOES"),
            [(kind.name, str(kind.version), kind.effect.value, kind.summary) for kind in kinds],
        )
        return
    found = versions_of(type_name)
    if not found:
        raise NotFound("node type", type_name)
    if as_json:
        say_json(node_type_detail(found[0]))
    else:
        click.echo("\n".join(_told(found[0])))


def _told(kind: NodeType) -> list[str]:
    ports = ", ".join((*kind.ports, "error"))
    told = [f"{kind.name} v{kind.version}: {kind.title}", kind.summary, "", f"Ports: {ports}"]
    fields = params_schema(kind)
    for name in fields.get("$defs", {}).values():
        fields = name if name.get("title") == kind.params.__name__ else fields
    required = set(fields.get("required", ()))
    told += ["", "With:"] if fields.get("properties") else []
    for name, field in fields.get("properties", {}).items():
        need = "" if name in required else " (optional)"
        told.append(f"  {name}{need}  {field.get('description', '')}".rstrip())
    return [*told, "", kind.docs.strip()] if kind.docs else told


@click.command()
def schema() -> None:
    """Print the JSON Schema of flow documents with the node types that are installed."""
    say_json(flow_schema())
