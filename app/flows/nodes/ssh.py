"""action.ssh: run a command or a script on another machine."""

import re
import shlex
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from app.drivers.http.body import BadBody, decode
from app.drivers.ssh.contract import Ran, SshHost
from app.flows.doubt import Doubts
from app.flows.node import Done, Effect, Idempotency, NodeType, Step, StepFailed

LONGEST_WORDS_CHARS = 500
_PORT = re.compile(r"[^:\n]{1,40}")
Exit = Annotated[int, Meta(ge=0, le=255)]
ExitText = Annotated[str, Meta(pattern="^[0-9]{1,3}$")]
PortName = Annotated[str, Meta(pattern="^[^:\n]{1,40}$")]
EnvName = Annotated[str, Meta(pattern="^[A-Za-z_][A-Za-z0-9_]*$")]


class Params(msgspec.Struct, frozen=True, kw_only=True):
    connection: Annotated[
        str,
        Meta(
            title="Connection",
            description="The connection of kind ssh that says which host it is and who we are "
            "there.",
            examples=["backup-host"],
            min_length=1,
            extra_json_schema={"x-connection": "ssh"},
        ),
    ]
    command: Annotated[
        str,
        Meta(
            title="Command",
            description="What the login's shell runs. Values belong into `arguments` or "
            "`environment`, where no shell reads them as commands.",
            examples=["/usr/local/bin/add-backup"],
        ),
    ] = ""
    script: Annotated[
        str,
        Meta(
            title="Script",
            description="Lines for the command's standard input, or, without a command, for "
            "/bin/sh.",
            examples=['set -eu\nmkdir -p "/backup/$HOST"\n'],
        ),
    ] = ""
    arguments: Annotated[
        tuple[str | int | float, ...],
        Meta(
            title="Arguments",
            description="Added to the command, each as one word whatever it holds.",
            examples=[["--host", "=input.hostname"]],
        ),
    ] = ()
    environment: Annotated[
        dict[EnvName, str | int | float],
        Meta(
            title="Environment",
            description="Variables that the command or script sees.",
            examples=[{"HOST": "=input.hostname"}],
        ),
    ] = {}
    success: Annotated[
        tuple[Exit, ...],
        Meta(
            title="Success",
            description="Exit codes that are no failure.",
            examples=[[0]],
            min_length=1,
        ),
    ] = (0,)
    again: Annotated[
        tuple[Exit, ...],
        Meta(
            title="Try again",
            description="Exit codes of failures that the node's retry policy tries again.",
            examples=[[75]],
        ),
    ] = ()
    exits: Annotated[
        dict[ExitText, PortName],
        Meta(
            title="Ports by exit code",
            description="Names of further ports, by the exit code that leaves by them.",
            examples=[{"3": "exists"}],
        ),
    ] = {}
    read_as: Annotated[
        Literal["text", "json"],
        Meta(
            title="Read output as",
            description="What standard output is: text, or json, which gives its value.",
            examples=["json"],
        ),
    ] = "text"


class Output(msgspec.Struct, frozen=True):
    exit_status: Annotated[int, Meta(description="The exit code.")]
    stdout: Annotated[
        Any,
        Meta(description="Its beginning, up to 64 KiB; a value where it is read as JSON."),
    ]
    stderr: Annotated[str, Meta(description="Its end, up to 64 KiB.")]
    is_cut: Annotated[bool, Meta(description="Whether there was more of either.")]


async def do(step: Step, params: Params) -> Done:
    """Run it once. Nobody knows what a command does when it is run twice: see the policy."""
    if not params.command and not params.script:
        raise StepFailed("there is nothing to run; give a command or a script")
    host = await step.tools.connections.get(step, params.connection, SshHost)
    with Doubts():
        ran: Ran = await step.tools.peers.ssh.run(host, command_line(params), stdin=stdin(params))
    port = params.exits.get(str(ran.exit_status), "")
    if not port and ran.exit_status not in params.success:
        raise _failure(params, ran)
    stdout = ran.stdout if params.read_as == "text" else _json(ran)
    output = Output(ran.exit_status or 0, stdout, ran.stderr, ran.is_cut)
    return Done(output, f"exit:{port}" if port else "out")


def command_line(params: Params) -> str:
    """Return what the remote shell is given; values in it are quoted."""
    command = params.command or "/bin/sh -s --"
    line = " ".join((command, *(shlex.quote(str(one)) for one in params.arguments)))
    if not params.command:
        return line  # the script sets its variables itself
    return "".join(_exports(params)) + line


def stdin(params: Params) -> str:
    if params.command or not params.environment:
        return params.script
    return "".join(_exports(params)) + params.script


def _exports(params: Params) -> list[str]:
    # Servers rarely let clients set variables: they are set by the shell.
    return [
        f"export {name}={shlex.quote(str(value))}\n" for name, value in params.environment.items()
    ]


def _failure(params: Params, ran: Ran) -> StepFailed:
    how = f"was killed by {ran.signal}" if ran.signal else f"ended with {ran.exit_status}"
    words = " ".join((ran.stderr or str(ran.stdout)).split())[-LONGEST_WORDS_CHARS:]
    message = f"the command {how}" + (f": {words}" if words else "")
    return StepFailed(message, transient=ran.exit_status in params.again)


def _json(ran: Ran) -> Any:
    if ran.is_cut:
        raise StepFailed("the command was run, but its output is larger than 64 KiB")
    try:
        return decode(ran.stdout.encode(), "", "json")
    except BadBody as error:
        raise StepFailed(f"the command was run, but of its output {error}") from error


def ports_of(params: Mapping[str, Any]) -> tuple[str, ...]:
    """Return `out`, and a port for each name in `exits`."""
    exits = params.get("exits")
    named = exits.values() if isinstance(exits, dict) else ()
    wanted = (name for name in named if isinstance(name, str) and _PORT.fullmatch(name))
    return ("out", *dict.fromkeys(f"exit:{name}" for name in wanted))


def says(params: Params) -> str:
    what = " ".join((params.command or params.script).split())[:200]
    return f"Runs on {params.connection}: {what}"


node = NodeType(
    name="action.ssh",
    title="SSH command",
    summary="Runs a command or a script on another machine.",
    params=Params,
    effect=Effect.OUTSIDE,
    do=do,
    ports_of=ports_of,
    output=Output,
    idempotency=Idempotency.NONE,
    says=says,
    docs="""
Signs in to the host of a connection of kind ssh, whose host key is pinned there, and runs a
command, or a script by `/bin/sh`.

```json
{
  "connection": "backup-host",
  "command": "/usr/local/bin/add-backup",
  "arguments": ["--host", "${input.hostname}"],
  "exits": {"3": "exists"}
}
```

**Values** that come from a client belong into `arguments` or `environment`: each is one word there,
whatever is in it. Written into the command itself, a host name such as `x; rm -rf /` would be a
command of its own.

**Exit codes**: those in `success` leave by `out`, those in `exits` by ports of their own
(`exit:exists`), all others fail the step with the end of what the command wrote to standard error.
Codes in `again` are tried again by the node's retry policy.

**Twice or not at all**: after a crash, or when the connection breaks, nobody knows whether the
command has run, and the run halts for a person. If it may run twice, set the node's idempotency to
`key`.
""",
)
