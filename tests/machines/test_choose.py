"""The place of a machine: by room, by rules, and the same again. Pure."""

import pytest
from msgspec.structs import replace

from app.domain.machines.check import offer_faults
from app.domain.machines.choose import Chosen, Promised, Seen, choose_place, why_nowhere
from app.domain.machines.rules import MachinePlace, MachineSize, template_faults
from app.drivers.hypervisor.contract import Capacity, Offer, Offers
from tests.machines.world import RULES

SIZE = MachineSize(cores=2, memory_mb=4_096, disk_gb=40)
HERE = MachinePlace(connection="pve", datacentre="fra1")
LOCAL = Offers(
    nodes=(Offer("a", "a"), Offer("b", "b")),
    templates=(Offer("debian-12", "debian-12 (9000)", "a"), Offer("debian-12", "d (9001)", "b")),
    storages=(Offer("local-lvm", "local-lvm", "a"), Offer("ceph", "ceph")),
    bridges=(Offer("vmbr0", "vmbr0", "a"),),
)


def node(name: str, free_memory_mb: int = 32_768, **more: object) -> Capacity:
    room = Capacity(
        node=name, is_up=True, cores=16, memory_mb=65_536, free_memory_mb=free_memory_mb,
        disk_gb=1_000, free_disk_gb=500, machines=3,
    )  # fmt: skip
    return replace(room, **more)


def seen(*nodes: Capacity, place: MachinePlace = HERE, offers: Offers = LOCAL) -> Seen:
    return Seen(place, offers, nodes)


def chosen(*places: Seen, template: str = "debian-12", near: str = "", **taken: int) -> str | None:
    promised = {("pve", name): Promised(memory_mb=number) for name, number in taken.items()}
    found = choose_place(places, SIZE, template, promised=promised, near=near)
    return None if found is None else f"{found.place.connection}/{found.node}"


def test_the_node_with_the_largest_share_free_is_taken() -> None:
    small = node("b", 15_000, memory_mb=16_384)  # less memory, and more of it by its share
    assert chosen(seen(node("a"), small)) == "pve/b"
    assert chosen(seen(node("a", 20_000), node("b", 20_000, machines=1))) == "pve/b"
    assert chosen(seen(node("b"), node("a"))) == "pve/a", "equals go by name"


def test_what_is_planned_and_not_made_counts_as_taken() -> None:
    assert chosen(seen(node("a", 9_000), node("b", 8_000))) == "pve/a"
    assert chosen(seen(node("a", 9_000), node("b", 8_000)), a=4_096) == "pve/b"
    assert chosen(seen(node("a", 5_000)), a=4_096) is None


@pytest.mark.parametrize(
    "room",
    [
        pytest.param({"is_up": False}, id="down"),
        pytest.param({"cores": 1}, id="few cores"),
        pytest.param({"free_disk_gb": 39}, id="little disk"),
        pytest.param({"free_memory_mb": 4_095}, id="little memory"),
    ],
)
def test_a_node_that_cannot_have_it_is_passed_over(room: dict[str, object]) -> None:
    assert chosen(seen(node("a", **room))) is None


def test_rules_bind() -> None:
    only_b = replace(HERE, nodes=("b",))
    assert chosen(seen(node("a"), node("b", 5_000), place=only_b)) == "pve/b"
    one = replace(LOCAL, templates=LOCAL.templates[:1])
    assert chosen(seen(node("a", 5_000), node("b"), offers=one)) == "pve/a", "its template is there"
    on_ceph = replace(HERE, storage="ceph")
    assert chosen(seen(node("a", 5_000), node("b"), offers=one, place=on_ceph)) == "pve/b"
    local = replace(HERE, storage="local-lvm")
    assert chosen(seen(node("a", 5_000), node("b"), offers=one, place=local)) == "pve/a"
    everywhere = replace(LOCAL, templates=(Offer("debian-12", "Debian 12"),))
    assert chosen(seen(node("c"), offers=everywhere)) == "pve/c"
    assert chosen(seen(node("a")), template="debian-13") is None


def test_the_datacentre_of_the_held_addresses_comes_first() -> None:
    there = MachinePlace(connection="ams-pve", datacentre="ams1")
    both = seen(node("a")), seen(node("a", 60_000), place=there)
    assert chosen(*both) == "ams-pve/a"
    assert chosen(*both, near="fra1") == "pve/a"
    full = seen(node("a", 10)), both[1]
    assert chosen(*full, near="fra1") == "ams-pve/a", "addresses are exchanged then"
    assert choose_place([], SIZE, "debian-12", promised={}) is None
    assert choose_place(both, SIZE, "debian-12", promised={}) == Chosen(there, "a")


def test_staff_are_told_why_nowhere() -> None:
    only_c = replace(HERE, nodes=("c",))
    why = why_nowhere(
        [seen(node("a", 10)), seen(node("a"), place=only_c), seen(node("a"), offers=Offers())],
        {"ams-pve": "no answer"},
        SIZE,
        "debian-12",
    )
    assert why.splitlines() == [
        "pve: no room for 2 cores, 4 GB memory, 40 GB disk on a.",
        "pve: no node that is up has the template debian-12. Allowed are c.",
        "pve: no template is called debian-12; there are none.",
        "ams-pve does not answer: no answer",
    ]


def test_every_system_has_a_template_and_no_other() -> None:
    assert template_faults(RULES, ["debian-12", "ubuntu-24.04"]) == {}
    assert "which is offered" in template_faults(RULES, ["alma-9", *RULES.templates])["templates"]
    assert "no system ubuntu" in template_faults(RULES, ["debian-12"])["templates"]
    assert "option group" in template_faults(RULES, [])["templates"]


def test_names_are_looked_up_where_the_provider_could_be_asked() -> None:
    place = replace(HERE, nodes=("a", "c"), storage="nfs", bridge="vmbr0")
    rules = replace(RULES, templates={"debian-12": "debian-13"}, places=(place,))
    assert offer_faults(rules, {}) == {}
    assert offer_faults(rules, {"pve": LOCAL}) == {
        "places.0.nodes": "pve has no c.",
        "places.0.storage": "pve has no nfs.",
        "templates.debian-12": "pve has no template debian-13.",
    }


def test_an_iso_binds_to_the_nodes_that_have_it() -> None:
    """Shared storage for the disk does not help: the ISO must be at hand where the machine is."""
    iso = "local:iso/debian-13.iso"
    offers = replace(LOCAL, isos=(Offer(iso, "debian-13.iso (local)", "b"),))
    on_ceph = replace(HERE, storage="ceph")
    roomy, small = node("a"), node("b", 9_000)
    assert chosen(seen(roomy, small, place=on_ceph, offers=offers), template=iso) == "pve/b"
    assert chosen(seen(roomy, place=on_ceph, offers=offers), template=iso) is None
    there = seen(roomy, place=on_ceph, offers=offers)
    assert why_nowhere([there], {}, SIZE, iso) == f"pve: no node that is up has the ISO {iso}."
    assert why_nowhere([there], {}, SIZE, "nfs:iso/a.iso") == (
        f"pve: no ISO is called nfs:iso/a.iso; there are {iso}."
    )
    rules = replace(RULES, templates={"debian-12": iso, "ubuntu-24.04": "nfs:iso/a.iso"})
    assert offer_faults(rules, {"pve": offers}) == {
        "templates.ubuntu-24.04": "pve has no ISO nfs:iso/a.iso."
    }
