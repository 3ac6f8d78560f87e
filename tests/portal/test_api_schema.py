"""The schema of the API: JSON for programs, no page that our policy would break, no portal routes."""

from litestar import Litestar

from tests.security.browser import Browser


async def test_the_schema_is_json_and_lists_the_api_alone(app: Litestar) -> None:
    async with Browser(app) as browser:
        answer = await browser.get("/api/openapi.json")
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("application/vnd.oai.openapi+json")
        schema = answer.json()
    assert schema["info"]["title"] == "Slipway"
    assert all(path.startswith("/api/") for path in schema.get("paths", {}))


async def test_there_is_no_page_about_the_schema(app: Litestar) -> None:
    async with Browser(app) as browser:
        for path in ("/api/docs", "/api/swagger", "/api/redoc", "/schema"):
            answer = await browser.get(path)
            assert (path, answer.status_code) == (path, 404)
            assert "<script src" not in answer.text.lower().replace('<script src="/assets', "")
