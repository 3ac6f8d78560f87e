"""What could be sold, what binds, and how long it lasts."""

from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.solver.batch import WaitingOrder
from app.solver.inventory import inventory_of
from app.solver.room import RackRoom
from app.solver.want import ServerWant
from app.solver.what_if import Runway, runway, sell_more

from . import fleets


def asked(number, *, servers=4, waiting=0, **more):
    found = [fleets.server(n + 1, ram_gb=64, power_watts=100) for n in range(servers)]
    found.append(fleets.server(90, ram_gb=32))
    orders = [WaitingOrder(UUID(int=n + 1), ServerWant(), 0) for n in range(waiting)]
    return sell_more(
        inventory_of(found),
        ServerWant(ram_gb=64),
        number,
        waiting=orders,
        seed=1,
        deterministic_limit=2,
        **more,
    )


def test_what_can_be_sold_is_said_to_be_and_nothing_binds():
    told = asked(4)
    assert (told.asked, told.possible, told.most, told.binds) == (4, 4, 4, ())
    assert told.short == ("ram",)
    assert told.relaxations[0].text == "32 instead of 64 GB of memory admits 1"


@pytest.mark.parametrize(
    ("given_", "possible", "binds"),
    [
        pytest.param({"number": 40}, 4, ("stock",), id="stock"),
        pytest.param({"number": 4, "waiting": 3}, 2, ("waiting",), id="those-who-wait"),
        pytest.param({"number": 4, "watts": 250}, 2, ("racks",), id="power"),
        pytest.param(
            {"number": 40, "waiting": 2, "watts": 350}, 2, ("waiting", "racks", "stock"), id="all"
        ),
    ],
)
def test_what_binds_is_named(given_, possible, binds):
    given_ = dict(given_)
    watts = given_.pop("watts", None)
    racks = [] if watts is None else [RackRoom(datacentre="ams", rack="r1", feed_a_watts=watts)]
    told = asked(**given_, racks=racks)
    assert (told.possible, told.most, told.binds) == (possible, possible, binds)


@pytest.mark.parametrize(
    ("of_want", "of_rack"), [(2, None), (None, 2), (3, 2)], ids=["product", "rack", "lower-one"]
)
def test_one_clients_limit_in_its_racks_binds(of_want, of_rack):
    found = [fleets.server(n + 1) for n in range(3)]
    told = sell_more(
        inventory_of(found),
        ServerWant(most_in_rack=of_want),
        3,
        client="ann",
        racks=[RackRoom(datacentre="ams", rack="r1", most_of_client=of_rack)],
        seed=1,
        deterministic_limit=1,
    )
    assert (told.possible, told.binds) == (2, ("racks",))


def test_the_ordinary_week_counts_whatever_happened_in_one():
    calm = [1] * 7 * 7
    party = [*calm[:20], 500, *calm[21:]]
    assert runway(70, party) == runway(70, calm)
    assert runway(70, calm) == Runway(per_day=1.0, days=70.0, earliest_days=70.0, latest_days=70.0)


def test_good_and_poor_weeks_bracket_the_forecast_and_no_sales_last_for_ever():
    sold = [day for week in (0, 7, 14, 21, 28) for day in (week, 0, 0, 0, 0, 0, 0)]
    told = runway(42, sold)
    assert (told.days, told.earliest_days, told.latest_days) == (21.0, 14.0, 42.0)
    assert runway(42, [0] * 14) == Runway(
        per_day=0.0, days=None, earliest_days=None, latest_days=None
    )
    assert runway(42, [1] * 13) is None


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 500), st.lists(st.integers(-3, 20), min_size=14, max_size=60))
def test_a_forecast_is_ordered_and_scales_with_the_stock(stock, sold):
    told, twice = runway(stock, sold), runway(2 * stock, sold)
    ends = [told.earliest_days, told.days, told.latest_days]
    numbers = [float("inf") if end is None else end for end in ends]
    assert numbers == sorted(numbers)
    if told.days is not None:
        assert twice.days == pytest.approx(2 * told.days)
