"""The panel's admin API over HTTP: one address, a table of actions, JSON or fragments of XML."""

import json
from pathlib import Path
from typing import Any

from aiohttp import web

from lab.solusvm1.panel import No, Panel
from lab.standin import Fault, Misfortune, Rate

PATH = "/api/admin/command.php"
ALWAYS = frozenset({"id", "key", "action", "rdtype"})
_TABLE: dict[str, Any] = json.loads((Path(__file__).parent / "actions.json").read_bytes())


class SolusVm1Web:
    """Answers as SolusVM 1 does. `calls` is what was asked for; `is_old` knows no JSON."""

    def __init__(self, panel: Panel, identity: str, key: str) -> None:
        self.panel = panel
        self.login = (identity, key)
        self.is_old = False
        self.ills = Misfortune()
        self.rate = Rate(panel.clock)
        self.calls: list[str] = []

    def application(self) -> web.Application:
        app = web.Application()
        app.router.add_post(PATH, self._answer)
        return app

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        form = {name: str(value) for name, value in (await request.post()).items()}
        action = form.get("action", "")
        self.calls.append(action)
        if wait_s := self.rate.wait_s():
            return web.Response(status=429, headers={"Retry-After": str(wait_s)})
        fault = self.ills.of(action)
        try:
            self._check(action, form, fault)
            answer = {"status": "success", "statusmsg": "", **self.panel.do(action, form)}
        except No as no:
            answer = {"status": "error", "statusmsg": str(no)}
        if fault is not None and fault.ill == "lost" and request.transport is not None:
            request.transport.abort()
        if form.get("rdtype") == "json" and not self.is_old:
            return web.json_response(answer)
        # As it comes: without a root, and broken off before its end.
        return web.Response(text=_fragments(answer) + "<generated>0.1", content_type="text/html")

    def _check(self, action: str, form: dict[str, str], fault: Fault | None) -> None:
        if (form.get("id"), form.get("key")) != self.login:
            raise No("Invalid id or key")
        if fault is not None and fault.ill == "error":
            raise No(fault.words)
        _check(action, form)


def _check(action: str, form: dict[str, str]) -> None:
    known = _TABLE["actions"].get(action)
    if known is None:
        raise No(f"Invalid action {action}")
    for name in form:
        if name not in known and name not in ALWAYS:
            raise No(f"Invalid parameter {name}")
    for name in _TABLE["required"].get(action, ()):
        if not form.get(name):
            raise No(f"Empty parameter {name}")


def _fragments(answer: dict[str, Any]) -> str:
    parts = []
    for name, value in answer.items():
        if isinstance(value, list):
            inner = "".join(f"<{name[:-1]}>{_fragments(row)}</{name[:-1]}>" for row in value)
        else:
            inner = str(value)
        parts.append(f"<{name}>{inner}</{name}>\n")
    return "".join(parts)
