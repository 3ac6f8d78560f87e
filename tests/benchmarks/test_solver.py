"""What the solver's benchmark reads and makes up."""

import pytest
from click.testing import CliRunner

from app.solver.inventory import inventory_of
from app.solver.match import match
from app.solver.racking import rack_up
from benchmarks.__main__ import main
from benchmarks.solver import binpack, fleet, over_http, placement, process, racking

FILE = " 2\n one \n 10 3 2\n6\n4\n5\n two\n 5 1 1\n5\n"


def test_a_file_of_the_or_library_is_read_instance_by_instance(tmp_path):
    path = tmp_path / "any.txt"
    path.write_text(FILE)
    one, two = binpack.load(path)
    assert (one.name, one.capacity, one.sizes, one.best_known) == ("one", 10, (6, 4, 5), 2)
    assert (two.name, two.sizes) == ("two", (5,))
    assert not rack_up(one.racks(), one.machines(), seed=1, deterministic_limit=1).unplaced


@pytest.mark.parametrize("text", ["", "2\n one\n 10 3 2\n6", "a file", "1\n x\n 1 1 1\n1.5"])
def test_anything_else_is_refused_by_name(tmp_path, text):
    path = tmp_path / "other.txt"
    path.write_text(text)
    with pytest.raises(binpack.NotBinPacking, match=r"other\.txt"):
        binpack.load(path)


def test_bin_packing_is_left_out_with_a_message_where_no_file_is_named(monkeypatch, capsys):
    monkeypatch.delenv(racking.BINPACK, raising=False)
    assert racking._binpack() == []
    assert racking.BINPACK in capsys.readouterr().out


def test_fleets_and_orders_are_made_by_seed():
    assert fleet.orders(5, 3) == fleet.orders(5, 3) != fleet.orders(5, 4)
    assert fleet.rooms(90, 3) == fleet.rooms(90, 3)
    assert len(fleet.rooms(90, 3)) == 3
    assert fleet.fleet(90, 3).racks == (("ams", "r0"), ("fra", "r1"), ("nyc", "r2"))


def test_the_wish_is_the_same_in_the_words_of_placement():
    servers = fleet.servers(800, 1)
    found = {
        server.id
        for server in servers
        if {*over_http.TRAITS} <= {*placement.traits_of(server)}
        and all(
            placement.resources_of(server)[name] >= number
            for name, number in over_http.RESOURCES.items()
        )
    }
    told = match(inventory_of(servers), over_http.WANT, seed=1)
    assert told.explanation.eligible == len(found) > 0
    assert {*told.ranked} <= found
    asked = placement.candidates(over_http.RESOURCES, over_http.TRAITS, 32)
    assert "resources=VCPU:8,MEMORY_MB:65536,DISK_GB:1920" in asked
    assert "required=CUSTOM_DC_AMS,CUSTOM_CPU_E_2388G" in asked
    assert asked.endswith("&limit=32")
    assert "limit" not in placement.candidates(over_http.RESOURCES, over_http.TRAITS, None)


async def test_a_size_is_measured_in_a_process_of_its_own():
    told = await process.told(process.Matched, "match", 80)
    assert 0 < told.p50_ms <= told.p99_ms
    assert told.memory_mb > 1


def test_a_batch_is_measured_with_what_every_tier_reached():
    solved = process.solved(80, 1.0)
    assert 0 < solved.placed <= solved.bound
    assert [tier.tier for tier in solved.tiers][-1] == "spread"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--only", "solver", "--part", "colour"], "solver has no part colour"),
        (["--only", "pages", "--size", "0.5"], "--size and --part go with"),
        (["--part", "batches"], "--size and --part go with"),
    ],
    ids=["unknown part", "no parts", "no benchmark"],
)
def test_a_part_that_is_not_there_is_refused(arguments, says):
    told = CliRunner().invoke(main, arguments)
    assert told.exit_code == 2
    assert says in told.output
