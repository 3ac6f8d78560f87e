"""VLANs and ports as switches write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.drivers.switching import ios
from app.drivers.switching.contract import PortChange, PortVlans, key_of, port_vlans, same_port
from app.drivers.switching.dialects import DIALECTS, commands_of
from app.drivers.switching.vids import read_vids, write_vids
from tests.drivers.switching.peer import SHOWN, Interface, ios_box


@given(st.sets(st.integers(1, 4094), max_size=200))
def test_ids_are_read_as_they_were_written(vids: set[int]) -> None:
    assert read_vids(write_vids(vids)) == vids


@pytest.mark.parametrize("text", ["0", "4095", "7-3", "x", "1,,2"])
def test_what_is_no_list_of_ids_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"VLAN id|int\(\)"):
        read_vids(text)


def test_vlans_of_a_port_have_one_form() -> None:
    assert port_vlans(5, "9, 5,7-8") == PortVlans(untagged=5, tagged="7-9")
    assert read_vids("ALL") == frozenset(range(1, 4095))
    for untagged, tagged in ((None, ""), (4095, ""), (0, "7")):
        with pytest.raises(ValueError, match="VLAN"):
            port_vlans(untagged, tagged)


def test_names_of_ports_are_told_whether_written_short_or_long() -> None:
    assert same_port(key_of("Gi1/0/7"), key_of("GigabitEthernet 1/0/7"))
    assert same_port(key_of("7"), key_of("Ethernet7"))
    assert not same_port(key_of("Gi1/0/7"), key_of("Gi1/0/17"))
    assert not same_port(key_of("Gi1/0/7"), key_of("Te1/0/7"))


def test_a_long_list_of_ios_is_read_whole() -> None:
    box = ios_box()
    vids = ",".join(str(vid) for vid in range(100, 400, 3))
    box.interfaces["Te1/1/1"] = Interface(mode="trunk", native=999, allowed=vids)
    asked = [one.removeprefix("show ") for one in ios.READ]
    state = ios.state_of(tuple(SHOWN["cisco_ios"](box, one) for one in asked))
    found = state.port("Te1/1/1")
    assert found is not None
    assert found.vlans == PortVlans(untagged=None, tagged=vids)


def test_a_trunk_without_an_untagged_vlan_gets_a_native_one_that_is_not_let_through() -> None:
    change = PortChange(port="Gi1", before=port_vlans(1), after=port_vlans(None, "1-4"))
    assert commands_of(ios, (change,), {1: "", 2: "", 3: "", 4: ""}) == (
        "interface Gi1",
        "switchport mode trunk",
        "switchport trunk native vlan 5",
        "switchport trunk allowed vlan 1-4",
        "exit",
    )


def test_a_trunk_that_lets_nothing_through_can_be_put_back() -> None:
    nothing = PortVlans(untagged=None)
    change = PortChange(port="Gi1", before=port_vlans(7), after=nothing)
    assert commands_of(ios, (change,), {}) == (
        "interface Gi1",
        "switchport mode trunk",
        "switchport trunk allowed vlan none",
        "exit",
    )


@pytest.mark.parametrize("name", DIALECTS)
def test_an_answer_that_is_none_is_told(name: str) -> None:
    with pytest.raises(ValueError, match="cannot be read"):
        DIALECTS[name].state_of(("% Invalid input", "", ""))
