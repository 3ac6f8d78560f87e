"""Both maps and every choice from them, against a plain set of free places."""

import random

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from app.ipam.bitmap import FreeMap, SpaceIndex, UsedMap
from app.ipam.choice import Strategy, choose, choose_block
from app.ipam.errors import NoFreeBlock, SpaceExhausted

SIZE = 300  # no power of two: the last block is never whole

PLACES = st.integers(0, SIZE - 1)
ANYWHERE = st.integers(-5, SIZE + 5)
LENGTHS = st.sampled_from([1, 2, 4, 8, 64, 512])


class SpaceMachine(RuleBasedStateMachine):
    """A map must behave as the plain set of its free places does."""

    index: SpaceIndex

    @initialize(
        kind=st.sampled_from([FreeMap, UsedMap]),
        taken=st.sets(PLACES) | st.just(set(range(SIZE))) | st.just(set(range(0, SIZE, 2))),
    )
    def start(self, kind, taken):
        self.index = kind(SIZE, taken)
        self.free = set(range(SIZE)) - taken

    @rule(place=PLACES)
    def take(self, place):
        assert self.index.take(place) == (place in self.free)
        self.free.discard(place)

    @rule(place=PLACES)
    def give_back(self, place):
        assert self.index.give_back(place) == (place not in self.free)
        self.free.add(place)

    @rule(first=PLACES, length=st.integers(1, 80))
    def take_a_run(self, first, length):
        for place in range(first, min(first + length, SIZE)):
            self.take(place)

    @rule(place=ANYWHERE)
    def look(self, place):
        assert self.index.is_free(place) == (place in self.free)

    @rule(after=ANYWHERE)
    def lowest(self, after):
        assert self.index.lowest_free(after) == min(
            (place for place in self.free if place >= after), default=None
        )

    @rule(rank=st.integers(-2, SIZE + 2), after=ANYWHERE)
    def nth(self, rank, after):
        following = sorted(place for place in self.free if place >= after)
        if 0 <= rank < len(following):
            assert self.index.nth_free(rank, after) == following[rank]
        else:
            with pytest.raises(IndexError):
                self.index.nth_free(rank, after)

    @rule(start=ANYWHERE, stop=ANYWHERE)
    def count(self, start, stop):
        assert self.index.free_in(start, stop) == len(self.free & set(range(start, stop)))

    @rule(length=LENGTHS, after=ANYWHERE)
    def block(self, length, after):
        assert self.index.lowest_block(length, after) == min(
            (first for first in self.blocks(length) if first >= after), default=None
        )

    @rule(length=LENGTHS, home=PLACES)
    def choose_block(self, length, home):
        blocks = self.blocks(length)
        if not blocks:
            with pytest.raises(NoFreeBlock) as refusal:
                choose_block(self.index, length, home=home)
            assert (refusal.value.wanted, refusal.value.free) == (length, len(self.free))
        else:
            ahead = [first for first in blocks if first >= home]
            assert choose_block(self.index, length, home=home) == min(ahead or blocks)

    @rule(count=st.integers(0, 12), take=st.booleans())
    def choose_in_sequence(self, count, take):
        if count > len(self.free):
            self.refuses(count, Strategy.sequential)
            return
        chosen = self.choose(count, Strategy.sequential, home=0, window=1, seed=0)
        assert chosen == sorted(self.free)[:count]
        for place in chosen if take else ():
            self.take(place)

    @rule(
        count=st.integers(0, 12),
        home=PLACES,
        window=st.integers(1, 2 * SIZE),
        seed=st.integers(0, 9),
        take=st.booleans(),
    )
    def choose_at_random(self, count, home, window, seed, take):
        if count > len(self.free):
            self.refuses(count, Strategy.random)
            return
        chosen = self.choose(count, Strategy.random, home=home, window=window, seed=seed)
        nearest = sorted(self.free, key=lambda place: (place < home, place))[: max(window, count)]
        assert chosen == sorted(set(chosen))
        assert len(chosen) == count
        assert set(chosen) <= set(nearest)
        assert chosen == self.choose(count, Strategy.random, home=home, window=window, seed=seed)
        for place in chosen if take else ():
            self.take(place)

    @precondition(lambda self: len(self.free) < SIZE)
    @rule()
    def give_everything_back(self):
        for place in set(range(SIZE)) - self.free:
            assert self.index.give_back(place)
        self.free = set(range(SIZE))

    @invariant()
    def agrees(self):
        assert self.index.size == SIZE
        assert self.index.free_count == len(self.free)

    def blocks(self, length):
        starts = range(0, SIZE - length + 1, length)
        return [first for first in starts if set(range(first, first + length)) <= self.free]

    def choose(self, count, strategy, *, home, window, seed):
        rng = random.Random(seed)
        return choose(self.index, count, strategy=strategy, home=home, window=window, rng=rng)

    def refuses(self, count, strategy):
        with pytest.raises(SpaceExhausted, match="Add a prefix") as refusal:
            self.choose(count, strategy, home=0, window=1, seed=0)
        assert (refusal.value.wanted, refusal.value.free) == (count, len(self.free))


TestSpace = SpaceMachine.TestCase
TestSpace.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


@pytest.mark.parametrize("kind", [FreeMap, UsedMap])
@pytest.mark.parametrize("place", [-1, 10])
def test_a_place_outside_cannot_be_taken_or_given_back(kind, place):
    index = kind(10)
    with pytest.raises(ValueError, match="outside a space of 10"):
        index.take(place)
    with pytest.raises(ValueError, match="outside a space of 10"):
        index.give_back(place)


@pytest.mark.parametrize("kind", [FreeMap, UsedMap])
def test_sizes_and_block_lengths_that_make_no_sense(kind):
    with pytest.raises(ValueError, match="places, not 0"):
        kind(0)
    for length in (0, 3):
        with pytest.raises(ValueError, match="power of two"):
            kind(10).lowest_block(length)


def test_claims_outside_a_space_do_not_count():
    for index in (FreeMap(4, [1, 9]), UsedMap(4, [1, 9])):
        assert index.free_count == 3


def test_the_edges_of_a_whole_ipv4_space_and_of_the_64s_of_a_32():
    for index in (FreeMap(2**32), UsedMap(2**32)):
        assert index.take(2**32 - 1)
        assert not index.is_free(2**32 - 1)
        assert index.lowest_free(2**32 - 1) is None
        assert index.lowest_free(2**32) is None
        assert index.nth_free(0, 2**32 - 2) == 2**32 - 2
        assert index.free_in(2**32 - 2, 2**32) == 1
        assert index.free_count == 2**32 - 1
        assert index.lowest_block(2, 2**32 - 2) is None


def test_a_space_past_32_bits():
    index = UsedMap(2**63, range(2**40, 2**40 + 1000))
    assert index.lowest_free(2**40) == 2**40 + 1000
    assert index.lowest_block(256, 2**40) == 2**40 + 1024
    chosen = choose(
        index, 3, strategy=Strategy.random, home=2**40, window=2**63, rng=random.Random(1)
    )
    assert len(set(chosen)) == 3
    assert all(index.is_free(place) for place in chosen)


def test_a_block_far_from_the_start_of_a_fragmented_space():
    index = FreeMap(2**20, range(0, 2**20, 2))
    for place in range(2**19, 2**19 + 8):
        index.give_back(place)
    assert index.lowest_block(8) == 2**19
    assert index.lowest_block(16) is None


def test_a_wide_window_makes_every_free_place_equally_likely():
    index = FreeMap(8, [0, 3])
    rng = random.Random(7)
    drawn = [
        choose(index, 1, strategy=Strategy.random, home=5, window=8, rng=rng)[0]
        for _ in range(6000)
    ]
    for place in (1, 2, 4, 5, 6, 7):
        assert 900 < drawn.count(place) < 1100


def test_two_homes_do_not_collide_while_their_regions_have_room():
    index = FreeMap(65_536)
    draws = [
        set(choose(index, 50, strategy=Strategy.random, home=home, window=64, rng=random.Random(1)))
        for home in (0, 32_768)
    ]
    assert draws[0].isdisjoint(draws[1])


@pytest.mark.parametrize("kind", [FreeMap, UsedMap], ids=["free", "used"])
def test_a_copy_without_spans_leaves_the_space_as_it_is(kind: type[FreeMap | UsedMap]) -> None:
    space = kind(16, [3])
    rest = space.without([(0, 4), (10, 99)])
    assert [place for place in range(16) if rest.is_free(place)] == [5, 6, 7, 8, 9]
    assert rest.free_count == 5
    rest.take(5)
    assert space.free_count == 15
