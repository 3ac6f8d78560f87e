"""The contract of PDUs, against Net-SNMP's agent on loopback."""

from collections.abc import AsyncIterator, Iterator

import pytest

from app.drivers.errors import NotReached, Refused, Unauthorised, Unreachable
from app.drivers.pdu import snmp
from app.drivers.pdu.profiles import PROFILES
from app.drivers.pdu.snmp import SnmpPdus
from app.drivers.power import Power
from app.drivers.secret import Secret
from tests.drivers.pdu.snmpd import READER, Agent, snmpd

PDUS = SnmpPdus()


@pytest.fixture(scope="module", autouse=True)
async def closed() -> AsyncIterator[None]:
    yield
    await PDUS.close()


def value(dialect: str, power: Power) -> int:
    return next(number for number, one in PROFILES[dialect].states.items() if one is power)


def orders() -> dict[str, dict[int, tuple[str, int]]]:
    """Return what writing a value does at a PDU of each maker."""
    found: dict[str, dict[int, tuple[str, int]]] = {}
    for name, one in PROFILES.items():
        for (below, order), power in ((one.on, Power.ON), (one.off, Power.OFF)):
            found.setdefault(below, {})[order] = (one.state, value(name, power))
    return found


@pytest.fixture(scope="module")
def module_agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agent]:
    with snmpd(tmp_path_factory.mktemp("pdu"), orders()) as served:
        yield served


@pytest.fixture
def agent(module_agent: Agent) -> Agent:
    for name, one in PROFILES.items():
        for outlet in (1, 7):
            for below, _ in (one.on, one.off):
                module_agent.put(below, outlet, 0)
            module_agent.put(one.state, outlet, value(name, Power.ON))
    for name in ("log", "ignore"):
        (module_agent.folder / name).unlink(missing_ok=True)
    return module_agent


@pytest.mark.parametrize("dialect", PROFILES)
async def test_an_outlet_is_switched_and_seen(agent: Agent, dialect: str) -> None:
    pdu = agent.at(dialect)
    assert await PDUS.read(pdu, 7) is Power.ON
    await PDUS.ensure(pdu, 7, Power.OFF, deadline_s=2)
    await PDUS.ensure(pdu, 7, Power.OFF, deadline_s=2)  # it is so already: no order
    assert (await PDUS.read(pdu, 7), await PDUS.read(pdu, 1)) == (Power.OFF, Power.ON)
    await PDUS.ensure(pdu, 7, Power.ON, deadline_s=2)
    one = PROFILES[dialect]
    assert agent.orders() == [f"{below}.7={order}" for below, order in (one.off, one.on)]


async def test_a_user_signs_and_encrypts(agent: Agent) -> None:
    await PDUS.ensure(agent.as_user(), 1, Power.OFF, deadline_s=2)
    assert await PDUS.read(agent.as_user(), 1) is Power.OFF
    for wrong in ({"secret": Secret("wrong-s3cret")}, {"username": "nobody"}):
        with pytest.raises(Unauthorised) as refused:
            await PDUS.read(agent.as_user(**wrong), 1)
        assert "s3cret" not in str(refused.value)


async def test_what_is_taken_and_not_followed_is_told(agent: Agent) -> None:
    (agent.folder / "ignore").touch()
    with pytest.raises(NotReached, match="asked for off, still on"):
        await PDUS.ensure(agent.at(), 1, Power.OFF, deadline_s=0.3)


async def test_what_is_on_its_way_is_neither(agent: Agent) -> None:
    agent.put(PROFILES["eaton"].state, 1, 2)
    assert await PDUS.read(agent.at("eaton"), 1) is Power.UNKNOWN


async def test_an_outlet_that_is_not_there_and_an_account_that_may_only_read(
    agent: Agent,
) -> None:
    with pytest.raises(Refused, match="outlet 99: there is no such outlet"):
        await PDUS.read(agent.at(), 99)
    with pytest.raises(Unauthorised, match="may read only"):
        await PDUS.ensure(agent.at(secret=Secret(READER)), 1, Power.OFF, deadline_s=1)
    with pytest.raises(Refused, match="dialect: acme is not known"):
        await PDUS.read(agent.at("acme"), 1)


async def test_a_silent_pdu_and_an_unknown_community_are_told_in_time(
    agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snmp, "ANSWER_S", 0.1)
    for silent in (agent.at(secret=Secret("nobody's")), agent.at(port=9)):
        with pytest.raises(Unreachable):
            await PDUS.read(silent, 1)
