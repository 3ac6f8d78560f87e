"""The emulator's process and the client that talks to it."""

import asyncio
import os
import secrets
import ssl
import sys
from pathlib import Path

import aiohttp
import bcrypt
import msgspec

from lab.certificates import Certificates
from lab.emulator_settings import EmulatorSettings, FakeSystem
from lab.fleet import Hardware
from lab.redfish_view import drives_of
from lab.store import write_atomically

START_LIMIT_S = 60.0
STOP_LIMIT_S = 5.0
ANSWER_LIMIT_S = 60.0
BCRYPT_ROUNDS = 4
"""The lowest: bcrypt runs at every request, and only our own front logs in here."""


class EmulatorFailed(Exception):
    """The emulator did not come up; the message carries what it said."""


class BmcBackend:
    """One running sushy-emulator with all machines; `url` is known after `start`."""

    def __init__(self, folder: Path, certificates: Certificates) -> None:
        self.state_folder = folder / "state"
        self._folder = folder
        self._certificates = certificates
        self._speed_file = folder / "speed"
        self._password = secrets.token_urlsafe(18)
        self._process: asyncio.subprocess.Process | None = None
        self._session: aiohttp.ClientSession | None = None
        self.url = ""

    def set_speed(self, speed: float) -> None:
        """Power transitions that begin from now on take their time divided by `speed`."""
        write_atomically(self._speed_file, f"{speed}".encode())

    async def start(self, machines: list[Hardware]) -> None:
        """Start the process and wait until it listens; raise EmulatorFailed otherwise."""
        settings_path = self._write_settings(machines)
        media = self._folder / "media"
        media.mkdir(exist_ok=True)
        log_path = self._folder / "emulator.log"
        environment = os.environ | {
            "TMPDIR": str(media),
            "NO_PROXY": "*",
            "no_proxy": "*",
            "PYTHONUNBUFFERED": "1",
        }
        with log_path.open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "lab.emulator", str(settings_path)),
                cwd=Path(__file__).parent.parent,
                env=environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
            )
        if self._process.stdout is None:
            raise EmulatorFailed("sushy-emulator has no standard output.")
        try:
            line = await asyncio.wait_for(self._process.stdout.readline(), START_LIMIT_S)
        except TimeoutError:
            line = b""
        word, _, port = line.decode().strip().partition(" ")
        if word != "listening":
            await self.stop()
            said = log_path.read_text(errors="replace").strip()[-800:]
            raise EmulatorFailed(
                f"sushy-emulator did not start; see {log_path}. It said: {said or 'nothing'}"
            )
        self.url = f"https://127.0.0.1:{port}"
        trust = ssl.create_default_context(cafile=str(self._certificates.authority))
        self._session = aiohttp.ClientSession(
            auth=aiohttp.BasicAuth("lab", self._password),
            connector=aiohttp.TCPConnector(ssl=trust, limit=32),
            timeout=aiohttp.ClientTimeout(total=ANSWER_LIMIT_S),
        )

    @property
    def session(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise EmulatorFailed("the emulator has not been started")
        return self._session

    async def ended(self) -> int:
        """Wait for the process to end by itself; return its exit code."""
        if self._process is None:
            raise EmulatorFailed("the emulator has not been started")
        return await self._process.wait()

    async def set_boot_target(self, uuid: str, target: str) -> None:
        """Write the boot override as the machine's firmware does."""
        async with self.session.patch(
            f"{self.url}/redfish/v1/Systems/{uuid}",
            json={"Boot": {"BootSourceOverrideTarget": target}},
        ) as answer:
            answer.raise_for_status()

    async def switch(self, uuid: str, *, on: bool) -> None:
        """Switch the machine as a hand at it does; faults of its BMC are not in the way."""
        async with self.session.post(
            f"{self.url}/redfish/v1/Systems/{uuid}/Actions/ComputerSystem.Reset",
            json={"ResetType": "On" if on else "ForceOff"},
        ) as answer:
            answer.raise_for_status()

    async def stop(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None
        process, self._process = self._process, None
        if process is None:
            return
        if process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), STOP_LIMIT_S)
            except TimeoutError:
                process.kill()
        # Also closes the pipe's transport before the event loop goes.
        await process.communicate()

    def _write_settings(self, machines: list[Hardware]) -> Path:
        auth_file = self._folder / "auth"
        digest = bcrypt.hashpw(self._password.encode(), bcrypt.gensalt(BCRYPT_ROUNDS))
        write_atomically(auth_file, b"lab:" + digest + b"\n", secret=True)
        settings = EmulatorSettings(
            state_folder=str(self.state_folder),
            auth_file=str(auth_file),
            certificate=str(self._certificates.server),
            private_key=str(self._certificates.server_key),
            speed_file=str(self._speed_file),
            systems=[
                FakeSystem(
                    each.uuid, each.name, each.mac, each.ram_gb, each.cpu_count, drives_of(each)
                )
                for each in machines
            ],
        )
        path = self._folder / "settings.json"
        write_atomically(path, msgspec.json.encode(settings))
        return path
