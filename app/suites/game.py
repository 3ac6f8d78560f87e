"""What every panel of game servers must do; an adapter's test class inherits.

The coroutines are tests: pytest-asyncio runs them with `asyncio_mode = "auto"`.
"""

from functools import partial
from uuid import uuid4

import pytest
from msgspec.structs import replace

from app.drivers.errors import Refused
from app.drivers.game.contract import Game, GamePower, GameState, GameWant
from app.suites.hypervisor import through


class GameContract:
    """Needs the fixtures `game` and `want` (a server that has room, of a new service)."""

    async def test_the_panel_says_who_it_is(self, game: Game) -> None:
        assert await game.check()

    async def test_what_can_be_sold_is_named(self, game: Game, want: GameWant) -> None:
        offers = await game.offers()
        eggs = {egg.code: egg for egg in offers.eggs}
        assert want.variables.keys() <= {found.code for found in eggs[want.egg].variables}
        assert set(want.locations) <= {place.code for place in offers.locations}
        assert all(egg.label and egg.images for egg in offers.eggs)

    async def test_room_is_told_by_node(self, game: Game, want: GameWant) -> None:
        offers, rooms = await game.offers(), await game.rooms()
        assert {room.node for room in rooms} == set(offers.nodes)
        before = sum(room.free_ports for room in rooms)
        made = await through(lambda memo: game.create(want, memo))
        (room,) = [room for room in await game.rooms() if room.node == made.node]
        (was,) = [one for one in rooms if one.node == made.node]
        assert was.free_memory_mb is not None
        assert room.free_memory_mb == was.free_memory_mb - want.limits.memory_mb
        assert sum(room.free_ports for room in await game.rooms()) == before - 1
        await game.delete(want.service)

    async def test_a_whole_life(self, game: Game, want: GameWant) -> None:
        service = want.service
        assert await game.find(service) is None
        made = await through(lambda memo: game.create(want, memo))
        assert (made.state, made.service, made.name) == (GameState.READY, service, want.name)
        assert (made.owner, made.limits) == (want.owner.account, want.limits)
        assert made.port is not None
        assert made.location in want.locations
        assert await game.find(service) == made
        assert made in await game.servers()
        assert await through(lambda memo: game.create(want, memo)) == made
        for wanted in (GamePower.STOPPED, GamePower.STOPPED, GamePower.RUNNING, GamePower.RUNNING):
            await through(partial(game.power, service, wanted))
            assert (await game.usage(service)).power is wanted
            assert (await game.usage(service, short=made.short)).power is wanted
        await game.restart(service)
        assert (await game.usage(service)).power is GamePower.RUNNING
        await game.kill(service)
        assert (await game.usage(service)).power is GamePower.STOPPED
        larger = replace(want.limits, memory_mb=want.limits.memory_mb * 2, databases=2)
        for _ in range(2):
            assert (await game.resize(service, larger)).limits == larger
        anew = await through(lambda memo: game.reinstall(service, memo))
        assert (anew.id, anew.port, anew.limits) == (made.id, made.port, larger)
        await self._is_suspended_and_comes_back(game, want)
        assert not await game.drop_user(want.owner.account), "a server is its"
        for _ in range(2):
            await game.delete(service)
        assert await game.find(service) is None
        assert await game.drop_user(want.owner.account)
        assert not await game.drop_user(want.owner.account)

    async def _is_suspended_and_comes_back(self, game: Game, want: GameWant) -> None:
        service = want.service
        for _ in range(2):
            assert (await game.suspend(service)).state is GameState.SUSPENDED
        with pytest.raises(Refused, match="suspended"):
            await through(lambda memo: game.power(service, GamePower.RUNNING, memo))
        with pytest.raises(Refused, match="suspended"):
            await game.restart(service)
        assert (await game.kill(service)).state is GameState.SUSPENDED
        with pytest.raises(Refused, match="suspended"):
            await through(lambda memo: game.reinstall(service, memo))
        found = await game.find(service)
        assert found is not None
        assert found.state is GameState.SUSPENDED, "nothing lifted it"
        for _ in range(2):
            assert (await game.unsuspend(service)).state is GameState.READY

    async def test_each_call_may_forget_what_the_last_one_said(
        self, game: Game, want: GameWant
    ) -> None:
        before = {server.id for server in await game.servers()}
        made = await through(lambda memo: game.create(want, memo), forgetful=True)
        ours = [one for one in await game.servers() if one.service == want.service]
        assert [one.id for one in ours] == [made.id]
        await game.delete(want.service)
        assert {server.id for server in await game.servers()} == before

    async def test_an_owner_is_one_user_for_all_services(self, game: Game, want: GameWant) -> None:
        user = await game.user(want.owner)
        assert user.is_ours
        assert await game.user(replace(want.owner, email="moved@example.org")) == user
        wants = [replace(want, service=uuid4()) for _ in range(2)]
        made = [await through(partial(game.create, one)) for one in wants]
        assert {one.username for one in made} == {user.username}
        assert len({one.port for one in made}) == 2
        for one in wants:
            await game.delete(one.service)
        assert await game.drop_user(want.owner.account)

    async def test_a_server_that_is_not_there(self, game: Game, want: GameWant) -> None:
        for call in (
            lambda: game.power(want.service, GamePower.RUNNING, {}),
            lambda: game.restart(want.service),
            lambda: game.kill(want.service),
            lambda: game.suspend(want.service),
            lambda: game.reinstall(want.service, {}),
            lambda: game.resize(want.service, want.limits),
            lambda: game.usage(want.service),
        ):
            with pytest.raises(Refused, match="no server"):
                await call()

    @pytest.mark.parametrize(
        ("wrong", "words"),
        [
            ({"egg": "Minecraft/Nothing"}, "egg: there is no Minecraft/Nothing"),
            ({"locations": ("mars",)}, "location: there is no mars"),
            ({"variables": {"NO_SUCH": "1"}}, r"variables.NO_SUCH"),
        ],
    )
    async def test_what_cannot_be_is_refused_with_its_reason(
        self, game: Game, want: GameWant, wrong: dict[str, object], words: str
    ) -> None:
        with pytest.raises(Refused, match=words):
            await through(lambda memo: game.create(replace(want, **wrong), memo))
        assert await game.find(want.service) is None
