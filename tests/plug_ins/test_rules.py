"""What is asked of a plug-in, and what its form, its adapter and its absence come to."""

import asyncio
from pathlib import Path

import pytest

from app.core.database import Database
from app.core.errors import Invalid
from app.core.plug_ins import Misfit
from app.core.secrets import Vault
from app.domain.connections.field import Field, Look, secret
from app.domain.connections.kinds import GameFacts, Kind
from app.domain.connections.open import open_connection
from app.domain.connections.provider import Provider, checked
from app.domain.connections.read import read
from app.domain.connections.typed import typed_again
from app.drivers.egress import Egress
from app.drivers.errors import DriverError, Refused
from app.drivers.game.contract import GamePeer
from app.drivers.guard import AdapterFailed, Guarded
from app.drivers.hypervisor.contract import HypervisorPeer
from app.drivers.peers import NoTurns, open_peers
from app.drivers.registry import UnknownDriver
from app.drivers.secret import Secret
from app.drivers.tls import TrustSystem
from app.flows.plug_ins import list_faults
from app.flows.shipped import MACHINES, serve_categories
from tests.connections.world import add
from tests.machines.world import a_machine_shop
from tests.plug_ins.packages import FORM, on_path, write

ADDRESS = Field(name="base_url", label="Address")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ((), "It needs a field base_url"),
        ((Field(name="base_url", label="A", is_optional=True),), "It needs a field base_url"),
        ((ADDRESS, ADDRESS), "Two of its fields have one name"),
        ((ADDRESS, Field(name="Zone", label="Z")), "field Zone is not named by small letters"),
        ((ADDRESS, Field(name="trust", label="T")), "field trust has a name that the form uses"),
        ((ADDRESS, Field(name="zone", label="")), "field zone has no label"),
        ((ADDRESS, Field(name="zone", label="Z", look=Look.CHOICE)), "is a choice whose default"),
        ((ADDRESS, Field(name="zone", label="Z", pattern="(")), "is no regular expression"),
        ((ADDRESS, secret("username", "User")), "is secret under a name that is shown"),
    ],
)
def test_a_form_that_cannot_be_drawn_is_refused(fields: tuple[Field, ...], words: str) -> None:
    with pytest.raises(Misfit, match=words):
        checked(Kind.HYPERVISOR, "proxmox", Provider(label="X", fields=fields))


class Odd:
    takes_keys = True

    async def check(self) -> str:
        raise ValueError("the token is hush-hush")

    async def find(self) -> None:
        raise Refused("odd", field="x", reason="not today")

    async def wait(self) -> None:
        await asyncio.sleep(60)


async def test_an_adapter_raises_what_the_contract_has() -> None:
    guarded = Guarded(Odd(), peer="fra", package="slipway-odd")
    assert guarded.takes_keys
    with pytest.raises(
        AdapterFailed, match=r"slipway-odd failed: ValueError in test_rules\.py"
    ) as no:
        await guarded.check()
    assert "hush" not in str(no.value)
    with pytest.raises(Refused, match="not today"):
        await guarded.find()
    waiting = asyncio.create_task(guarded.wait())
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


ARENA = (
    "class Arena:\n"
    "    def __init__(self, http, peer): self.peer = peer\n"
    "    async def check(self):\n"
    "        peer = self.peer\n"
    "        return ' '.join([peer.key.reveal(), peer.settings['zone'],\n"
    "            peer.settings.get('loud', '-'), peer.more_secrets['pepper'].reveal()])\n"
)
ARENA_FORM = FORM + (
    "provider = Provider(label='Arena', fields=(ADDRESS, secret('secret', 'Key'),\n"
    "    secret('pepper', 'Pepper'), Field(name='zone', label='Zone', look=Look.CHOICE,\n"
    "        choices={'eu': 'Europe', 'us': 'America'}, default='eu'),\n"
    "    Field(name='loud', label='Loud', look=Look.TICK, is_optional=True)))"
)


async def test_a_panel_of_game_servers_has_its_settings_and_secrets(
    tmp_path: Path, database: Database, vault: Vault
) -> None:
    """And once its package is gone, what is known of it stays, and calls say what is missing."""
    group = {"slipway.drivers.game": {"arena": "arena:Arena"}}
    group["slipway.providers.game"] = {"arena": "arena_form:provider"}
    write(tmp_path, "slipway-arena", group, arena=ARENA, arena_form=ARENA_FORM)
    peers = open_peers(Egress())
    typed = {
        "provider": "arena", "base_url": "https://arena.test", "secret": "key-1234",
        "pepper": "hot-5678", "zone": "us", "loud": "on",
    }  # fmt: skip
    with on_path(tmp_path):
        assert list_faults() == ()
        with pytest.raises(Invalid) as invalid:
            read(Kind.GAME, typed | {"zone": "mars", "pepper": "", "trust": "system"})
        assert set(invalid.value.fields) == {"zone", "pepper"}
        made = read(Kind.GAME, typed | {"trust": "system"})
        assert isinstance(made.facts, GameFacts)
        assert made.facts.settings == {"zone": "us", "loud": "on"}
        again = typed_again(made.facts)
        assert read(Kind.GAME, again, kept=made.secrets) == made
        quiet = read(Kind.GAME, {**again, "loud": ""}, kept=made.secrets)
        assert isinstance(quiet.facts, GameFacts)
        assert quiet.facts.settings == {"zone": "us"}
        await add(database, vault, Kind.GAME, "arena", **typed)
        async with database.snapshot() as tx:
            peer = await open_connection(tx, vault, "arena")
        assert isinstance(peer, GamePeer)
        tested = await peers.test(peer)
        assert tested.words == "key-1234 us on hot-5678"
    with pytest.raises(UnknownDriver, match="no game driver is called 'arena'"):
        await peers.test(peer)
    with pytest.raises(Invalid, match="Choose one of pterodactyl"):
        read(Kind.GAME, again | {"secret": "x"})
    async with database.snapshot() as tx:
        assert await open_connection(tx, vault, "arena") == peer
    await peers.close()


async def test_a_driver_that_is_not_there_is_an_error_of_the_peer() -> None:
    peers = open_peers(Egress())
    peer = HypervisorPeer(
        name="gone", provider="gone", url="https://x.test", username="", secret=Secret(""),
        tls=TrustSystem(),
    )  # fmt: skip
    with pytest.raises(DriverError, match="proxmox, solusvm1"):
        peers.hypervisor(peer, NoTurns())
    await peers.close()


FLOW = (
    b"""{"schema": 1, "flow": "odd-flow", "nodes": {"a": {"type": "NODE", "v": 1}}, "edges": []}"""
)


async def test_a_flow_that_cannot_serve_is_told_and_the_general_one_serves(
    tmp_path: Path, database: Database, vault: Vault
) -> None:
    write(
        tmp_path, "slipway-odd",
        {
            "slipway.drivers.hypervisor": {"odd": "odd:Odd"},
            "slipway.providers.hypervisor": {"odd": "odd_form:provider"},
            "slipway.flow_templates": {"odd": "odd_flows"},
        },
        odd="class Odd: pass",
        odd_form=FORM + "provider = Provider(label='Odd', fields=(ADDRESS,), flows={\n"
        "    'order.paid': 'odd-flow', 'service.suspended': 'vps-unsuspended',\n"
        "    'service.unsuspended': 'nowhere'})",
        odd_flows____init__="",
    )  # fmt: skip
    (tmp_path / "odd_flows/odd.json").write_bytes(FLOW.replace(b"NODE", b"odd.gone"))
    with on_path(tmp_path):
        told = " ".join(fault.words for fault in list_faults())
        for words in (
            "odd's flow odd-flow", "It cannot be published: ", "odd.gone",
            "It starts on service.unsuspended, not on service.suspended.", "No package ships it.",
        ):  # fmt: skip
            assert words in told
        async with database.transaction() as tx:
            await a_machine_shop(tx, vault, provider="odd")
            await serve_categories(tx)
            rows = await tx.fetch(
                "SELECT b.trigger, f.slug FROM flow_binding b JOIN flow f ON f.id = b.flow"
            )
    assert {row["trigger"]: row["slug"] for row in rows} == MACHINES
