"""The world that the workers of these tests call: BMCs, name servers, chats, a mail server."""

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
from aiohttp import web

from app.core.database import Database
from app.core.secrets import Vault
from app.domain.connections.add import add_connection
from app.domain.connections.kinds import Kind
from lab.pterodactyl.clock import Clock
from lab.pterodactyl.furnish import furnished
from lab.pterodactyl.web import PanelWeb
from tests.drivers.dns.name_server import SECRET
from tests.flows.processes.cloud import NAME, ServedCloud
from tests.games.store import Store, a_store
from tests.games.world import a_panel
from tests.machines.world import CLUSTER

NO = "no"
"""What a BMC says that does not do as it is told."""


@dataclass
class World:
    """What there is now, and every change that came about: the same again is none."""

    folder: Path
    url: str = ""
    power: dict[str, str] = field(default_factory=dict)
    boots: dict[str, str] = field(default_factory=dict)
    """What each machine boots, by its BMC."""
    netbooted: set[str] = field(default_factory=set)
    """Machines that came on from the network."""
    locked: set[str] = field(default_factory=set)
    """BMCs that refuse all."""
    broken: dict[UUID, int] = field(default_factory=dict)
    """How many servers of an order do not bear what they boot; 1 of a server that nobody has."""
    at_work: set[str] = field(default_factory=set)
    """Machines, by their BMCs, that install, rescue, erase, or are under load."""
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
    cloud: ServedCloud = field(init=False)
    mails: set[str] = field(default_factory=set)
    changes: list[str] = field(default_factory=list)
    machines_wait: bool = False
    """Whether a machine stays at work while its run stands still, and until others have taken it."""
    _commits: Counter[str] = field(default_factory=Counter)
    _standing: set[str] = field(default_factory=set)
    _read_bytes: int = 0

    def __post_init__(self) -> None:
        self.cloud = ServedCloud(note=self._note)

    async def answer(self, request: web.Request) -> web.Response:
        asked = await request.json()
        said: list[str] = asked["said"]
        match asked["peer"], asked["deed"], said:
            case "bmc", deed, [url, *more]:
                return web.json_response(self._bmc(url, deed, *more))
            case "cloud", deed, [node, *more]:
                return web.json_response(await self.cloud.answer(deed, node, *more))
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

    def _bmc(self, url: str, deed: str, wanted: str = "") -> str | None:
        if url in self.locked:
            return NO
        match deed, wanted:
            case "read", _:
                return self.power.get(url, "off")
            case "boot", _:
                self.boots[url] = wanted
            case "power", _:
                self._switch(url, wanted)
        return None

    def _switch(self, url: str, wanted: str) -> None:
        """A machine that goes on boots what it was told; one that goes off is at nothing."""
        if wanted == "on" and self.power.get(url) != "on":
            device = self.boots.get(url, "disk")
            self._note("boots", url, device)
            self.netbooted |= {url} if device in {"pxe", "uefi_http"} else set()
        elif wanted == "off":
            if url in self.at_work:
                self._note("cut short", url)
            self.at_work.discard(url)
            self.netbooted.discard(url)
        self._become("power", self.power, url, wanted)

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
        self._read_on()
        return self._commits.copy()

    def standing(self) -> set[str]:
        """Return the runs that stand still."""
        self._read_on()
        return self._standing.copy()

    def _read_on(self) -> None:
        """Take in what workers have said since: there are tens of thousands of lines in the end."""
        file = self.folder / "commits"
        if not file.exists():
            return
        with file.open("rb") as said:
            said.seek(self._read_bytes)
            new = said.read()
        whole = new[: new.rfind(b"\n") + 1]
        self._read_bytes += len(whole)
        for word, run in map(str.split, whole.decode().splitlines()):
            if word == "committed":
                self._commits[run] += 1
            else:
                self._standing.add(run)


async def connect(database: Database, vault: Vault, world: World) -> None:
    """Make the connections that the shipped flows name."""
    name_server = {
        "host": "127.0.0.1", "port": "53", "zones": "example.org", "key_name": "slipway",
        "secret": SECRET,
    }  # fmt: skip
    chat = {"chat": "slack", "secret": "https://hooks.test/x"}
    metal = {
        "provider": "ironic", "auth_type": "none", "base_url": "https://cloud.test",
        "trust": "system",
    }  # fmt: skip
    wanted: list[tuple[str, Kind, dict[str, Any]]] = [
        ("dns", Kind.DNS, name_server),
        ("name-server", Kind.DNS, name_server),
        ("ops-chat", Kind.CHAT, chat),
        ("team-chat", Kind.CHAT, chat),
        ("pve", Kind.HYPERVISOR, CLUSTER),
        (NAME, Kind.METAL, metal),
    ]
    async with database.transaction() as tx:
        for name, kind, typed in wanted:
            await add_connection(
                tx, vault, name=name, kind=kind, typed=typed, actor=None, actor_label="test"
            )
        await a_panel(tx, vault, base_url=world.panel_url)
        await a_store(tx, vault, world.url)
