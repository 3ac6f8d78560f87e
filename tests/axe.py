"""axe, which finds what keeps people from using a page."""

from functools import cache
from pathlib import Path

from playwright.async_api import Page

from app.cli.assets import MODULES

WEIGHTY = frozenset({"moderate", "serious", "critical"})
ANY = WEIGHTY | {"minor"}


@cache
def _script() -> str:
    return (Path(MODULES) / "axe-core/axe.min.js").read_text()


async def violations(
    page: Page, impacts: frozenset[str] = WEIGHTY, *, iframes: bool = True
) -> list[tuple[str, list[list[str]], str]]:
    """Return (rule, selectors, what to mend) of each violation, at most four places of each."""
    await page.evaluate(_script())
    found = await page.evaluate(
        "options => axe.run(document, options)",
        {"iframes": iframes, "resultTypes": ["violations"]},
    )
    return [
        (
            one["id"],
            [node["target"] for node in one["nodes"]][:4],
            one["nodes"][0]["failureSummary"],
        )
        for one in found["violations"]
        if one["impact"] in impacts
    ]
