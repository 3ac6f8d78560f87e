"""A small Redfish BMC over TLS that misbehaves on request: what no emulator does."""

import asyncio
import base64
import json
import ssl
import zlib
from dataclasses import dataclass, field
from typing import Any, Self

from tests.drivers.certificates import Issued

SYSTEM, MANAGER = "/redfish/v1/Systems/1", "/redfish/v1/Managers/1"
DRIVES = f"{SYSTEM}/VirtualMedia"
TARGETS = {"BootSourceOverrideTarget@Redfish.AllowableValues": ["None", "Pxe", "Cd", "Hdd"]}
USER, PASSWORD = "operator", "right horse"


@dataclass
class Faults:
    hang: bool = False
    no_manager_reset: bool = False
    hangs_after_restart: bool = False
    """Answer nothing any more once it was told to restart."""
    unauthorised: bool = False
    ignore_reset: bool = False
    reject_reset_status: int = 0
    """Answer resets so, this many times."""
    reject_reset_times: int = 0
    reject_applies: bool = False
    """Apply a reset or boot change in spite of the error."""
    revert_boot: bool = False
    need_mode: bool = False
    fail_reads: int = 0
    """Answer this many reads with 503."""
    sessions: bool = False
    expired: bool = False
    """Know no session any more until another is begun."""
    no_room_status: int = 0
    """Answer so when a session is wanted: all are in use."""
    no_room_code: str = "IDRAC.2.8.RAC0218"
    no_basic: bool = False
    """Take nobody without a session."""
    forgets: bool = False
    """Have ended all sessions."""
    soft: bool = False
    """Offer to ask the operating system to stop."""
    deaf: bool = False
    """The operating system does not hear that it is asked."""
    restarts: bool = False
    """Offer to restart the machine as its button would."""
    stays_legacy: bool = False
    """Take any boot mode, and keep legacy."""
    keeps_address: bool = False
    """Take any address of a boot file (HttpBootUri), and keep the one that it has."""
    etag: str = ""
    """Want a change to name the state that it was made for: `weak`, told and wanted so, or
    `strong`, told as weak and wanted as strong."""
    ignore_insert: bool = False
    ignore_eject: bool = False


@dataclass
class FaultyBmc:
    """Serves one system with a manager; records every request."""

    issued: Issued
    faults: Faults = field(default_factory=Faults)
    power: str = "Off"
    password: str = PASSWORD
    manufacturer: str | None = None
    boot: dict[str, Any] = field(
        default_factory=lambda: {
            "BootSourceOverrideEnabled": "Disabled",
            "BootSourceOverrideTarget": "None",
            "BootSourceOverrideMode": "UEFI",
        }
    )
    requests: list[tuple[str, str]] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)
    system_has: dict[str, Any] = field(default_factory=dict)
    """What a vendor's system tells besides; the manager likewise."""
    manager_has: dict[str, Any] = field(default_factory=dict)
    resources: dict[str, Any] = field(default_factory=dict)
    """What else is answered, by path: to GET, and to POST where it is an action."""
    pending: dict[str, Any] | None = None
    """The boot override of the next restart, where that has a page of its own."""
    image: str | None = None
    """What is in its virtual CD; None: nothing. It has one where `has_drive`."""
    has_drive: bool = False
    open_sessions: int = 0
    under_way: int = 0
    most_under_way: int = 0
    port: int = 0

    async def __aenter__(self) -> Self:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.issued.cert, self.issued.key)
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=context)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exc: object) -> None:
        self.faults.hang = False
        self._server.close()

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def asked(self, method: str) -> list[str]:
        return [path for verb, path in self.requests if verb == method]

    def asked_since(self, order: str) -> list[tuple[str, str]]:
        """Return what was asked since the first order whose address ends so; nothing before it."""
        ends = (n for n, (_, path) in enumerate(self.requests) if path.endswith(order))
        return self.requests[next(ends, len(self.requests)) :]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            request, *lines = head.split("\r\n")
            method, path, _ = request.split(" ")
            headers = {k.lower(): v for k, _, v in (line.partition(": ") for line in lines if line)}
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            document = json.loads(body) if body else None
            self.requests.append((method, path.rstrip("/")))
            self.bodies.append(document)
            self.under_way += 1
            self.most_under_way = max(self.most_under_way, self.under_way)
            try:
                while self.faults.hang:  # noqa: ASYNC110 - a test flips a plain field
                    await asyncio.sleep(0.05)
                await asyncio.sleep(0.02)
                status, extra, answer = self._answer(method, path.rstrip("/"), headers, document)
            finally:
                self.under_way -= 1
            payload = b"" if answer is None else json.dumps(answer).encode()
            writer.write(
                f"HTTP/1.1 {status} x\r\nContent-Type: application/json\r\n{extra}"
                f"Content-Length: {len(payload)}\r\nConnection: close\r\n\r\n".encode()
                + payload
            )
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            pass  # the client went away, as the test wants it to
        finally:
            writer.close()

    def _answer(  # noqa: C901 - one branch a resource reads best in one place
        self, method: str, path: str, headers: dict[str, str], body: Any
    ) -> tuple[int, str, Any]:
        if path == "/redfish/v1":
            root = {
                "Id": "root",
                "RedfishVersion": "1.5.0",
                "Systems": {"@odata.id": "/redfish/v1/Systems"},
            }
            if self.faults.sessions:
                root["Links"] = {"Sessions": {"@odata.id": "/redfish/v1/SessionService/Sessions"}}
            return 200, "", root
        if path == "/redfish/v1/SessionService/Sessions" and method == "POST":
            if self.faults.unauthorised or body != {"UserName": USER, "Password": self.password}:
                return 401, "", error("the password is wrong")
            if self.faults.no_room_status:
                words = "The maximum number of user sessions is reached."
                return self.faults.no_room_status, "", error(words, code=self.faults.no_room_code)
            self.open_sessions += 1
            self.faults.expired = False
            where = "/redfish/v1/SessionService/Sessions/1"
            return 201, f"X-Auth-Token: token-1\r\nLocation: {where}\r\n", {"@odata.id": where}
        basic = "Basic " + base64.b64encode(f"{USER}:{self.password}".encode()).decode()
        is_basic = headers.get("authorization") == basic and not self.faults.no_basic
        is_over = self.faults.forgets or self.faults.expired
        is_known = headers.get("x-auth-token") == "token-1" and not is_over
        if self.faults.unauthorised or not (is_basic or is_known):
            return 401, "", error("the password is wrong")
        if method == "DELETE":
            self.open_sessions -= 1
            return 204, "", None
        if path == "/redfish/v1/Systems":
            return 200, "", {"Members": [{"@odata.id": SYSTEM}]}
        if path == SYSTEM and method == "GET":
            if self.faults.fail_reads:
                self.faults.fail_reads -= 1
                return 503, "", error("the BMC is rebooting")
            return 200, f"ETag: {self._etag()}\r\n", self._system()
        if path == SYSTEM and method == "PATCH":
            if self.faults.etag and headers.get("if-match") != self._etag(is_wanted=True):
                return 412, "", error("it has changed since, or nobody said what it was")
            return self._patch(body["Boot"])
        if path == f"{SYSTEM}/SD" and self.pending is not None:
            if method == "PATCH":
                self.pending |= body["Boot"]
            return 200, "", {"@odata.id": path, "Id": "SD", "Boot": self.pending | TARGETS}
        if path.startswith(DRIVES) and self.has_drive:
            return self._drive(path, body)
        if path.endswith("ComputerSystem.Reset"):
            return self._reset(body["ResetType"])
        if path in self.resources:
            return 200, "", self.resources[path]
        if path == MANAGER:
            return 200, "", self._manager()
        if path.endswith("Manager.Reset"):
            self.faults.hang |= self.faults.hangs_after_restart
            return 204, "", None
        return 404, "", error("no such resource")

    def _etag(self, *, is_wanted: bool = False) -> str:
        """Return the mark of the present state, as it is told or as it is wanted back."""
        mark = f'"{zlib.crc32(json.dumps([self.power, self.boot]).encode()):x}"'
        return mark if is_wanted and self.faults.etag == "strong" else f"W/{mark}"

    def _drive(self, path: str, body: Any) -> tuple[int, str, Any]:
        drive = f"{DRIVES}/Cd"
        if path == DRIVES:
            return 200, "", {"Members": [{"@odata.id": drive}]}
        if path == drive:
            actions = {
                f"#VirtualMedia.{name}": {"target": f"{drive}/Actions/VirtualMedia.{name}"}
                for name in ("InsertMedia", "EjectMedia")
            }
            is_in = self.image is not None
            held = {"Image": self.image, "Inserted": is_in, "MediaTypes": ["CD"]}
            return 200, "", {"Id": "Cd", "Name": "CD", "Actions": actions} | held
        if path.endswith("EjectMedia"):
            self.image = self.image if self.faults.ignore_eject else None
        elif self.image is not None and not self.faults.ignore_insert:
            return 400, "", error("there is something in it")
        elif not self.faults.ignore_insert:
            self.image = body["Image"]
        return 204, "", None

    def _manager(self) -> dict[str, Any]:
        manager = self.manager_has | {"@odata.id": MANAGER, "Id": "1"}
        if not self.faults.no_manager_reset:
            reset = {
                "target": f"{MANAGER}/Actions/Manager.Reset",
                "ResetType@Redfish.AllowableValues": ["ForceRestart"],
            }
            manager["Actions"] = {"#Manager.Reset": reset}
        return manager

    def _system(self) -> dict[str, Any]:
        links = self.system_has.get("Links", {}) | {"ManagedBy": [{"@odata.id": MANAGER}]}
        more = dict(self.system_has)
        if self.has_drive:
            more["VirtualMedia"] = {"@odata.id": DRIVES}
        if self.pending is not None:
            more["@Redfish.Settings"] = {"SettingsObject": {"@odata.id": f"{SYSTEM}/SD"}}
        return more | {
            "Id": "1",
            "PowerState": self.power,
            "Manufacturer": self.manufacturer,
            "Boot": self.boot | TARGETS,
            "Links": links,
            "Actions": {
                "#ComputerSystem.Reset": {
                    "target": f"{SYSTEM}/Actions/ComputerSystem.Reset",
                    "ResetType@Redfish.AllowableValues": ["On", "ForceOff"]
                    + ["GracefulShutdown"] * self.faults.soft
                    + ["ForceRestart"] * self.faults.restarts,
                }
            },
        }

    def _patch(self, boot: dict[str, Any]) -> tuple[int, str, Any]:
        if self.faults.need_mode and "BootSourceOverrideMode" not in boot:
            return 400, "", error("the mode is missing")
        if self.faults.keeps_address:
            boot.pop("HttpBootUri", None)
        if not self.faults.revert_boot:
            self.boot |= boot
        if self.faults.stays_legacy:
            self.boot["BootSourceOverrideMode"] = "Legacy"
        return (500, "", error("it went wrong")) if self.faults.reject_applies else (204, "", None)

    def _reset(self, kind: str) -> tuple[int, str, Any]:
        if self.faults.reject_reset_times:
            self.faults.reject_reset_times -= 1
            if self.faults.reject_applies:
                self.power = "On" if kind in ("On", "ForceRestart") else "Off"
            return self.faults.reject_reset_status, "", error("not in this state")
        is_heard = kind != "GracefulShutdown" or not self.faults.deaf
        if is_heard and not self.faults.ignore_reset:
            self.power = "On" if kind in ("On", "ForceRestart") else "Off"
        return 204, "", None


def error(words: str, *, code: str = "Base.1.0.GeneralError") -> dict[str, Any]:
    return {"error": {"code": code, "message": words}}
