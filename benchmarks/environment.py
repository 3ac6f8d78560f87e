"""Environments of the peers below `.data/benchmarks/`: made once for a set of pinned versions."""

import asyncio
import os
import shutil
import sys
from collections.abc import Awaitable, Mapping, Sequence
from pathlib import Path

import msgspec

from app.cli.assets import ROOT, find_npm
from app.core.errors import Refusal
from benchmarks.report import say
from benchmarks.result import Result

HOME = ROOT / ".data" / "benchmarks" / "peers"
DBOS = ("dbos==3.4.0", "aiohttp==3.14.5", "uvloop==0.23.0")
RESTATE = ("restate-sdk==1.3.0", "hypercorn==0.18.0", "aiohttp==3.14.5", "uvloop==0.23.0")
NAUTOBOT = ("nautobot==3.2.7",)
PLACEMENT = ("openstack-placement==16.0.0", "psycopg2-binary==2.9.13", "gunicorn==27.0.1")
FAKEPVE = ("fakepve==0.5.0", "cryptography==50.0.2")
RESTATE_SERVER = "1.7.12"
READY = "ready.json"
INSTALL_LIMIT_S = 300.0
LAST_LINES = 6


class PeerMissing(Refusal):
    code = "bench.peer_missing"

    def __init__(self, peer: str, reason: str) -> None:
        super().__init__(f"{peer} cannot be measured: {reason}")
        self.peer = peer


class PeerFailed(Refusal):
    code = "bench.peer_failed"


async def if_installed(measuring: Awaitable[list[Result]]) -> list[Result]:
    """Return what is measured; where a peer is missing, say why and return nothing."""
    try:
        return await measuring
    except PeerMissing as missing:
        say(missing.message)
        return []


async def told(
    command: Sequence[str], limit_s: float, environment: Mapping[str, str] | None = None
) -> bytes:
    """Return what a peer's own command says. Raises PeerFailed with its complaints."""
    process = await asyncio.create_subprocess_exec(
        *command,
        env=environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(limit_s):
        said, complaints = await process.communicate()
    if process.returncode:
        raise PeerFailed(complaints.decode(errors="replace").strip()[-2_000:])
    return said


class Restate(msgspec.Struct, frozen=True):
    """Where Restate's server and the Python of its service are."""

    server: Path
    python: Path


async def dbos_python() -> Path:
    """Return the Python that has DBOS. Raises PeerMissing."""
    return await _python("DBOS", DBOS)


async def nautobot_python() -> Path:
    """Return the Python that has Nautobot. Raises PeerMissing."""
    return await _python("Nautobot", NAUTOBOT)


async def placement_python() -> Path:
    """Return the Python that has OpenStack's Placement. Raises PeerMissing."""
    return await _python("Placement", PLACEMENT)


async def fakepve_python() -> Path:
    """Return the Python that has fakepve. Raises PeerMissing."""
    return await _python("fakepve", FAKEPVE)


async def restate() -> Restate:
    """Return where Restate is. Raises PeerMissing."""
    python = await _python("Restate", RESTATE)
    folder = HOME / f"restate-server-{RESTATE_SERVER}"
    if not (folder / READY).exists():
        try:
            npm = find_npm()
        except Refusal as error:
            raise PeerMissing("Restate", error.message) from None
        folder.mkdir(parents=True, exist_ok=True)
        wanted = {"private": True, "dependencies": {"@restatedev/restate-server": RESTATE_SERVER}}
        (folder / "package.json").write_bytes(msgspec.json.encode(wanted))
        say(f"Installing restate-server {RESTATE_SERVER}…")
        # Its binary is a package of its own; no install script is needed.
        command = (*npm, "install", "--no-audit", "--no-fund", "--ignore-scripts")
        await _install("Restate", command, folder)
        (folder / READY).write_bytes(msgspec.json.encode(wanted))
    found = sorted(folder.glob("node_modules/@restatedev/restate-server-*/bin/restate-server"))
    if not found:
        raise PeerMissing("Restate", f"its package has no server for this machine: {folder}")
    return Restate(found[0], python)


async def _python(peer: str, wanted: Sequence[str]) -> Path:
    name, _, version = wanted[0].partition("==")
    folder = HOME / f"{name}-{version}"
    python = folder / "bin" / "python"
    ready = folder / READY
    if ready.exists() and msgspec.json.decode(ready.read_bytes()) == list(wanted):
        return python
    say(f"Installing {name} {version}…")
    folder.parent.mkdir(parents=True, exist_ok=True)
    if uv := _uv():
        await _install(peer, (uv, "venv", "--quiet", "--clear", "--python", sys.executable,
                              str(folder)), folder.parent)  # fmt: skip
        command = (uv, "pip", "install", "--quiet", "--python", str(python), *wanted)
    else:
        make = (sys.executable, "-m", "venv", "--clear", str(folder))
        await _install(peer, make, folder.parent)
        command = (str(python), "-m", "pip", "install", "--quiet", *wanted)
    await _install(peer, command, folder)
    ready.write_bytes(msgspec.json.encode(list(wanted)))
    return python


def _uv() -> str | None:
    own = ROOT / ".tools" / "bin" / "uv"
    return shutil.which("uv") or (str(own) if own.exists() else None)


async def _install(peer: str, command: Sequence[str], folder: Path) -> None:
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=folder,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=os.environ | {"UV_PYTHON_DOWNLOADS": "never"},
        )
        async with asyncio.timeout(INSTALL_LIMIT_S):
            said, _ = await process.communicate()
    except (OSError, TimeoutError) as error:
        raise PeerMissing(peer, f"{command[0]}: {error or 'it took too long'}") from error
    if process.returncode:
        lines = said.decode(errors="replace").strip().splitlines()[-LAST_LINES:]
        raise PeerMissing(peer, "\n".join([" ".join(command), *lines]))
