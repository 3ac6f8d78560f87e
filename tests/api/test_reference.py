"""The API's documentation as a page: whole, without script, for staff alone."""

import re

import pytest
from litestar import Litestar

from app.components.admin.api_reference import slug_of
from app.core.database import Database
from app.domain.accounts.roles import Role
from app.routes.api.reference import kind_of
from app.routes.security.visit import SESSION_COOKIE
from tests.admin.conftest import session_of
from tests.admin.test_looks import SIZES, faults_of
from tests.chromium import WATCH, Contexts
from tests.security.browser import Browser

PAGE = "/admin/api"


async def test_the_pages_have_every_operation_and_object(app: Litestar, database: Database) -> None:
    document = app.openapi_schema.to_schema()
    pages = {}
    async with Browser(app) as browser:
        browser.cookies.set(SESSION_COOKIE, await session_of(database, Role.FINANCE))
        first = (await browser.get(PAGE)).text
        for tag in document["tags"]:
            place = f"{PAGE}/{slug_of(tag['name'])}"
            assert f'href="{place}"' in first
            pages[tag["name"]] = (await browser.get(place)).text
        assert (await browser.get(f"{PAGE}/nonsense")).status_code == 404
    for path, item in document["paths"].items():
        assert path in first
        for operation in item.values():
            page = pages[operation["tags"][0]]
            assert f'id="{operation["operationId"]}"' in page
            assert operation["security"][0]["token"][0] in page
    for name, schema in document["components"]["schemas"].items():
        page = next((page for page in (first, *pages.values()) if f'id="{name}"' in page), "")
        assert (name, bool(page)) == (name, True)
        assert all(word in page for word in schema.get("enum", ()))
    for page in (first, *pages.values()):
        assert "`" not in page
        assert set(re.findall(r'href="#([^"]+)"', page)) <= set(re.findall(r'id="([^"]+)"', page))


async def test_it_is_for_staff_alone(app: Litestar, database: Database) -> None:
    async with Browser(app) as browser:
        assert (await browser.get(PAGE)).status_code == 303
        browser.cookies.set(SESSION_COOKIE, await session_of(database, Role.CLIENT))
        assert (await browser.get(PAGE)).status_code == 404


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "string", "format": "uuid"}, "text (uuid)"),
        ({"oneOf": [{"type": "integer", "minimum": 1}, {"type": "null"}]}, "integer, at least 1 or null"),
        ({"type": ["string", "null"]}, "text or null"),
        ({"type": "array", "items": {"$ref": "#/components/schemas/Run"}}, "list of Run"),
        ({"type": "string", "enum": ["a", "b"]}, "one of a, b"),
        ({"type": "string", "maxLength": 3}, "text, at most 3 characters"),
        ({}, "anything"),
    ],
)  # fmt: skip
def test_kinds_are_told_in_words(schema: dict[str, object], words: str) -> None:
    assert kind_of(schema).words == words


@pytest.mark.parametrize(("size", "theme"), [("desk", "light"), ("phone", "dark")])
async def test_the_page_is_accessible_within_the_policy_and_the_width(
    database: Database, contexts: Contexts, address: str, size: str, theme: str
) -> None:
    width, height = SIZES[size]
    context = await contexts(viewport={"width": width, "height": height}, color_scheme=theme)
    token = await session_of(database, Role.OWNER)
    await context.add_cookies([{"name": SESSION_COOKIE, "value": token, "url": address}])
    page = await context.new_page()
    await page.add_init_script(WATCH)
    for place in (PAGE, f"{PAGE}/flows"):
        await page.goto(address + place)
        assert await faults_of(page) == {"axe": [], "spill": 0, "broken": []}
