"""The ends of what can be asked for by rank; the machine in `test_spaces` meets them by chance."""

import pytest

from app.ipam.bitmap import FreeMap, UsedMap

KINDS = pytest.mark.parametrize("kind", [FreeMap, UsedMap])


@KINDS
def test_the_first_and_the_last_free_place_have_ranks(kind):
    index = kind(10, taken=[0, 3, 9])
    assert [index.nth_free(rank) for rank in range(7)] == [1, 2, 4, 5, 6, 7, 8]
    assert index.nth_free(0, -5) == 1
    assert index.nth_free(0, 8) == 8


@KINDS
@pytest.mark.parametrize(("rank", "after"), [(-1, 0), (7, 0), (0, 9), (0, 10), (1, 8), (0, 99)])
def test_no_place_has_another_rank(kind, rank, after):
    with pytest.raises(IndexError):
        kind(10, taken=[0, 3, 9]).nth_free(rank, after)


@KINDS
def test_a_full_space_has_no_free_place(kind):
    index = kind(4, taken=range(4))
    assert index.lowest_free() is None
    with pytest.raises(IndexError):
        index.nth_free(0)
