"""Ids sort by the time at which they were made."""

from datetime import timedelta
from uuid import UUID

from app.core.ids import least_id, new_id

DAY = timedelta(days=1)


def test_the_least_id_of_a_time_is_before_all_of_it_and_after_what_came_earlier() -> None:
    known = new_id()
    day_ago = UUID(int=known.int - (86_400_000 << 80))
    least = least_id(known, before=DAY)
    assert least <= day_ago < known
    assert UUID(int=day_ago.int - (1 << 80)) < least, "made a millisecond earlier"
    assert least_id(known, before=timedelta()) <= known
    assert least_id(UUID(int=5), before=DAY) == UUID(int=0)
