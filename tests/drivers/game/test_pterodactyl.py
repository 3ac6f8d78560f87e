"""Pterodactyl: our adapter against the stand-in, with py-dactyl as a second opinion."""

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
from msgspec.structs import replace

from app.core.clock import SystemClock
from app.drivers.egress import Egress
from app.drivers.errors import DriverError, Refused, Retriable, Unauthorised
from app.drivers.game.contract import (
    GamePeer,
    GamePower,
    GameState,
    GameWant,
    Limited,
    Limits,
    NoRoom,
    Owner,
    Working,
)
from app.drivers.game.pterodactyl.adapter import Pterodactyl
from app.drivers.game.pterodactyl.read import username_of
from app.drivers.http.client import HttpClient
from app.drivers.secret import Secret
from app.suites.game import GameContract
from app.suites.hypervisor import through
from lab.pterodactyl import refusals
from lab.pterodactyl.things import User
from lab.pterodactyl.web import Fault, PanelWeb
from tests.drivers.environment import environment
from tests.drivers.game.panel import panel_on_loopback

PYDACTYL = ("py-dactyl==2.1.3", "requests==2.34.2")
LIMITS = Limits(memory_mb=2_048, disk_mb=10_000, cpu_percent=200, databases=1, backups=2, ports=1)


@pytest.fixture
async def lab() -> AsyncIterator[tuple[PanelWeb, GamePeer]]:
    async with panel_on_loopback() as found:
        yield found


@pytest.fixture
def panel(lab: tuple[PanelWeb, GamePeer]) -> PanelWeb:
    return lab[0]


@pytest.fixture
def peer(lab: tuple[PanelWeb, GamePeer]) -> GamePeer:
    return lab[1]


@pytest.fixture
async def http() -> AsyncIterator[HttpClient]:
    client = HttpClient(Egress(["127.0.0.0/8"]), SystemClock())
    yield client
    await client.close()


@pytest.fixture
def game(peer: GamePeer, http: HttpClient) -> Pterodactyl:
    return Pterodactyl(http, peer)


@pytest.fixture
def want() -> GameWant:
    return GameWant(
        service=uuid4(),
        name="mc1.example.org",
        owner=Owner(
            account=uuid4(),
            email="Robin.O'Hara@example.org",
            first_name="Robin",
            last_name="O'Hara",
            password=Secret("Fit for a client, 1!"),
        ),
        egg="Minecraft/Paper",
        limits=LIMITS,
        variables={"MINECRAFT_VERSION": "1.21.4"},
        locations=("fra",),
    )


async def make(game: Pterodactyl, want: GameWant) -> Any:
    return await through(lambda memo: game.create(want, memo))


class TestPterodactyl(GameContract):
    async def test_the_server_is_made_as_asked(
        self, game: Pterodactyl, panel: PanelWeb, want: GameWant
    ) -> None:
        made = await make(game, want)
        (server,) = panel.panel.servers.values()
        assert server.environment == {"MINECRAFT_VERSION": "1.21.4", "SERVER_JARFILE": "server.jar"}
        assert (server.image, server.power) == ("ghcr.io/pterodactyl/yolks:java_21", "running")
        user = panel.panel.users[server.owner]
        assert (user.email, user.first_name) == ("Robin.O'Hara@example.org", "Robin")
        assert (user.password, user.root_admin) == ("Fit for a client, 1!", False)
        assert made.username == username_of(user.email, want.owner.account) == user.username
        assert made.port.words == f"{made.node}.play.test:25565"
        assert made.panel_url.endswith(f"/server/{server.short}")
        assert not made.panel_url.split("://")[1].count("//")

    async def test_who_has_the_address_already_is_taken_as_he_is(
        self, game: Pterodactyl, panel: PanelWeb, want: GameWant
    ) -> None:
        """Compared whole: the panel's filter finds addresses that merely contain it."""
        for number, email in (
            (900, "xrobin.o'hara@example.org"),
            (901, "robin.o'hara@example.org"),
        ):
            panel.panel.users[number] = User(number, email, f"u{number}", "A", "B")
        found = await game.user(want.owner)
        assert (found.id, found.is_ours) == ("901", False)
        made = await make(game, want)
        assert (made.username, made.owner) == ("u901", None)
        await game.delete(want.service)
        assert not await game.drop_user(want.owner.account), "a person made that user"

    async def test_a_creation_whose_answer_got_lost_is_found(
        self, game: Pterodactyl, panel: PanelWeb, want: GameWant
    ) -> None:
        for path in ("users$", "servers$"):
            panel.faults.append(Fault("POST", path, refusals.daemon_away(), is_done=True))
        for _ in range(2):
            with pytest.raises(Retriable, match="daemon"):
                await make(game, want)
        await make(game, want)
        assert [server.external_id for server in panel.panel.servers.values()] == [
            str(want.service)
        ]
        assert len(panel.panel.users) == 2

    async def test_orders_at_once_make_one_user_and_a_server_each(
        self, game: Pterodactyl, panel: PanelWeb, want: GameWant
    ) -> None:
        wants = [replace(want, service=uuid4()) for _ in range(4)]
        made = await asyncio.gather(*(make(game, one) for one in [*wants, wants[0]]))
        assert len({one.id for one in made}) == len(panel.panel.servers) == 4
        assert len({one.port for one in made}) == 4
        assert len(panel.panel.users) == 2

    async def test_an_owner_that_is_removed_meanwhile_is_made_anew(
        self, game: Pterodactyl, panel: PanelWeb, want: GameWant
    ) -> None:
        """And one who gets a server meanwhile is kept."""
        gone = refusals.Invalid([("user", "exists", "The selected user is invalid.")])
        panel.faults.append(Fault("POST", "servers$", gone))
        with pytest.raises(Retriable, match="made anew"):
            await make(game, want)
        await make(game, want)
        await game.delete(want.service)
        panel.faults.append(Fault("DELETE", "users", refusals.refused("It has active servers.")))
        assert not await game.drop_user(want.owner.account)
        panel.faults.append(Fault("DELETE", "users", refusals.forbidden()))
        with pytest.raises(Refused, match="rights for users"):
            await game.drop_user(want.owner.account)

    async def test_free_ports_are_counted_where_the_panel_has_no_filter(
        self, game: Pterodactyl, panel: PanelWeb, want: GameWant
    ) -> None:
        await make(game, want)
        by_filter = await game.rooms()
        panel.unknown_filters.add("server_id")
        assert await game.rooms() == by_filter
        assert sum(room.free_ports for room in by_filter) == 3 * 120 - 1

    async def test_a_failed_installation_is_tried_once_more(
        self, game: Pterodactyl, panel: PanelWeb, want: GameWant
    ) -> None:
        panel.panel.failing_installs = 1
        assert (await make(game, want)).state is GameState.READY
        panel.panel.failing_installs = 2
        other = replace(want, service=uuid4())
        with pytest.raises(Refused, match="it failed twice on fra"):
            await make(game, other)

    async def test_a_full_panel_waits_for_room(
        self, game: Pterodactyl, panel: PanelWeb, want: GameWant
    ) -> None:
        large = replace(want, limits=replace(LIMITS, memory_mb=10**6))
        with pytest.raises(NoRoom, match="No nodes"):
            await make(game, large)
        for port in panel.panel.allocations.values():
            port.server = 1
        with pytest.raises(NoRoom, match="No allocations"):
            await make(game, want)
        assert {room.free_ports for room in await game.rooms()} == {0}

    async def test_it_waits_as_long_as_the_panel_says(
        self, game: Pterodactyl, panel: PanelWeb
    ) -> None:
        panel.per_minute["application"], panel.panel.clock.per_call_s = 2, 0.0
        await game.find(uuid4())
        await game.find(uuid4())
        panel.panel.clock.advance(20)
        with pytest.raises(Limited) as limited:
            await game.find(uuid4())
        assert limited.value.again_s == 40
        panel.panel.clock.advance(limited.value.again_s)
        assert await game.find(uuid4()) is None

    async def test_who_does_not_stop_is_ended(
        self, game: Pterodactyl, panel: PanelWeb, want: GameWant
    ) -> None:
        await make(game, want)
        (server,) = panel.panel.servers.values()
        server.is_deaf = True
        memo: dict[str, Any] = {}
        looks = 0
        while isinstance(found := await game.power(want.service, GamePower.STOPPED, memo), Working):
            memo, looks = found.memo, looks + 1
        assert (server.power, looks > 20) == ("offline", True)

    async def test_nothing_is_lost_while_the_panel_installs(
        self, game: Pterodactyl, panel: PanelWeb, want: GameWant
    ) -> None:
        """It would forget that it installs, were it told to suspend then."""
        panel.panel.clock.per_call_s = 0.0
        await game.create(want, {})
        with pytest.raises(Retriable, match="installing"):
            await game.suspend(want.service)
        panel.panel.clock.advance(10)
        assert (await game.suspend(want.service)).state is GameState.SUSPENDED

    async def test_faults_are_told_in_the_panels_words(
        self, game: Pterodactyl, peer: GamePeer, http: HttpClient, panel: PanelWeb, want: GameWant
    ) -> None:
        bad = replace(want, variables={"SERVER_JARFILE": "no jar", "MINECRAFT_VERSION": "x" * 30})
        with pytest.raises(Refused, match="Server Jar File variable format is invalid") as refused:
            await make(game, bad)
        assert refused.value.field == "environment.MINECRAFT_VERSION, environment.SERVER_JARFILE"
        panel.faults.append(Fault("GET", "/nests", refusals.broken()))
        with pytest.raises(Retriable, match="unexpected error"):
            await game.offers()
        for node in panel.panel.nodes.values():
            node.is_away = True
        with pytest.raises(Retriable, match="daemon"):
            await make(game, want)
        with pytest.raises(Unauthorised, match="Unauthenticated"):
            await Pterodactyl(http, replace(peer, key=Secret("ptla_wrong"))).check()
        panel.keys.application["ptla_few"] = frozenset({"nodes", "servers", "nests", "locations"})
        with pytest.raises(Refused, match="rights for users"):
            await Pterodactyl(http, replace(peer, key=Secret("ptla_few"))).check()
        panel.keys.client["ptlc_client"] = 901
        panel.panel.users[901] = User(901, "a@b.test", "robin", "A", "B")
        with pytest.raises(Refused, match="robin is no administrator"):
            await Pterodactyl(http, replace(peer, client_key=Secret("ptlc_client"))).check()
        alone = Pterodactyl(http, replace(peer, client_key=None))
        assert "without a client key" in await alone.check()

    async def test_without_a_client_key_what_needs_it_says_so(
        self, peer: GamePeer, http: HttpClient, want: GameWant
    ) -> None:
        game = Pterodactyl(http, replace(peer, client_key=None))
        await make(game, want)
        with pytest.raises(Refused, match="client key: the connection has none"):
            await game.usage(want.service)
        assert (await game.suspend(want.service)).state is GameState.SUSPENDED

    async def test_something_else_answers(self, peer: GamePeer, http: HttpClient) -> None:
        elsewhere = replace(peer, url=f"{peer.url}elsewhere")
        with pytest.raises(DriverError):
            await Pterodactyl(http, elsewhere).check()


SCRIPT = """
import json, sys
from pydactyl import PterodactylClient
from pydactyl.exceptions import PterodactylApiError
url, key, client_key = sys.argv[1:]
api = PterodactylClient(url, key)
said = {}
user = api.user.create_user(username='ordinary', email='o@example.org', first_name='O', last_name='R')
user = user['attributes']['id']
locations = [row['attributes']['id'] for row in api.locations.list_locations().data]
nest = [row for page in api.nests.list_nests() for row in page.data][0]['attributes']['id']
egg = api.nests.get_eggs_in_nest(nest)['data'][0]['attributes']['id']
made = api.servers.create_server(
    name='ordinary', user_id=user, nest_id=nest, egg_id=egg, memory_limit=1024, swap_limit=0,
    disk_limit=2048, location_ids=locations, external_id='ordinary-1').json()
server = made['attributes']['id']
said['status'] = made['attributes']['status']
said['found'] = api.servers.get_server_info(external_id='ordinary-1')['id'] == server
said['pages'] = sum(len(page.data) for page in api.nodes.list_node_allocations(
    api.nodes.list_nodes().data[0]['attributes']['id']))
api.servers.suspend_server(server)
said['suspended'] = api.servers.get_server_info(server)['suspended']
api.servers.unsuspend_server(server)
try:
    api.user.create_user(username='ordinary', email='o@example.org', first_name='', last_name='R')
except PterodactylApiError as error:
    said['refused'] = str(error)
client = PterodactylClient(url, client_key)
short = made['attributes']['identifier']
client.client.servers.send_power_action(short, 'start')
said['power'] = client.client.servers.get_server_utilization(short)['current_state']
api.servers.delete_server(server)
api.user.delete_user(user)
print(json.dumps(said))
"""


async def test_an_ordinary_client_sees_a_panel(panel: PanelWeb, peer: GamePeer) -> None:
    assert peer.client_key is not None
    python = await asyncio.to_thread(environment, "pydactyl", *PYDACTYL)
    said = await asyncio.to_thread(
        subprocess.run,
        [python / "python", "-c", SCRIPT, peer.url, peer.key.reveal(), peer.client_key.reveal()],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert said.returncode == 0, said.stderr[-2_000:]
    found = json.loads(said.stdout)
    refused = found.pop("refused")
    for words in ("email has already been taken", "'source_field': 'first_name'", "'422'"):
        assert words in refused
    assert found == {
        "status": "installing", "found": True, "pages": 120, "suspended": True, "power": "running",
    }  # fmt: skip
    assert panel.panel.servers == {}
