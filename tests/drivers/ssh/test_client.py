"""The SSH client against a real server."""

import asyncio
import logging
from collections.abc import AsyncIterator

import asyncssh
import pytest

from app.drivers.egress import Egress, EgressDenied
from app.drivers.errors import Refused, Unanswered, Unauthorised, Unreachable
from app.drivers.secret import Secret
from app.drivers.ssh.client import SshClient
from tests.drivers.http.peer import raw_server
from tests.drivers.process import free_port
from tests.drivers.ssh.host import PASSWORD, Sshd, sshd

CLIENT = SshClient(Egress(["127.0.0.0/8"]))


@pytest.fixture
async def host() -> AsyncIterator[Sshd]:
    async with sshd() as served:
        yield served


async def test_a_command_and_what_it_left(host: Sshd) -> None:
    ran = await CLIENT.run(host.at(), "cat; echo done; echo oh >&2; exit 3", stdin="in\n")
    assert (ran.exit_status, ran.signal) == (3, "")
    assert (ran.stdout, ran.stderr, ran.is_cut) == ("in\ndone\n", "oh\n", False)


@pytest.mark.parametrize("passphrase", [None, "open sesame"])
async def test_a_key_lets_in_too(host: Sshd, passphrase: str | None) -> None:
    key = host.user_key.export_private_key(passphrase=passphrase).decode()
    at = host.at(
        password=None,
        private_key=Secret(key),
        passphrase=Secret(passphrase) if passphrase else None,
    )
    assert (await CLIENT.run(at, "echo hi")).stdout == "hi\n"


async def test_who_is_not_let_in(host: Sshd) -> None:
    stranger = asyncssh.generate_private_key("ssh-ed25519").export_private_key().decode()
    for facts in (
        {"password": Secret("wrong")},
        {"username": "bob"},
        {"password": None, "private_key": Secret(stranger)},
        {"password": None},
    ):
        with pytest.raises(Unauthorised, match="does not let"):
            await CLIENT.run(host.at(**facts), "echo hi")
    assert host.commands == []


async def test_another_host_key_than_the_pinned_is_not_spoken_to(host: Sshd) -> None:
    for kind, words in (("ssh-ed25519", "another than the one"), ("ssh-rsa", "host key")):
        other = asyncssh.generate_private_key(kind).export_public_key().decode()
        with pytest.raises(Refused, match=words) as failed:
            await CLIENT.run(host.at(host_keys=(other,)), "echo hi")
        assert failed.value.field == "host_key"
    both = host.at(host_keys=(other, host.public_key))
    assert (await CLIENT.run(both, "echo hi")).exit_status == 0
    assert host.commands == ["echo hi"]


@pytest.mark.parametrize("keys", [(), ("nonsense",), ("SHA256:abc",)])
async def test_without_a_pinned_key_nothing_is_done(host: Sshd, keys: tuple[str, ...]) -> None:
    with pytest.raises(Refused, match="host_key"):
        await CLIENT.run(host.at(host_keys=keys), "echo hi")
    assert host.connections == []


async def test_a_private_key_that_is_none(host: Sshd) -> None:
    locked = host.user_key.export_private_key(passphrase="x").decode()
    for key in ("nonsense", locked):
        with pytest.raises(Refused, match="private_key"):
            await CLIENT.run(host.at(private_key=Secret(key)), "echo hi")


async def test_output_without_end_is_bounded(host: Sshd) -> None:
    ran = await CLIENT.run(host.at(), "flood", limit_bytes=1_000)
    assert ran.stdout == "o" * 1_000
    assert ran.stderr == "e" * 993 + "the end"
    assert ran.is_cut
    assert not (await CLIENT.run(host.at(), "printf 12345", limit_bytes=5)).is_cut


async def test_a_command_that_was_killed(host: Sshd) -> None:
    ran = await CLIENT.run(host.at(), "killed")
    assert (ran.exit_status, ran.signal) == (None, "KILL")


async def test_a_connection_lost_in_the_middle_leaves_it_open(host: Sshd) -> None:
    with pytest.raises(Unanswered, match="connection broke"):
        await CLIENT.run(host.at(), "drop")
    assert host.commands == ["drop"]


async def test_giving_up_ends_the_connection(host: Sshd) -> None:
    running = asyncio.create_task(CLIENT.run(host.at(), "hang"))
    await host.started.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await asyncio.wait_for(host.gone.wait(), 30)


async def test_nobody_answers() -> None:
    async with sshd() as gone:
        at = gone.at(port=free_port())
    with pytest.raises(Unreachable):
        await CLIENT.run(at, "echo hi")


async def test_what_answers_is_no_ssh_server(host: Sshd) -> None:
    async with raw_server(b"HTTP/1.1 400 Bad Request\r\n\r\n") as url:
        with pytest.raises(Unreachable):
            await CLIENT.run(host.at(port=int(url.rpartition(":")[2])), "echo hi")


async def test_the_egress_policy_holds_for_ssh(host: Sshd) -> None:
    for name in ("127.0.0.1", "localhost"):
        with pytest.raises(EgressDenied):
            await SshClient().run(host.at(host=name), "echo hi")
    assert host.connections == []


async def test_its_password_is_in_no_output_and_no_log(
    host: Sshd, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("asyncssh").setLevel(logging.WARNING)
    ran = await CLIENT.run(host.at(), "leak")
    assert ran.stdout == "your password is ••••••�"
    assert PASSWORD not in caplog.text
    assert "leak" not in caplog.text


async def test_it_says_who_it_is(host: Sshd) -> None:
    assert (await CLIENT.greet(host.at())).startswith("SSH-2.0-AsyncSSH")
    assert host.commands == []
