"""Where a call goes: below its connection, whatever a flow puts together."""

import pytest
from yarl import URL

from app.drivers.errors import Refused
from app.drivers.http.hide import shown
from app.drivers.http.target import target

BASE = "https://api.test/v1"


@pytest.mark.parametrize(
    ("url", "query", "goes"),
    [
        ("", {}, "https://api.test/v1"),
        ("servers", {}, "https://api.test/v1/servers"),
        ("/servers", {}, "https://api.test/v1/servers"),
        ("?all=1", {"page": 2}, "https://api.test/v1?all=1&page=2"),
        ("servers?state=on", {}, "https://api.test/v1/servers?state=on"),
        ("https://api.test/v1/servers/7", {}, "https://api.test/v1/servers/7"),
        ("https://API.test:443/v1/x", {}, "https://api.test/v1/x"),
        ("a b/ü", {}, "https://api.test/v1/a%20b/%C3%BC"),
        ("a%2Fb", {}, "https://api.test/v1/a%2Fb"),
        ("x#part", {}, "https://api.test/v1/x"),
        (
            "x",
            {"on": True, "n": 1.5, "none": None, "tag": ["a", "b&c"], "sum": "1+1", "t": "a b"},
            "https://api.test/v1/x?on=true&n=1.5&tag=a&tag=b%26c&sum=1%2B1&t=a+b",
        ),
        ("go?to=http://elsewhere.test/", {}, "https://api.test/v1/go?to=http://elsewhere.test/"),
    ],
)
def test_a_url_is_put_together(url: str, query: dict[str, object], goes: str) -> None:
    assert str(target(url, query, base=BASE, peer="api")) == goes


@pytest.mark.parametrize(
    "url",
    [
        "https://elsewhere.test/v1/servers",
        "http://api.test/v1/servers",
        "https://api.test:8443/v1/servers",
        "https://api.test/v2/servers",
        "https://api.test/v10",
        "https://api.test/",
        "../v2/servers",
        "servers/../../v2",
        "servers/%2e%2E/%2e./x",
        "servers/./x",
        "servers/..#x",
        "a\\..\\b",
        "a\nb",
        "a\x00b",
        "https://user:pass@api.test/v1/x",
        "x" * 8_001,
    ],
)
def test_nothing_leads_out_of_the_connection(url: str) -> None:
    with pytest.raises(Refused) as refused:
        target(url, {}, base=BASE, peer="api")
    assert refused.value.field == "url"


@pytest.mark.parametrize(
    "url", ["", "servers", "ftp://api.test/x", "https://", "https://api.test:99999/", "//api.test/"]
)
def test_without_a_connection_a_url_is_whole(url: str) -> None:
    with pytest.raises(Refused):
        target(url, {}, base="", peer="flow")


def test_what_a_query_value_holds_stays_in_it() -> None:
    found = target("x", {"q": "a&admin=1#/../"}, base=BASE, peer="api")
    assert dict(found.query) == {"q": "a&admin=1#/../"}
    assert found.path == "/v1/x"


def test_secrets_in_a_query_are_not_shown() -> None:
    url = URL("https://api.test/x?api_key=abc123&size=5&password=")
    assert shown(url) == "https://api.test/x?api_key=••••••&size=5&password="
