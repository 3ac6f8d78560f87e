"""The world that the workers of these tests call: BMCs, name servers, chats, a mail server."""

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
from aiohttp import web

from app.core.database import Database, Tx
from app.core.secrets import Vault
from app.domain.connections.add import add_connection
from app.domain.connections.kinds import Kind
from app.flows.steer import decide
from lab.pterodactyl.clock import Clock
from lab.pterodactyl.furnish import furnished
from lab.pterodactyl.web import PanelWeb
from tests.drivers.dns.name_server import SECRET
from tests.games.store import Store, a_store
from tests.games.world import a_panel
from tests.machines.world import CLUSTER
from tests.services.hall import break_installation, finish_installation

NO = "no"
"""What a BMC says that does not do as it is told."""


@dataclass
class World:
    """What there is now, and every change that came about: the same again is none."""

    folder: Path
    url: str = ""
    power: dict[str, str] = field(default_factory=dict)
    locked: set[str] = field(default_factory=set)
    """BMCs that refuse all."""
    broken: dict[UUID, int] = field(default_factory=dict)
    """How many servers of an order cannot be installed."""
    words: dict[UUID, str] = field(default_factory=dict)
    """What a person will say to a run that asks."""
    records: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    machines: dict[str, str] = field(default_factory=dict)
    """What each virtual machine does, by its host name."""
    store: Store = field(default_factory=Store)
    """The API of custom services; it is served beside what is asked of the world."""
    panel: PanelWeb = field(default_factory=lambda: furnished(Clock(per_call_s=2.0)))
    """Of game servers, its time going on with each call."""
    panel_url: str = ""
    mails: set[str] = field(default_factory=set)
    changes: list[str] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        asked = await request.json()
        said: list[str] = asked["said"]
        match asked["peer"], asked["deed"], said:
            case "bmc", _, [url, *_] if url in self.locked:
                return web.json_response(NO)
            case "bmc", "read", [url]:
                return web.json_response(self.power.get(url, "off"))
            case "bmc", "power", [url, wanted]:
                self._become("power", self.power, url, wanted)
            case "pve", "has", [host, state]:
                self._become("machine", self.machines, host, state)
            case "dns", "set", [name, kind, *values]:
                if self.records.get((name, kind), ()) != tuple(values):
                    self._note("dns", *said)
                self.records[name, kind] = tuple(values)
            case "mail", "send", [message, *_]:
                if message not in self.mails:
                    self._note("mail", *(re.sub(r" \d+", "", part) for part in said[1:]))
                self.mails.add(message)
            case peer, deed, _:
                self._note(peer, deed, *said)
        return web.json_response(None)

    def _become(self, what: str, states: dict[str, str], name: str, state: str) -> None:
        if states.get(name) != state:
            self._note(what, name, state)
        states[name] = state

    def _note(self, *what: str) -> None:
        self.changes.append(" ".join(what))

    def of(self, *marks: str) -> Counter[str]:
        """Return the changes that name one of the marks, without these."""
        its_own = re.compile("|".join(map(re.escape, marks)))
        return Counter(its_own.sub("…", one) for one in self.changes if its_own.search(one))

    def plan(self, plan: dict[str, tuple[int, str]]) -> None:
        """Say at which commit each run stands still, before or after it."""
        (self.folder / "plan.json").write_bytes(msgspec.json.encode(plan))

    def set_clock(self, wrong_by_s: float) -> None:
        aside = self.folder / "clock.new"
        aside.write_text(str(wrong_by_s))
        aside.rename(self.folder / "clock")

    def commits(self) -> Counter[str]:
        """Return the commits of each run so far."""
        return Counter(line.split()[1] for line in self._lines("committed"))

    def standing(self) -> set[str]:
        """Return the runs that stand still."""
        return {line.split()[1] for line in self._lines("stands")}

    def _lines(self, word: str) -> list[str]:
        file = self.folder / "commits"
        lines = file.read_text().splitlines() if file.exists() else []
        return [line for line in lines if line.startswith(word)]


async def connect(database: Database, vault: Vault, world: World) -> None:
    """Make the connections that the shipped flows name."""
    name_server = {
        "host": "127.0.0.1", "port": "53", "zones": "example.org", "key_name": "slipway",
        "secret": SECRET,
    }  # fmt: skip
    chat = {"chat": "slack", "secret": "https://hooks.test/x"}
    wanted: list[tuple[str, Kind, dict[str, Any]]] = [
        ("dns", Kind.DNS, name_server),
        ("name-server", Kind.DNS, name_server),
        ("ops-chat", Kind.CHAT, chat),
        ("team-chat", Kind.CHAT, chat),
        ("pve", Kind.HYPERVISOR, CLUSTER),
    ]
    async with database.transaction() as tx:
        for name, kind, typed in wanted:
            await add_connection(
                tx, vault, name=name, kind=kind, typed=typed, actor=None, actor_label="test"
            )
        await a_panel(tx, vault, base_url=world.panel_url)
        await a_store(tx, vault, world.url)


async def go_on(database: Database, world: World) -> None:
    """Let machines do what they are told to, and people answer what they are asked."""
    async with database.transaction() as tx:
        await _install(tx, world)
        await _answer(tx, world)


async def _install(tx: Tx, world: World) -> None:
    """Let the machines that are on, and have something to install, be through with it."""
    rows = await tx.fetch(
        'SELECT i.id, b.url, s."order", (SELECT count(DISTINCT x.server) FROM installation x '
        "WHERE x.service = i.service) AS servers FROM installation i "
        "JOIN bmc b ON b.server = i.server JOIN service s ON s.id = i.service "
        "WHERE i.state = 'prepared'"
    )
    for row in rows:
        if world.power.get(row["url"]) == "on":
            is_broken = row["servers"] <= world.broken.get(row["order"], 0)
            await (break_installation if is_broken else finish_installation)(tx, row["id"])


async def _answer(tx: Tx, world: World) -> None:
    rows = await tx.fetch(
        "SELECT run, scope, node FROM token WHERE state = 'waiting' "
        "AND signal_key LIKE 'approval:%' AND run = ANY($1)",
        list(world.words),
    )
    for row in rows:
        word = world.words.pop(row["run"])
        await decide(tx, row["run"], scope=row["scope"], node=row["node"], decision=word)
