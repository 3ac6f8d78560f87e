"""What the solver's benchmark reads and makes up."""

import pytest

from app.solver.racking import rack_up
from benchmarks.solver import binpack, fleet, racking

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
