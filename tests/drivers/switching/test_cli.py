"""The contract of switches, over real SSH to fakenos, which keeps VLANs as IOS and EOS do."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Iterator

import asyncssh
import pytest

from app.drivers.errors import Refused, Unanswered, Unauthorised, Unreachable
from app.drivers.secret import Secret
from app.drivers.switching import cli
from app.drivers.switching.cli import CliSwitches
from app.drivers.switching.contract import port_vlans
from tests.drivers.switching.peer import ENABLE, PASSWORD, Box, eos_box, ios_box, switch


@pytest.fixture(params=[ios_box, eos_box], ids=["ios", "eos"])
def box(request: pytest.FixtureRequest) -> Iterator[Box]:
    with switch(request.param()) as served:
        yield served


@pytest.fixture
def ios() -> Iterator[Box]:
    with switch(ios_box()) as served:
        yield served


@pytest.fixture(scope="module")
async def switches() -> AsyncIterator[CliSwitches]:
    made = CliSwitches()
    yield made
    await made.close()


async def test_a_port_is_planned_put_and_kept(box: Box, switches: CliSwitches) -> None:
    one, other, *_ = box.interfaces
    wanted = {one: port_vlans(101), other: port_vlans(5, "9,7-8")}

    plan = await switches.plan(box.at(), wanted)
    assert [change.before.words for change in plan.changes] == ["VLAN 10", "VLAN 10"]
    assert plan.commands[:6] == (
        "vlan 5",
        "vlan 7",
        "vlan 8",
        "vlan 9",
        "vlan 101",
        f"interface {one}",
    )
    assert "configure terminal" not in box.told

    assert await switches.apply(box.at(), wanted) == plan
    assert box.vlans_of(one) == ("access", 101, "")
    assert box.vlans_of(other) == ("trunk", 5, "5,7-9")
    assert (box.saved, box.vlans[101]) == (1, "VLAN0101")
    state = await switches.read(box.at())
    assert {port.name: port.vlans for port in state.ports[:2]} == wanted

    box.told.clear()
    assert not (await switches.apply(box.at(), wanted)).changes
    assert "configure terminal" not in box.told


async def test_ports_are_read_as_they_are(ios: Box, switches: CliSwitches) -> None:
    ios.needs_enable = True
    state = await switches.read(ios.at(enable_password=Secret(ENABLE)))
    assert state.vlans == {1: "default", 10: "park"}
    told = {port.name: (port.description, port.is_up, port.vlans) for port in state.ports}
    assert told["Gi1/0/2"] == ("old tenant", True, port_vlans(10))
    assert told["Gi1/0/3"] == ("", False, port_vlans(10))
    assert told["Te1/1/1"] == ("uplink", True, port_vlans(1, "2-4094"))
    assert told["Te1/1/2"][2] is None


async def test_a_routed_port_is_refused(ios: Box, switches: CliSwitches) -> None:
    with pytest.raises(Refused, match="TenGigabitEthernet1/1/2: it is routed"):
        await switches.plan(ios.at(), {"TenGigabitEthernet1/1/2": port_vlans(101)})


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"refuses": "access vlan 101"}, "port: .* at command: switchport access vlan 101"),
        (
            {"forgets": True},
            "Gi1/0/2: asked for VLAN 5, tagged 7; it took that and still says VLAN 10",
        ),
    ],
    ids=["refuses", "forgets"],
)
async def test_what_a_switch_does_not_follow_is_refused_and_taken_back(
    ios: Box, switches: CliSwitches, fault: dict[str, object], said: str
) -> None:
    for name, value in fault.items():
        setattr(ios, name, value)
    with pytest.raises(Refused, match=said):
        await switches.apply(ios.at(), {"Gi1/0/2": port_vlans(5, "7"), "Gi1/0/1": port_vlans(101)})
    assert ios.vlans_of("Gi1/0/1") == ios.vlans_of("Gi1/0/2") == ("access", 10, "")
    assert ios.saved == 0


async def test_who_is_at_the_other_end_is_known_before_it_gets_the_password(
    ios: Box, switches: CliSwitches
) -> None:
    with pytest.raises(Unauthorised, match="does not let slipway in") as refused:
        await switches.read(ios.at(password=Secret("wrong-of-switches")))
    assert "wrong-of-switches" not in str(refused.value)
    other = asyncssh.generate_private_key("ssh-rsa", key_size=2048)
    pinned = other.export_public_key().decode().strip()
    with pytest.raises(Refused, match="host_key: it shows another than the one that is pinned"):
        await switches.read(ios.at(host_key=pinned))
    assert not ios.told
    with pytest.raises(Unreachable, match="refused"):
        await switches.read(ios.at(port=1))
    assert PASSWORD not in repr(ios.at())


async def test_a_silent_switch_is_given_up_and_a_cancelled_call_leaves_no_thread(
    ios: Box, switches: CliSwitches, monkeypatch: pytest.MonkeyPatch
) -> None:
    ios.is_mute = True
    monkeypatch.setattr(cli, "DEADLINE_S", 0.6)
    with pytest.raises(Unanswered, match="not done within"):
        await switches.read(ios.at())
    monkeypatch.undo()
    call = asyncio.create_task(switches.apply(ios.at(), {"Gi1/0/1": port_vlans(101)}))
    await asyncio.sleep(0.3)
    call.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await call
    for _ in range(200):
        if not [one for one in threading.enumerate() if "Transport" in type(one).__name__]:
            break
        await asyncio.sleep(0.02)
    assert "configure terminal" not in ios.told


@pytest.mark.parametrize("is_mute", [True, False], ids=["mute", "at-a-port"])
async def test_a_switch_that_is_put_away_keeps_no_process_alive(is_mute: bool) -> None:
    before = set(threading.enumerate())

    def begun() -> list[threading.Thread]:
        """Its own threads; those of asyncio are named otherwise."""
        now = set(threading.enumerate()) - before
        return [one for one in now if one.name.startswith("Thread-")]

    with switch(ios_box()) as box:
        box.is_mute = is_mute
        async with asyncssh.connect(
            "127.0.0.1", box.port, username="slipway", password=PASSWORD, known_hosts=None
        ) as line:
            shell = await line.create_process(term_type="vt100")
            shell.stdin.write("configure terminal\rinterface Gi1/0/1\r")
            if is_mute:
                await asyncio.sleep(0.5)
                assert box.told == []
            else:
                async with asyncio.timeout(30):
                    while len(box.told) < 2:  # noqa: ASYNC110 - another thread reads what is typed
                        await asyncio.sleep(0.02)
                assert box.told == ["configure terminal", "interface Gi1/0/1"]
            assert begun()
            assert not [one for one in begun() if not one.daemon]
    assert not [one for one in begun() if "connection_function" in one.name]
