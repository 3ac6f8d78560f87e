"""curl commands become parameters of action.http; the last test asks curl itself."""

import asyncio
import shutil
import subprocess
from typing import Any
from urllib.parse import parse_qsl

import msgspec
import pytest

from app.flows.calls.curl_words import BadCurl
from app.flows.expressions import resolve
from app.flows.from_curl import from_curl
from app.flows.nodes.http import Params, node
from tests.drivers.http.peer import Peer
from tests.flows.actions.bench import Bench

URL = "https://api.test/v1/servers"


@pytest.mark.parametrize(
    ("command", "params"),
    [
        (f"curl {URL}", {"url": URL}),
        (f"$ curl -sSL '{URL}'", {"url": URL}),
        ("curl api.test/x", {"url": "http://api.test/x"}),
        (f"curl '{URL}?page=2&tag=a&tag=b%26c&empty='",
         {"url": URL, "query": {"page": "2", "tag": ["a", "b&c"], "empty": ""}}),
        (f"curl -X DELETE {URL}/7", {"url": f"{URL}/7", "method": "DELETE"}),
        (f"curl --request=put {URL}", {"url": URL, "method": "PUT"}),
        (f"curl -sXPATCH {URL}", {"url": URL, "method": "PATCH"}),
        (f"curl -I {URL}", {"url": URL, "method": "HEAD"}),
        (f"curl {URL} -H 'X-Trace: a: b' -H 'sec-ch-ua: x' -H 'user-agent: Mozilla/5.0'",
         {"url": URL, "headers": {"X-Trace": "a: b"}}),
        (f"curl {URL} -d name=web-1 -d 'tag=a&tag=b'",
         {"url": URL, "method": "POST", "body": {"name": "web-1", "tag": ["a", "b"]},
          "body_as": "form"}),
        (f"curl {URL} --data-urlencode 'note=a b&c' --data-urlencode '=x'",
         {"url": URL, "method": "POST", "body": "note=a+b%26c&x", "body_as": "form"}),
        (f"curl -G {URL} -d page=2 --data-urlencode 'q=a b'",
         {"url": URL, "query": {"page": "2", "q": "a b"}}),
        (f"curl {URL} -H 'Content-Type: application/json' --data-raw '{{\"a\": [1, null]}}'",
         {"url": URL, "method": "POST", "body": {"a": [1, None]}, "body_as": "json"}),
        (f"curl {URL} --json '{{\"a\": 1}}'",
         {"url": URL, "method": "POST", "body": {"a": 1}, "body_as": "json",
          "headers": {"Accept": "application/json"}}),
        (f"curl {URL} -H 'content-type: application/vnd.api+json' -d '{{}}'",
         {"url": URL, "method": "POST", "body": {}, "body_as": "json",
          "headers": {"Content-Type": "application/vnd.api+json"}}),
        (f"curl {URL} -H 'content-type: application/json' -d '{{broken'",
         {"url": URL, "method": "POST", "body": "{broken", "body_as": "text",
          "headers": {"Content-Type": "application/json"}}),
        (f"curl {URL} -H 'Content-Type: text/xml' -d '<a/>'",
         {"url": URL, "method": "POST", "body": "<a/>", "body_as": "xml",
          "headers": {"Content-Type": "text/xml"}}),
        (f"curl {URL} -H 'Content-Type: text/csv' --data-binary 'a,b'",
         {"url": URL, "method": "POST", "body": "a,b", "body_as": "text",
          "headers": {"Content-Type": "text/csv"}}),
        (f"curl {URL} -m 30 --compressed -o /dev/null --retry 3", {"url": URL, "timeout_s": 30.0}),
        (f"curl \\\n  --url {URL} \\\r\n -A my-tool/1", {"url": URL, "headers": {"User-Agent": "my-tool/1"}}),
        (f"curl {URL} --data-raw $'a=it\\'s\\n\\u00fc\\x41'",
         {"url": URL, "method": "POST", "body": {"a": "it's\nüA"}, "body_as": "form"}),
        (f'curl.exe ^"{URL}^" ^\n -H ^"X-A: 1^"', {"url": URL, "headers": {"X-A": "1"}}),
    ],
)  # fmt: skip
def test_a_command_fills_a_node(command: str, params: dict[str, Any]) -> None:
    made = from_curl(command)
    assert made.params == params
    msgspec.convert(made.params, Params)
    if "--json" not in command and "{broken" not in command:
        assert made.notes == ()


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("-u ada:s3cret", "signs in"),
        ("--oauth2-bearer s3cret", "signs in"),
        ("-H 'Authorization: Bearer s3cret'", "The header Authorization is a credential"),
        ("-H 'X-Api-Key: s3cret'", "The header X-Api-Key is a credential"),
        ("-H 'Cookie: a=s3cret'", "The header Cookie is a credential"),
        ("-b a=s3cret", "cookies"),
        ("-G -d api_key=s3cret", "The parameter api_key is a credential"),
        ("--cert s3cret.pem", "certificates"),
        ("-k", "checks no certificate"),
        ("-x http://s3cret.test", "proxy"),
        ("-d '{}'", "taken as JSON"),
    ],
)
def test_what_is_left_to_do_is_noted_and_no_secret_taken_over(option: str, words: str) -> None:
    made = from_curl(f"curl {URL} {option} {option if option == '-k' else ''}")
    (note,) = made.notes
    assert words in note
    assert "s3cret" not in str(made.params)
    assert "s3cret" not in note


def test_a_password_in_the_url_is_left_out() -> None:
    made = from_curl("curl https://ada:s3cret@api.test/x?token=s3cret")
    assert made.params == {"url": "https://api.test/x"}
    assert len(made.notes) == 2


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("", "does not begin with curl"),
        ("wget https://api.test", "does not begin with curl"),
        ("curl", "names no URL"),
        ("curl -s", "names no URL"),
        ("curl 'https://api.test", "quotes"),
        ("curl https://a.test https://b.test", "two addresses"),
        ("curl ftp://a.test/x", "no URL of http"),
        ("curl http://[::1", "no URL"),
        (f"curl {URL} -d @body.json", "the file body.json"),
        (f"curl {URL} --json @body.json", "the file body.json"),
        (f"curl {URL} --data-urlencode x@body", "the file body"),
        (f"curl {URL} -F file=@x", "multipart"),
        (f"curl {URL} -T x", "reads the file x"),
        (f"curl {URL} -X OPTIONS", "OPTIONS"),
        (f"curl {URL} -H", "-H has no value"),
        (f"curl {URL} -m soon", "no number of seconds"),
        ("curl " + "x" * 100_001, "longer"),
    ],
)
def test_what_cannot_be_taken_over_is_said(command: str, words: str) -> None:
    with pytest.raises(BadCurl, match=words):
        from_curl(command)


def test_no_text_becomes_an_expression() -> None:
    made = from_curl(
        "curl 'https://api.test/${x}' -H 'X-A: =1+1' -H 'Content-Type: application/json' "
        """-d '{"a": "=input.x", "b": ["${input.y} \\"q\\" \\n"], "c": "==", "d": 5}'"""
    )
    scope = {"input": {"x": "hacked", "y": "hacked"}}
    assert resolve(made.params["headers"], scope) == {"X-A": "=1+1"}
    assert resolve(made.params["body"], scope) == {
        "a": "=input.x", "b": ['${input.y} "q" \n'], "c": "==", "d": 5,
    }  # fmt: skip
    assert "x" in resolve(made.params["url"], scope)
    assert "hacked" not in str(resolve(made.params, scope))


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl on this machine")
@pytest.mark.parametrize(
    "rest",
    [
        "'/a b?x=1&y=a%26b' -H 'X-A: 1'".replace("a b", "a%20b"),
        "/x -d a=1 -d 'b=x y&b=%26' --data-urlencode 'c=ü €'",
        "/x -X PUT -H 'Content-Type: application/json' --data-binary '{\"a\":[1,2.5,\"ü\"]}'",
        "/x -G -d q=1 --data-urlencode 'r=a&b' -A tool/1",
        "/x -X DELETE",
        "/x -H 'Content-Type: text/xml' -d '<a>1</a>'",
    ],
)
async def test_the_node_asks_what_curl_asks(bench: Bench, peer: Peer, rest: str) -> None:
    command = f"curl -s {rest.replace('/', peer.url + '/', 1)}"
    peer.routes |= {"/x": {}, "/a b": {}}
    await asyncio.to_thread(subprocess.run, command, shell=True, check=True, capture_output=True)
    await bench.do(node, **resolve(from_curl(command).params, {}))
    theirs, ours = peer.asked
    assert (ours.method, ours.path) == (theirs.method, theirs.path)
    if "form" in theirs.headers.get("Content-Type", ""):  # a map of one says it in its own way
        assert parse_qsl(ours.body.decode()) == parse_qsl(theirs.body.decode())
    else:
        assert ours.body == theirs.body
    for name in ("Content-Type", "X-A", "User-Agent"):
        if not theirs.headers.get(name, "curl").startswith("curl"):
            assert ours.headers[name].partition(";")[0] == theirs.headers[name]
