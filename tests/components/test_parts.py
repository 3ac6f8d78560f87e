"""The words and figures of single components."""

from datetime import UTC, datetime

import pytest
from markupsafe import Markup

from app.components.badge import STATE_TONES, state_badge
from app.components.chart import Series, sparkline, time_chart
from app.components.errors import error_page
from app.components.frame import theme_of
from app.components.live import live_region
from app.components.money import money, price_change
from app.components.page import admin_page, portal_page
from app.components.pagination import pager, pagination
from app.components.table import Column, Row, table
from app.components.time import about_text, countdown, duration_text, moment
from app.components.timeline import StepState, TimelineStep, timeline
from app.core.money import Money
from tests.components.gallery_setting import frame


def words(element: object) -> str:
    return Markup(str(element)).striptags()


@pytest.mark.parametrize(
    ("length_ms", "text"),
    [
        (0, "0.0 s"),
        (380, "0.4 s"),
        (9_949, "9.9 s"),
        (9_950, "10 s"),
        (59_499, "59 s"),
        (59_500, "1 min 00 s"),
        (3_599_400, "59 min 59 s"),
        (7_830_000, "2 h 10 min"),
    ],
)
def test_durations(length_ms: int, text: str) -> None:
    assert duration_text(length_ms) == text


@pytest.mark.parametrize(
    ("length_ms", "text"),
    [
        (200, "1 s"),
        (20_400, "20 s"),
        (240_000, "4 min"),
        (3_600_000, "1 h"),
        (5_400_000, "1 h 30 min"),
    ],
)
def test_expectations_are_round(length_ms: int, text: str) -> None:
    assert about_text(length_ms) == text


def test_a_moment_is_utc_whatever_the_zone() -> None:
    at = datetime.fromisoformat("2026-03-14T11:26:53+02:00")
    html = str(moment(at))
    assert 'datetime="2026-03-14T09:26:53Z"' in html
    assert 'title="2026-03-14 09:26:53 UTC"' in html
    assert "14 Mar 2026 09:26 UTC" in html
    assert "data-relative" not in str(moment(datetime(2026, 1, 1, tzinfo=UTC), relative=False))


def test_a_countdown_that_is_over_says_so() -> None:
    assert words(countdown(61)) == "1:01"
    assert words(countdown(0)) == "expired"
    assert words(countdown(-5, over="gone")) == "gone"


def test_money_and_what_an_option_adds() -> None:
    assert words(money(Money(4900, "EUR"), per="month")) == "€49.00/month"
    assert words(money(Money(1500, "JPY"))) == "¥1,500"
    assert words(price_change(Money(500, "EUR"))) == "+€5.00"
    assert words(price_change(Money(-200, "EUR"))) == "\N{MINUS SIGN}€2.00"
    assert words(price_change(Money(0, "EUR"))) == "included"


@pytest.mark.parametrize("state", STATE_TONES)
def test_every_known_state_has_its_badge(state: str) -> None:
    html = str(state_badge(state))
    assert f"tone-{STATE_TONES[state]}" in html
    assert "_" not in words(html)


def test_an_unknown_state_is_shown_neutrally() -> None:
    assert words(state_badge("brand_new")) == "Brand new"
    assert "tone-neutral" in str(state_badge("brand_new"))


def test_a_timeline_tells_the_state_of_each_step_in_words() -> None:
    text = words(timeline([TimelineStep(label=state.value, state=state) for state in StepState]))
    assert (
        text == "pending (to do)running (in progress)done (done)failed (failed)skipped (not needed)"
    )


def test_only_a_running_step_counts_and_has_a_bar() -> None:
    running = str(
        timeline(
            [TimelineStep(label="a", state=StepState.RUNNING, elapsed_ms=500, expected_ms=100)]
        )
    )
    assert 'data-elapsed-ms="500"' in running
    assert 'value="100" max="100"' in running
    assert 'aria-current="step"' in running
    done = str(
        timeline([TimelineStep(label="a", state=StepState.DONE, elapsed_ms=500, expected_ms=100)])
    )
    assert "data-elapsed-ms" not in done
    assert "usually" not in done
    assert "0.5 s" in done


def test_a_row_must_have_a_cell_for_each_column() -> None:
    with pytest.raises(ValueError, match="shorter"):
        str(table([Column("A"), Column("B")], [Row(cells=["1"])], caption="x"))


def test_a_table_without_rows_shows_what_would_be_there() -> None:
    assert words(table([Column("A")], [], caption="x", empty="Nothing yet")) == "Nothing yet"


def test_pages_around_the_current_one() -> None:
    assert words(pagination(page=4, page_count=12, href=str)) == "1…345…12"
    assert words(pagination(page=1, page_count=2, href=str)) == "12"
    assert pagination(page=1, page_count=1, href=str) is None
    assert pager(newer=None, older=None) is None
    assert 'href="/o"' in str(pager(newer=None, older="/o"))


def test_a_flat_sparkline_and_an_empty_chart_can_be_drawn() -> None:
    assert 'points="0.0,26.0 120.0,26.0"' in str(sparkline([3, 3], label="flat"))
    assert "no data yet" in str(time_chart("Empty", [], [Series("p50", [])]))


def test_a_live_region_is_named_by_its_address() -> None:
    html = str(live_region("order:7", "/orders/7/steps"))
    assert 'id="live-orders-7-steps"' in html
    assert 'data-live="order:7"' in html


def test_the_theme_comes_from_the_cookie_and_nothing_else() -> None:
    assert theme_of({}) == "auto"
    assert theme_of({"slipway_theme": "dark"}) == "dark"
    assert theme_of({"slipway_theme": '"><script>'}) == "auto"
    assert 'data-bs-theme="dark"' in str(portal_page("x", frame=frame("dark")))
    assert "data-bs-theme" not in str(portal_page("x", frame=frame("auto")))


def test_a_page_marks_where_one_is_and_keeps_private_ways_private() -> None:
    mine = str(portal_page("Orders", frame=frame(), active="orders"))
    assert 'href="/orders" aria-current="page"' in mine
    stranger = str(portal_page("Shop", frame=frame(signed_in=False), active="catalogue"))
    assert "/orders" not in stranger
    assert "/sign-in" in stranger
    assert 'href="/admin/servers" aria-current="page"' in str(
        admin_page("Servers", frame=frame(), active="servers")
    )


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (404, "Nothing at this address"),
        (418, "Nothing at this"),
        (403, "not open to you"),
        (429, "too fast"),
        (500, "broke"),
        (503, "broke"),
    ],
)
def test_error_pages(status: int, said: str) -> None:
    assert said in words(error_page(status, frame=frame()))
    assert "Ask for more." in words(error_page(status, frame=frame(), message="Ask for more."))
