"""Live regions in a real browser against a real event stream."""

from playwright.async_api import Page, expect

from tests.chromium import Contexts
from tests.components.site import Site


async def watch(contexts: Contexts, site: Site) -> Page:
    site.reset()
    context = await contexts()
    page = await context.new_page()
    await page.goto(site.url("/watch"))
    return page


async def test_one_stream_serves_all_regions_and_an_event_refreshes_its_own(
    contexts: Contexts, site: Site
) -> None:
    page = await watch(contexts, site)
    await expect(page.locator("#live-state")).to_have_text("Live")
    await expect(page.locator("#count-one")).to_have_text("1")  # refreshed on connecting
    await page.locator("#note-one").fill("half typed")
    site.send("topic:one")
    await expect(page.locator("#count-one")).to_have_text("2")
    await expect(page.locator("#note-one")).to_have_value("half typed")
    await expect(page.locator("#note-one")).to_be_focused()
    await expect(page.locator("#count-two")).to_have_text("1")
    assert site.asked == ["topic:one,topic:two"]


async def test_a_burst_costs_few_requests_and_the_last_event_counts(
    contexts: Contexts, site: Site
) -> None:
    page = await watch(contexts, site)
    await expect(page.locator("#count-one")).to_have_text("1")
    for _ in range(40):
        site.send("topic:one")
    await expect(page.locator("#seen-one")).to_have_text("40")
    assert site.fetches["one"] <= 4


async def test_a_broken_stream_reconnects_and_catches_up(contexts: Contexts, site: Site) -> None:
    page = await watch(contexts, site)
    await expect(page.locator("#count-two")).to_have_text("1")
    site.close_streams()
    await expect(page.locator("#count-two")).to_have_text("2")
    await expect(page.locator("#live-state")).to_have_text("Live")
    assert len(site.asked) == 2


async def test_without_a_stream_regions_are_polled_until_it_is_back(
    contexts: Contexts, site: Site
) -> None:
    site.reset()
    site.refuse_streams = True
    context = await contexts()
    page = await context.new_page()
    await page.clock.install()
    await page.goto(site.url("/watch"))
    await expect(page.locator("#live-state")).to_have_text("Reconnecting")
    await page.clock.run_for(20_500)
    await expect(page.locator("#count-one")).to_have_text("1")
    site.refuse_streams = False
    await page.clock.run_for(20_500)
    await expect(page.locator("#live-state")).to_have_text("Live")
    assert site.asked


async def test_a_lost_message_is_made_up_for_within_a_minute(
    contexts: Contexts, site: Site
) -> None:
    site.reset()
    context = await contexts()
    page = await context.new_page()
    await page.clock.install()
    await page.goto(site.url("/watch"))
    await expect(page.locator("#live-state")).to_have_text("Live")
    await expect(page.locator("#count-one")).to_have_text("1")
    await page.clock.run_for(41_000)
    await expect(page.locator("#live-state")).to_have_text("Live")
    assert site.fetches["one"] == 1
    await page.clock.run_for(20_000)
    await expect(page.locator("#count-one")).to_have_text("2")
    await expect(page.locator("#count-two")).to_have_text("2")
    assert len(site.asked) == 1, "the stream was open all the time"


async def test_an_error_leaves_the_region_as_it_is(contexts: Contexts, site: Site) -> None:
    page = await watch(contexts, site)
    await expect(page.locator("#count-one")).to_have_text("1")
    await page.route("**/part/one", lambda route: route.fulfill(status=500, body="<h1>broken</h1>"))
    site.send("topic:one")
    async with page.expect_response("**/part/two"):
        site.send("topic:two")
    await expect(page.locator("#count-two")).to_have_text("2")
    await expect(page.locator("#count-one")).to_have_text("1")
