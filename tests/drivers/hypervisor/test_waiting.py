"""How long a provider that turns us away is left alone."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from app.drivers.errors import RateLimited, Retriable
from app.drivers.hypervisor.contract import Working
from app.drivers.hypervisor.waiting import LONGEST_PAUSE_S, SHORTEST_PAUSE_S, patiently, pause_s


@pytest.mark.parametrize(
    ("told", "waited_s"),
    [
        ("7", 7.0),
        ("0", SHORTEST_PAUSE_S),
        ("86400", LONGEST_PAUSE_S),
        ("nan", 10.0),
        ("", 10.0),
        ("soon", 10.0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", SHORTEST_PAUSE_S),
    ],
)
def test_retry_after_is_read_in_seconds_and_by_date(told: str, waited_s: float) -> None:
    assert pause_s({"retry-after": told}) == waited_s


def test_a_date_to_come_is_waited_for() -> None:
    told = format_datetime(datetime.now(UTC) + timedelta(seconds=90))
    assert 80 < pause_s({"retry-after": told}) <= 90


async def test_a_step_that_was_turned_away_is_taken_again_with_its_memo() -> None:
    async def turned_away() -> int:
        raise RateLimited("p", "slow down", after_s=7)

    async def broken() -> int:
        raise Retriable("p", "broken")

    async def well() -> int:
        return 1

    waiting = await patiently({"task": "1"}, turned_away())
    assert waiting == Working({"task": "1"}, 7, "The provider asks to wait")
    assert await patiently({}, well()) == 1
    with pytest.raises(Retriable, match="broken"):
        await patiently({}, broken())
