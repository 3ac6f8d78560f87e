"""All the kinds of peers that flows call, as one: opened with a process, closed with it."""

from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import msgspec

from app.core.clock import Clock
from app.core.plug_ins import OURS
from app.core.recent import Recent
from app.drivers.chat.contract import ChatMessage, ChatRoom
from app.drivers.chat.webhook import ChatWebhooks
from app.drivers.dns.contract import DnsServer, DnsUpdater
from app.drivers.egress import Egress
from app.drivers.errors import Retriable, Unauthorised
from app.drivers.game.contract import Game, GamePeer
from app.drivers.guard import made_by
from app.drivers.http.client import HttpClient
from app.drivers.http.contract import Call, HttpPeer, NoAuth
from app.drivers.hypervisor.contract import Hypervisor, HypervisorPeer, Turns
from app.drivers.metal.clouds import Clouds
from app.drivers.metal.contract import MetalCloud, MetalPeer
from app.drivers.pdu.contract import Pdus
from app.drivers.registry import load, package_of_driver
from app.drivers.ssh.client import SshClient
from app.drivers.ssh.contract import SshHost
from app.drivers.switching.contract import Switches

Peer: TypeAlias = HttpPeer | SshHost | DnsServer | ChatRoom | HypervisorPeer | GamePeer | MetalPeer

TEST_S = 10.0
TEST_MESSAGE = ChatMessage(text="Slipway can write here. This was a test of the connection.")


class Tested(msgspec.Struct, frozen=True):
    """A peer that answers; `is_certain` says that it accepted the credentials too."""

    words: str
    is_certain: bool = True


class NoTurns:
    """For calls that change nothing, and so need no turn."""

    async def take(self, key: str, holder: str, *, for_s: float, at_once: int = 1) -> bool:
        raise NotImplementedError

    async def give_back(self, key: str, holder: str) -> None:
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Peers:
    """The drivers that nodes call peers by; they share one egress policy and one HTTP pool."""

    http: HttpClient
    ssh: SshClient
    dns: DnsUpdater
    switches: Switches
    pdus: Pdus
    clouds: Clouds
    chat: ChatWebhooks = field(init=False)
    recent: Recent = field(init=False, default_factory=Recent)
    """What providers lately said that they have, for forms."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "chat", ChatWebhooks(self.http))

    async def test(self, peer: Peer) -> Tested:
        """Reach the peer and show it the credentials. Raises what stands in the way.

        Changes nothing there, but for a chat: it is sent a message that says so.
        """
        match peer:
            case HttpPeer():
                return await self._test_http(peer)
            case SshHost():
                version = await self.ssh.greet(peer)
                return Tested(f"{peer.username} is let in by {version}")
            case DnsServer():
                return Tested(f"the key {await self.dns.check(peer)}")
            case ChatRoom():
                await self.chat.send(peer, TEST_MESSAGE)
                return Tested("a test message was sent; look whether it has come")
            case HypervisorPeer() | GamePeer() | MetalPeer():
                return Tested(await self._provider(peer).check())

    def hypervisor(self, peer: HypervisorPeer, turns: Turns) -> Hypervisor:
        """Return the driver of a provider of virtual machines; nothing is called yet."""
        made: Hypervisor = _made("hypervisor", peer, self.http, peer, turns)
        return made

    def game(self, peer: GamePeer) -> Game:
        """Return the driver of a panel of game servers; nothing is called yet."""
        made: Game = _made("game", peer, self.http, peer)
        return made

    def metal(self, peer: MetalPeer) -> MetalCloud:
        """Return the driver of a cloud of bare metal, the same one for the same facts."""
        return self.clouds.at(peer)

    def _provider(
        self, peer: HypervisorPeer | GamePeer | MetalPeer
    ) -> Hypervisor | Game | MetalCloud:
        match peer:
            case HypervisorPeer():
                return self.hypervisor(peer, NoTurns())
            case GamePeer():
                return self.game(peer)
            case MetalPeer():
                return self.metal(peer)

    async def close(self) -> None:
        await self.clouds.close()
        await self.http.close()
        await self.switches.close()
        await self.pdus.close()

    async def _test_http(self, peer: HttpPeer) -> Tested:
        call = Call(url=peer.test_path, timeout_s=TEST_S, limit_bytes=1024 * 1024)
        answer = await self.http.call(call, peer)
        words = f"GET {answer.url.path} answers {answer.status} {answer.reason}".rstrip()
        if answer.status in {401, 403, 407}:
            raise Unauthorised(peer.name, words)
        if answer.status == 429 or answer.status >= 500:
            raise Retriable(peer.name, words)
        if isinstance(peer.auth, NoAuth):
            return Tested(words)
        if answer.status >= 400:
            more = "; name a path that needs the credentials to test these too"
            return Tested(words + more, is_certain=False)
        # Without a path of its own, what answered may be open to everyone.
        return Tested(words, is_certain=bool(peer.test_path))


def _made(kind: Literal["hypervisor", "game"], peer: HypervisorPeer | GamePeer, *given: Any) -> Any:
    """Return the driver of a provider; that of another package is guarded.

    Raises UnknownDriver, BrokenDriver, AdapterFailed.
    """
    driver, package = load(kind, peer.provider), package_of_driver(kind, peer.provider)
    if package == OURS:
        return driver(*given)
    return made_by(lambda: driver(*given), peer=peer.name, package=package)


def open_peers(egress: Egress, clock: Clock | None = None) -> Peers:
    """Return the drivers; nothing is connected before the first call."""
    return Peers(
        HttpClient(egress, clock),
        SshClient(egress),
        load("dns", "rfc2136")(egress),
        load("switch", "cli")(),
        load("pdu", "snmp")(),
        Clouds(egress),
    )
