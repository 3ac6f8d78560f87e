"""The shell of the installers: control flow, files, and what curl and wget send."""

from dataclasses import dataclass, field
from urllib.parse import parse_qs

import pytest

from lab.network import Answer, Unreachable
from lab.shell import Shell
from lab.shell_programs import PROGRAMS


@dataclass
class Wire:
    """Records requests; answers from `pages`, 404 otherwise."""

    pages: dict[str, str] = field(default_factory=dict)
    sent: list[tuple[str, str, str]] = field(default_factory=list)

    async def request(
        self,
        method: str,
        url: str,
        *,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        limit_s: float = 30.0,
    ) -> Answer:
        if "down" in url:
            raise Unreachable(f"{url}: refused")
        self.sent.append((method, url, (body or b"").decode()))
        found = url in self.pages
        return Answer(200 if found else 404, self.pages.get(url, "").encode())


def make(wire: Wire | None = None) -> Shell:
    return Shell(wire or Wire(), lambda _text: None, PROGRAMS)


@pytest.mark.parametrize(
    ("script", "out"),
    [
        ('A=1; B="x $A"; echo $B \'$A\' "${C:-none}"', "x 1 $A none\n"),
        ("false && echo a || echo b", "b\n"),
        ('if [ -n "$X" ]; then echo yes; elif test 1 = 1; then echo elif; fi', "elif\n"),
        ("for n in a b; do echo -n $n; done", "ab"),
        ('greet() { echo "hi $1"; }\ngreet you', "hi you\n"),
        ("echo one | cat", "one\n"),
        ("cat <<EOF\n$(echo in) $((\nEOF", None),
        ("A=q; cat <<'EOF'\nkeep $A\nEOF\ncat <<EOF\nuse $A\nEOF", "keep $A\nuse q\n"),
        ("echo a > /f; echo b >> /f; cat /f", "a\nb\n"),
        ("echo gone >/dev/null 2>&1; echo stays", "stays\n"),
        ("printf '%s-%s\\n' a b c", "a-b\nc-\n"),
        ("set -e; true; false; echo never", ""),
        ("set -e; false || true; echo on", "on\n"),
        ("systemctl restart ssh; echo $?", "0\n"),
        ('i=x; while [ $i != xxx ]; do i="${i}x"; done; echo $i', "xxx\n"),
        ("echo line \\\n continued # comment", "line continued\n"),
        ("sh -ec 'echo \"$1\"; false; echo never' sh arg", "arg\n"),
    ],
)
async def test_language(script: str, out: str | None) -> None:
    result = await make().call(script)
    if out is None:
        assert result.status == 2
    else:
        assert result.out == out


@pytest.mark.parametrize(
    "script", ["if true; then", "echo 'open", "case x in x) ;; esac", "a | | b"]
)
async def test_syntax_errors_are_status_2(script: str) -> None:
    result = await make().call(script)
    assert result.status == 2
    assert "syntax error" in result.err


async def test_endless_loop_is_stopped() -> None:
    result = await make().call("while true; do echo -n; done")
    assert result.status == 2
    assert "stopped" in result.err


@pytest.mark.parametrize(
    "command",
    [
        "wget -qO- --post-data='stage=packages&percent=40' http://s/p",
        "wget -q -O /dev/null --tries=3 --post-data 'stage=packages&percent=40' http://s/p || true",
        "curl -fsS -X POST -d stage=packages --data percent=40 http://s/p",
        "curl -fsS --retry 3 -m 10 --data-urlencode stage=packages -d percent=40 http://s/p >/dev/null",
    ],
)
async def test_forms_are_posted(command: str) -> None:
    wire = Wire({"http://s/p": "ok"})
    assert (await make(wire).call(command)).status == 0
    [(method, url, body)] = wire.sent
    assert (method, url) == ("POST", "http://s/p")
    assert parse_qs(body) == {"stage": ["packages"], "percent": ["40"]}


@pytest.mark.parametrize(
    ("command", "status"),
    [
        ("curl -fsS http://s/none", 22),
        ("curl -s http://s/none", 0),
        ("wget -q http://s/none", 8),
        ("curl -fsS http://down/", 7),
        ("wget -q http://down/", 4),
        ("curl --frobnicate http://s/p", 2),
        ("wget -Z http://s/p", 2),
        ("curl -fsS", 2),
    ],
)
async def test_exit_statuses(command: str, status: int) -> None:
    assert (await make().call(command)).status == status


async def test_fetched_script_runs_in_the_target() -> None:
    script = "#!/bin/sh\nset -e\nmkdir -p /root/.ssh\necho ssh-ed25519 AAAA >> /root/.ssh/authorized_keys\n"
    script += "curl -fsS -X POST http://s/done\n"
    wire = Wire({"http://s/post.sh": script, "http://s/done": ""})
    shell = make(wire)
    command = "wget -qO /target/root/post.sh http://s/post.sh && in-target sh /root/post.sh"
    assert (await shell.call(command)).status == 0
    assert shell.files["/target/root/.ssh/authorized_keys"] == "ssh-ed25519 AAAA\n"
    assert wire.sent[-1][:2] == ("POST", "http://s/done")


async def test_script_piped_into_sh() -> None:
    wire = Wire({"http://s/post.sh": "echo from pipe > /etc/motd"})
    shell = make(wire)
    await shell.call("curtin in-target --target=/target -- sh -c 'curl -fsS http://s/post.sh | sh'")
    assert shell.files["/target/etc/motd"] == "from pipe\n"


async def test_missing_program_is_missing_outside_of_the_target_only() -> None:
    wire = Wire({"http://s/": ""})
    shell = make(wire)
    shell.missing = frozenset({"curl"})
    assert (await shell.call("curl -fsS http://s/")).status == 127
    assert (await shell.call("in-target curl -fsS http://s/")).status == 0
