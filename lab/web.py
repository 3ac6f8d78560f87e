"""The lab's web server: JSON for programs, pages for people, a mirror for installers."""

from typing import Any

import msgspec
from aiohttp import web
from htpy import Renderable

from lab import pages
from lab.datacentre import Datacentre
from lab.faults import Fault, UnknownFault
from lab.installers.run import SYSTEMS
from lab.machine import Machine
from lab.mailbox import MailDown, OpenLetter

IMAGES = {
    "vmlinuz": b"\x7fLAB kernel of ",
    "initrd.img": b"\x1f\x8bLAB initial ramdisk of ",
    "live-server.iso": b"LAB live image of ",
    "grml.squashfs": b"hsqsLAB live file system of ",
}
IMAGE_BYTES = 32_768
FRAME_CSP = "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'"


class LabWeb:
    """The routes over one running datacentre."""

    def __init__(self, lab: Datacentre) -> None:
        self._lab = lab

    def application(self) -> web.Application:
        app = web.Application(middlewares=[_refusals])
        app.add_routes(
            [
                web.get("/", self.overview),
                web.get("/machines/{name}", self.machine_page),
                web.post("/machines/{name}/fault", self.form_fault),
                web.post("/machines/{name}/wipe", self.form_wipe),
                web.post("/machines/{name}/power", self.form_power),
                web.post("/speed", self.form_speed),
                web.post("/mail-down", self.form_mail_down),
                web.get("/mailbox", self.mailbox_page),
                web.get("/mailbox/{id}", self.letter_page),
                web.get("/mailbox/{id}/html", self.letter_frame),
                web.get("/mailbox/{id}/raw", self.letter_raw),
                web.get("/healthz", self.health),
                web.get("/api/machines", self.list_machines),
                web.get("/api/machines/{name}", self.show_machine),
                web.post("/api/machines/{name}/fault", self.set_fault),
                web.post("/api/machines/{name}/wipe", self.wipe),
                web.post("/api/machines/{name}/power", self.switch),
                web.get("/api/speed", self.show_speed),
                web.post("/api/speed", self.set_speed),
                web.get("/api/hardware-log", self.hardware_log),
                web.get("/api/mailbox", self.list_letters),
                web.get("/api/mailbox/{id}", self.show_letter),
                web.get("/api/mail-down", self.show_mail_down),
                web.post("/api/mail-down", self.set_mail_down),
                web.get("/mirror/{os}/{image}", self.mirror),
                web.get("/lab.css", _asset("lab.css", "text/css")),
                web.get("/lab.js", _asset("lab.js", "text/javascript")),
            ]
        )
        return app

    # JSON

    async def health(self, _request: web.Request) -> web.Response:
        return _json({"status": "ok", "machines": len(self._lab.machines)})

    async def list_machines(self, _request: web.Request) -> web.Response:
        return _json([describe(machine, 5) for machine in self._lab.machines.values()])

    async def show_machine(self, request: web.Request) -> web.Response:
        return _json(describe(self._machine(request), 400))

    async def set_fault(self, request: web.Request) -> web.Response:
        machine = self._machine(request)
        await self._apply_fault(machine, (await _object(request)).get("fault"))
        return _json(describe(machine, 5))

    async def wipe(self, request: web.Request) -> web.Response:
        machine = self._machine(request)
        machine.wipe()
        return _json(describe(machine, 5))

    async def switch(self, request: web.Request) -> web.Response:
        machine = self._machine(request)
        await self._switch(machine, (await _object(request)).get("power"))
        return _json(describe(machine, 5))

    async def show_speed(self, _request: web.Request) -> web.Response:
        return _json({"speed": self._lab.pace.speed})

    async def set_speed(self, request: web.Request) -> web.Response:
        self._change_speed((await _object(request)).get("speed"))
        return _json({"speed": self._lab.pace.speed})

    async def hardware_log(self, request: web.Request) -> web.Response:
        since = request.query.get("since", "0")
        try:
            events = self._lab.log.events(request.query.get("machine"), float(since))
        except ValueError:
            raise web.HTTPBadRequest(text=f"since={since!r} is not a number of seconds") from None
        return _json(events)

    async def list_letters(self, request: web.Request) -> web.Response:
        return _json(self._lab.mailbox.letters(request.query.get("to")))

    async def show_letter(self, request: web.Request) -> web.Response:
        return _json(self._letter(request))

    async def show_mail_down(self, _request: web.Request) -> web.Response:
        return _json({"mail_down": self._lab.mailbox.down})

    async def set_mail_down(self, request: web.Request) -> web.Response:
        await self._break_mail((await _object(request)).get("mail_down"))
        return _json({"mail_down": self._lab.mailbox.down})

    async def mirror(self, request: web.Request) -> web.Response:
        os_id, image = request.match_info["os"], request.match_info["image"]
        if os_id not in SYSTEMS or image not in IMAGES:
            raise web.HTTPNotFound(text=f"The mirror has no {os_id}/{image}")
        content = (IMAGES[image] + os_id.encode()).ljust(IMAGE_BYTES, b"\0")
        return web.Response(body=content, content_type="application/octet-stream")

    # Pages

    async def overview(self, _request: web.Request) -> web.Response:
        machines = list(self._lab.machines.values())
        return _page(pages.overview(machines, self._lab.pace.speed, self._lab.mailbox.down))

    async def machine_page(self, request: web.Request) -> web.Response:
        machine = self._machine(request)
        return _page(pages.machine_page(machine, self._lab.log.events(machine.hardware.name)))

    async def mailbox_page(self, request: web.Request) -> web.Response:
        to = request.query.get("to")
        return _page(pages.mailbox_page(self._lab.mailbox.letters(to), to))

    async def letter_page(self, request: web.Request) -> web.Response:
        return _page(pages.letter_page(self._letter(request)))

    async def letter_frame(self, request: web.Request) -> web.Response:
        return web.Response(
            text=self._letter(request).html,
            content_type="text/html",
            headers={"Content-Security-Policy": FRAME_CSP},
        )

    async def letter_raw(self, request: web.Request) -> web.Response:
        raw = self._lab.mailbox.raw(request.match_info["id"])
        if raw is None:
            raise web.HTTPNotFound(text="There is no such message")
        return web.Response(body=raw, content_type="text/plain")

    async def form_fault(self, request: web.Request) -> web.Response:
        form = await request.post()
        await self._apply_fault(self._machine(request), str(form.get("fault", "")))
        raise web.HTTPSeeOther(request.headers.get("Referer", "/"))

    async def form_wipe(self, request: web.Request) -> web.Response:
        self._machine(request).wipe()
        raise web.HTTPSeeOther(request.headers.get("Referer", "/"))

    async def form_power(self, request: web.Request) -> web.Response:
        await self._switch(self._machine(request), (await request.post()).get("power"))
        raise web.HTTPSeeOther(request.headers.get("Referer", "/"))

    async def form_speed(self, request: web.Request) -> web.Response:
        self._change_speed((await request.post()).get("speed"))
        raise web.HTTPSeeOther("/")

    async def form_mail_down(self, request: web.Request) -> web.Response:
        await self._break_mail((await request.post()).get("mail_down"))
        raise web.HTTPSeeOther("/")

    def _machine(self, request: web.Request) -> Machine:
        name = request.match_info["name"]
        machine = self._lab.machines.get(name)
        if machine is None:
            raise web.HTTPNotFound(text=f"There is no machine {name}")
        return machine

    def _letter(self, request: web.Request) -> OpenLetter:
        letter = self._lab.mailbox.open(request.match_info["id"])
        if letter is None:
            raise web.HTTPNotFound(text="There is no such message")
        return letter

    async def _apply_fault(self, machine: Machine, text: Any) -> None:
        try:
            fault = Fault.parse(str(text)) if text and text != "clear" else None
        except UnknownFault as problem:
            raise web.HTTPBadRequest(text=str(problem)) from None
        await self._lab.set_fault(machine.hardware.name, fault)

    async def _switch(self, machine: Machine, power: Any) -> None:
        if power not in {"on", "off"}:
            raise web.HTTPBadRequest(text="power must be one of on, off")
        await self._lab.switch_by_hand(machine.hardware.name, on=power == "on")

    def _change_speed(self, value: Any) -> None:
        try:
            self._lab.set_speed(float(value))
        except (TypeError, ValueError) as problem:
            raise web.HTTPBadRequest(text=f"speed: {problem}") from None

    async def _break_mail(self, value: Any) -> None:
        try:
            await self._lab.mailbox.set_down(MailDown(value))
        except ValueError:
            known = ", ".join(MailDown)
            raise web.HTTPBadRequest(text=f"mail_down must be one of {known}") from None


def describe(machine: Machine, console_lines: int) -> dict[str, Any]:
    """Return a machine as the API shows it."""
    installed = machine.condition.installed
    view = machine.view
    http_boot = machine.condition.http_boot
    label: dict[str, Any] = msgspec.to_builtins(machine.hardware)
    return label | {
        "power": "on" if view and view.on else "off",
        "boot": {
            "target": machine.boot_target,
            "http": http_boot.address if http_boot.is_set else None,
            "enabled": machine.condition.override,
            "media": str(view.media) if view and view.media else None,
        },
        "phase": machine.phase.value,
        "doing": machine.doing,
        "fault": str(machine.condition.fault) if machine.condition.fault else None,
        "ssh": machine.address,
        "installed": installed
        and {
            "os": installed.os_id,
            "name": installed.pretty_name,
            "hostname": installed.hostname,
            "ipv4": f"{installed.ipv4}/{installed.prefix_length}",
            "gateway": installed.gateway,
            "ipv6": installed.ipv6,
            "extra_ipv4": installed.extra_ipv4,
            "accounts": sorted(installed.accounts),
        },
        "console": machine.console.tail(console_lines),
    }


@web.middleware
async def _refusals(request: web.Request, handler: Any) -> web.StreamResponse:
    """Answer errors of the API as JSON; pages get the plain text."""
    try:
        answer: web.StreamResponse = await handler(request)
    except web.HTTPError as problem:
        if not request.path.startswith("/api/"):
            raise
        return web.json_response({"error": problem.text}, status=problem.status)
    return answer


async def _object(request: web.Request) -> dict[str, Any]:
    try:
        document = msgspec.json.decode(await request.read(), type=dict[str, Any])
    except msgspec.MsgspecError as problem:
        raise web.HTTPBadRequest(text=f"The body must be a JSON object: {problem}") from None
    return document


def _json(value: Any) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), content_type="application/json")


def _page(page: Renderable) -> web.Response:
    return web.Response(text=str(page), content_type="text/html")


def _asset(name: str, content_type: str) -> Any:
    content = pages.asset(name)

    async def serve(_request: web.Request) -> web.Response:
        return web.Response(text=content, content_type=content_type)

    return serve
