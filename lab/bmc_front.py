"""The BMC of one machine: TLS, its own log-in, its own port, and its faults."""

import asyncio
import base64
import contextlib
import hmac
import json
import logging
import socket
import ssl
from typing import Any, Protocol

import aiohttp
from aiohttp import web

from lab.bmc_backend import BmcBackend
from lab.faults import Fault, FaultKind
from lab.fleet import Hardware
from lab.redfish_view import (
    DRIVE,
    describe_drive,
    describe_system,
    http_boot_of,
    is_foreign,
    only_own,
    override_of,
)
from lab.store import BmcAccount, HttpBoot, Override

HOST = "127.0.0.1"
OPEN_PATHS = frozenset({"/redfish", "/redfish/v1"})
"""Readable without a log-in, as Redfish demands of its service root."""
STOP_LIMIT_S = 0.5

log = logging.getLogger(__name__)


class Setting(Protocol):
    """The part of a machine's condition that its BMC reads and writes."""

    @property
    def fault(self) -> Fault | None: ...
    @property
    def override(self) -> Override: ...
    def set_override(self, override: Override) -> None: ...
    @property
    def http_boot(self) -> HttpBoot: ...
    def set_http_boot(self, http_boot: HttpBoot) -> None: ...


class BmcFront:
    """A reverse proxy that shows one machine of the emulator, faults included."""

    def __init__(
        self,
        hardware: Hardware,
        account: BmcAccount,
        setting: Setting,
        backend: BmcBackend,
        tls: ssl.SSLContext,
    ) -> None:
        self._hardware = hardware
        self._account = account
        self._setting = setting
        self._backend = backend
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._http: web.Server | None = None
        self._parked: socket.socket | None = None
        self._fault_changed = asyncio.Event()

    @property
    def system_path(self) -> str:
        return f"/redfish/v1/Systems/{self._hardware.uuid}"

    async def start(self) -> None:
        """Take the port of the last run, or a free one when it is taken, and listen."""
        self._parked = bind(self._account.port)
        self._account.port = self._parked.getsockname()[1]
        await self.apply_fault()

    async def stop(self) -> None:
        self._fault_changed.set()
        await self._stop_listening()
        if self._parked is not None:
            self._parked.close()
            self._parked = None

    async def apply_fault(self) -> None:
        """Bring the listener in line with the fault; hung requests are let go."""
        self._fault_changed.set()
        self._fault_changed = asyncio.Event()
        if _kind(self._setting.fault) is FaultKind.REFUSE:
            await self._stop_listening()
            if self._parked is None:
                # Bound but not listening: the kernel refuses, and nobody takes the port.
                self._parked = bind(self._account.port)
                self._account.port = self._parked.getsockname()[1]
        elif self._server is None and self._parked is not None:
            self._http = web.Server(self._answer, access_log=None)
            self._server = await asyncio.get_running_loop().create_server(
                self._http, sock=self._parked, ssl=self._tls, backlog=64
            )
            self._parked = None

    async def _stop_listening(self) -> None:
        server, self._server = self._server, None
        http, self._http = self._http, None
        if server is not None:
            server.close()
        if http is not None:
            await http.shutdown(STOP_LIMIT_S)

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        match self._setting.fault:
            case Fault(kind=FaultKind.HANG):
                await self._fault_changed.wait()
                if request.transport is not None:
                    request.transport.abort()
                return web.Response(status=503)
            case Fault(kind=FaultKind.SLOW, number=seconds):
                await asyncio.sleep(seconds)
            case _:
                pass
        path = request.path.rstrip("/")
        if path not in OPEN_PATHS and not self._logged_in(request):
            return _refusal(401, "Incorrect username or password")
        if is_foreign(path, self._hardware.uuid):
            return _refusal(404, "No such resource on this BMC")
        body = await request.read()
        if request.method == "POST" and path.endswith("/Actions/ComputerSystem.Reset"):
            if _kind(self._setting.fault) is FaultKind.IGNORE_RESET:
                return web.Response(status=204)
        elif request.method == "PATCH" and path == self.system_path:
            return await self._patch_system(request, body)
        return await self._forward(request, body)

    def _logged_in(self, request: web.BaseRequest) -> bool:
        if _kind(self._setting.fault) is FaultKind.WRONG_PASSWORD:
            return False
        wanted = f"{self._account.username}:{self._account.password}".encode()
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        with contextlib.suppress(ValueError):
            given = base64.b64decode(token, validate=True)
            return scheme.lower() == "basic" and hmac.compare_digest(given, wanted)
        return False

    async def _patch_system(self, request: web.BaseRequest, body: bytes) -> web.StreamResponse:
        try:
            document: dict[str, Any] = json.loads(body)
            boot = document.get("Boot")
        except (ValueError, AttributeError):
            return _refusal(400, "The request body is not a JSON object")
        if not isinstance(boot, dict):
            return await self._forward(request, body)
        if _kind(self._setting.fault) is FaultKind.REVERT_BOOT:
            return web.Response(status=204)
        override = override_of(boot, self._setting.override)
        if override == "Disabled":
            # The emulator knows no "Disabled": no target says the same to a machine.
            boot["BootSourceOverrideTarget"] = "None"
        http_boot = http_boot_of(boot, self._setting.http_boot)
        if boot:
            answer = await self._forward(request, json.dumps(document).encode())
        else:
            answer = web.Response(status=204)
        if answer.status < 300:
            self._setting.set_override(override)
            self._setting.set_http_boot(http_boot)
        return answer

    async def _forward(self, request: web.BaseRequest, body: bytes) -> web.Response:
        headers = {
            name: request.headers[name]
            for name in ("Content-Type", "Accept", "If-Match", "OData-Version")
            if name in request.headers
        }
        try:
            async with self._backend.session.request(
                request.method,
                self._backend.url + request.path_qs,
                data=body or None,
                headers=headers,
                allow_redirects=False,
            ) as answer:
                content = await answer.read()
                return self._own_view(request.path, answer, content)
        except (aiohttp.ClientError, TimeoutError) as problem:
            log.warning("emulator: %s %s: %r", request.method, request.path, problem)
            return _refusal(503, "The BMC is busy")

    def _own_view(self, path: str, answer: aiohttp.ClientResponse, content: bytes) -> web.Response:
        headers = {
            name: answer.headers[name] for name in ("Location", "ETag") if name in answer.headers
        }
        if not content or answer.content_type != "application/json":
            return web.Response(
                status=answer.status, body=content, headers=headers,
                content_type=answer.content_type if content else None,
            )  # fmt: skip
        try:
            document = only_own(json.loads(content), self._hardware.uuid)
        except ValueError:
            # Some refusals of the emulator are bare text that is labelled JSON.
            return _refusal(answer.status, content.decode(errors="replace"))
        if answer.status == 200 and path.rstrip("/") == self.system_path:
            setting = self._setting
            describe_system(document, self._hardware, setting.override, setting.http_boot)
        if answer.status == 200 and DRIVE.match(path.rstrip("/")):
            describe_drive(document, self._hardware)
        return web.json_response(document, status=answer.status, headers=headers)


def bind(port: int) -> socket.socket:
    """Return a socket bound to the loopback port, or to a free one when it is taken."""
    for wanted in (port, 0):
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, wanted))
        except OSError:
            listener.close()
            if not wanted:
                raise
        else:
            return listener
    raise OSError("no free port on the loopback interface")


def _kind(fault: Fault | None) -> FaultKind | None:
    return fault.kind if fault else None


def _refusal(status: int, message: str) -> web.Response:
    headers = {"WWW-Authenticate": 'Basic realm="BMC"'} if status == 401 else {}
    return web.json_response(
        {"error": {"code": "Base.1.0.GeneralError", "message": message}},
        status=status,
        headers=headers,
    )
