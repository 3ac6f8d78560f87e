"""action.ssh against a real SSH server."""

from typing import Any

import msgspec
import pytest

from app.domain.connections.kinds import Kind
from app.drivers.errors import Refused, Unauthorised
from app.flows.node import Done, Idempotency, StepFailed
from app.flows.nodes.ssh import Params, command_line, node, ports_of, stdin
from tests.drivers.ssh.host import PASSWORD, Sshd, sshd
from tests.flows.actions.bench import Bench, output

HOSTILE = 'x\'; echo hacked; $(echo hacked) `echo hacked` && echo "$HOME"\necho hacked'


async def connect(bench: Bench, host: Sshd, **typed: str) -> None:
    given = {
        "host": "127.0.0.1", "port": str(host.port), "username": "ada",
        "host_keys": host.public_key, "login": "password", "secret": PASSWORD,
    }  # fmt: skip
    await bench.connect("backup", Kind.SSH, **{**given, **typed})


async def test_a_command_and_a_script(bench: Bench) -> None:
    async with sshd() as host:
        await connect(bench, host)
        assert await bench.do(node, connection="backup", command="echo hi; echo oh >&2") == {
            "exit_status": 0, "stdout": "hi\n", "stderr": "oh\n", "is_cut": False,
        }  # fmt: skip
        done = await bench.do(
            node, connection="backup", script='echo "$HOST got $1"\n', arguments=["a b"],
            environment={"HOST": "web 1"},
        )  # fmt: skip
        assert done["stdout"] == "web 1 got a b\n"
        done = await bench.do(node, connection="backup", command="cat", script="by input")
        assert done["stdout"] == "by input"


async def test_what_a_client_typed_is_never_a_command(bench: Bench) -> None:
    async with sshd() as host:
        await connect(bench, host)
        for given in (
            {"command": "printf %s", "arguments": [HOSTILE]},
            {"command": 'printf %s "$V"', "environment": {"V": HOSTILE}},
            {"script": 'printf %s "$V"', "environment": {"V": HOSTILE}},
            {"script": 'printf %s "$1"', "arguments": [HOSTILE]},
        ):
            assert (await bench.do(node, connection="backup", **given))["stdout"] == HOSTILE


async def test_output_is_read_as_json(bench: Bench) -> None:
    async with sshd() as host:
        await connect(bench, host)
        done = await bench.do(
            node, connection="backup", command="echo '{\"id\": 7}'", read_as="json"
        )
        assert done["stdout"] == {"id": 7}
        for command, words in (
            ("echo no", "of its output it is not JSON"),
            ("flood", "larger than"),
        ):
            with pytest.raises(StepFailed, match=words) as failed:
                await bench.do(node, connection="backup", command=command, read_as="json")
            assert not failed.value.transient


async def test_what_exit_codes_mean(bench: Bench) -> None:
    async with sshd() as host:
        await connect(bench, host)
        meaning = {"success": [0, 9], "again": [75], "exits": {"3": "exists"}}
        for code, port in ((0, "out"), (9, "out"), (3, "exit:exists")):
            given = {"connection": "backup", "command": f"exit {code}", **meaning}
            result = await bench.enter(node, given)
            assert isinstance(result, Done)
            assert (result.port, output(result)["exit_status"]) == (port, code)
        for command, transient, words in (
            ("echo the disk is full >&2; exit 1", False, "ended with 1: the disk is full"),
            ("echo busy; exit 75", True, "ended with 75: busy"),
            ("killed", False, "was killed by KILL"),
        ):
            with pytest.raises(StepFailed, match=words) as failed:
                await bench.do(node, connection="backup", command=command, **meaning)
            assert (failed.value.transient, failed.value.unknown) == (transient, False)


async def test_a_broken_connection_leaves_it_open(bench: Bench) -> None:
    async with sshd() as host:
        await connect(bench, host)
        with pytest.raises(StepFailed) as failed:
            await bench.do(node, connection="backup", command="drop")
        assert (failed.value.transient, failed.value.unknown) == (True, True)


async def test_who_is_not_let_in_and_who_is_another(bench: Bench) -> None:
    async with sshd() as host, sshd() as other:
        await connect(bench, host, secret="wrong")
        with pytest.raises(Unauthorised):
            await bench.do(node, connection="backup", command="id")
    async with sshd() as host:
        await bench.connect(
            "moved", Kind.SSH, host="127.0.0.1", port=str(host.port), username="ada",
            host_keys=other.public_key, login="password", secret=PASSWORD,
        )  # fmt: skip
        with pytest.raises(Refused, match="host_key"):
            await bench.do(node, connection="moved", command="id")
        assert host.commands == []


async def test_nothing_to_run(bench: Bench) -> None:
    with pytest.raises(StepFailed, match="nothing to run"):
        await bench.do(node, connection="backup")


def test_what_the_remote_shell_is_given() -> None:
    params = Params(connection="x", command="do", arguments=("a b", 7), environment={"A": "it's"})
    assert command_line(params) == "export A='it'\"'\"'s'\ndo 'a b' 7"
    params = Params(connection="x", script="echo\n", environment={"A": 1})
    assert (command_line(params), stdin(params)) == ("/bin/sh -s --", "export A=1\necho\n")


@pytest.mark.parametrize(
    "bad",
    [
        {"environment": {"A B": "x"}},
        {"environment": {"A=$(id)": "x"}},
        {"success": []},
        {"success": [256]},
        {"exits": {"x": "y"}},
        {"exits": {"3": "a:b"}},
        {"read_as": "xml"},
    ],
)
def test_parameters_that_are_none(bad: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"connection": "x", "command": "y", **bad}, Params)


def test_ports_and_policy() -> None:
    assert ports_of({}) == ("out",)
    assert ports_of({"exits": {"3": "exists", "4": "exists", "5": "full"}}) == (
        "out", "exit:exists", "exit:full",
    )  # fmt: skip
    assert ports_of({"exits": "=input.exits"}) == ("out",)
    assert ports_of({"exits": {"3": 7, "4": "a:b", "5": ""}}) == ("out",)
    assert node.idempotency is Idempotency.NONE
    assert node.idempotency_of is None
    assert node.says is not None
    assert node.says(Params(connection="x", script="a\nb")) == "Runs on x: a b"
