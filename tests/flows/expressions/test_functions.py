"""The functions of the language: every example of the table, and what they refuse."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.flows.expressions import BadExpression, evaluate
from app.flows.expressions.functions import FUNCTIONS, Signature

SCOPE = {"input": {"count": 3}, "steps": {}, "now": "2026-03-05T06:07:08Z"}


@pytest.mark.parametrize(
    ("source", "value"),
    [example for function in FUNCTIONS.values() for example in function.examples],
)
def test_examples_of_the_table_are_true(source: str, value: object) -> None:
    assert evaluate(source, SCOPE) == value


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_is_documented_and_has_an_example(name: str) -> None:
    function = FUNCTIONS[name]
    assert function.doc.endswith(".")
    assert any(name.rpartition(".")[2] in source for source, _ in function.examples)
    assert all(one.name == name for one in function.signatures)


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ('"straße".upper()', "STRASSE"),
        ('"a,b".split(",", 0)', []),
        ('"abc".split("", 2)', ["a", "bc"]),
        ('[1, "a", true, 0.5].join(" ")', "1 a true 0.5"),
        ('["b", "a"].sort()', ["a", "b"]),
        ("[1, 1.0, true, 'a', 'a', null, null].unique()", [1, True, "a", None]),
        ("[[1], [1.0], {'a': 1}, {'a': 1}].unique()", [[1], {"a": 1}]),
        ("[].sum()", 0),
        ('["a", "b"].sum()', "ab"),
        ("[1, 2.5].sum()", 3.5),
        ("[duration('1h'), duration('30m')].sum()", "5400s"),
        ("[timestamp(5), timestamp(1)].min()", "1970-01-01T00:00:01Z"),
        ("math.round(-2.5)", -3),
        ("math.round(2.675, 2)", 2.68),
        ("math.round(7)", 7),
        ("math.abs(-2.5)", 2.5),
        ("math.ceil(-2.1)", -2),
        ("math.floor(-2.1)", -3),
        ("math.ceil(4)", 4),
        ("slug('  --  ')", ""),
        ('"%s %s".format([null, true])', "null true"),
        ('"100%% of %s".format([{"b": 1, "a": [1.5]}])', "100% of {a: [1.5], b: 1}"),
        ('"%X".format(["az"])', "617A"),
        ("base64.encode(b'\\xff')", "/w=="),
        ("base64.decode('YQ') == b'a'", True),
        ("json.decode('[1, 2.5, null]')", [1, 2.5, None]),
        ("json.encode([timestamp(0), 2.0])", '["1970-01-01T00:00:00Z",2]'),
        ("uuid5('90d38b76-e7dd-5733-8575-0d06a98e8b70', 'a')", "f0662cc0-d733-5b64-ab1a-9832af330557"),
        ("ip.host('192.0.2.4/31', 1)", "192.0.2.5"),
        ("ip.within('192.0.2.128/25', '192.0.2.0/24')", True),
        ("ip.within('192.0.2.0/23', '192.0.2.0/24')", False),
        ("ip.within('192.0.2.7/24', '192.0.2.0/28')", True),
        ("ip.prefixLength('192.0.2.1')", 32),
        ("ip.reverse('2001:db8::1').endsWith('.ip6.arpa')", True),
        ("ip.isAddress('" + "1" * 70 + "')", False),
        ("time.startOf(timestamp('2026-03-05T06:07:08Z'), 'week')", "2026-03-02T00:00:00Z"),
        ("time.startOf(timestamp('2026-03-05T06:07:08Z'), 'year')", "2026-01-01T00:00:00Z"),
        ("time.startOf(timestamp('2026-03-05T06:07:08Z'), 'hour')", "2026-03-05T06:00:00Z"),
        ("time.startOf(timestamp('2026-03-05T06:07:08Z'), 'minute')", "2026-03-05T06:07:00Z"),
        ("time.addMonths(timestamp('2024-03-31T00:00:00Z'), -13)", "2023-02-28T00:00:00Z"),
        ("time.parse('2026-01-31 12:00 +0200', '%Y-%m-%d %H:%M %z')", "2026-01-31T10:00:00Z"),
        ("time.parse('31.01.2026', '%d.%m.%Y', 'Europe/Berlin')", "2026-01-30T23:00:00Z"),
        ("now - duration('8s')", "2026-03-05T06:07:00Z"),
        ("duration('-90m').getHours()", -1),
        ("duration('-1.5s').getMilliseconds()", -500),
        ("range(0)", []),
        ("default(null, 1)", 1),
        ("default(false, true)", False),
        ("default(default(input.a.b, input.c), 7)", 7),
    ],
)  # fmt: skip
def test_values(source: str, value: object) -> None:
    found = evaluate(source, SCOPE)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("input.count.upper()", "is called on a string, not an int"),
        ("ip.host(input.count, 1)", "takes as argument 1 a string, not an int"),
        ('"a".padStart(input.count, "xy")', "one character"),
        ('"abc".substring(2, 1)', "outside of the text"),
        ('"abc".charAt(9)', "outside of the text"),
        ('"abc".indexOf("a", -1)', "outside of the text"),
        ("[{'a': 1}, 5].sort('a')", "list of maps; an item is an int"),
        ("[{'b': 1}].sort('a')", "no a to be sorted by"),
        ("[1, 'a'].sort()", "does not take"),
        ("[[1], [2]].sort()", "does not take"),
        ("[0.0 / 0.0, 1.0].sort()", "NaN"),
        ("[].first()", "empty"),
        ("[].last()", "empty"),
        ("[].max()", "no greatest"),
        ("[1].slice(-1, 1)", "no negative"),
        ("math.round(1.5, 99)", "0 to 15"),
        ("math.round(dyn('a'))", "takes a number, not a string"),
        ('hostname("...")', "no letter and no digit"),
        ("hostname(input.long)", "longer than 253"),
        ('"%d".format(["a"])', "does not take a string"),
        ('"%s".format([])', "wants another"),
        ('"%q".format([1])', "does not know %q"),
        ('"%x".format([1.5])', "does not take a double"),
        ('"%x".format([true])', "does not take a bool"),
        ("json.decode('{')", "no JSON"),
        ("base64.decode('*')", "no base64"),
        ("uuid5('x', 'y')", "dns, url, oid"),
        ("'a'.matches('(')", "no regular expression of RE2"),
        ("'a'.matches('" + "a" * 1_001 + "')", "at most 1,000"),
        ("regex.extract('a', '[0-9]')", "not found in the text"),
        ("shell.quote('\\u0000')", "character 0"),
        ("ip.address('nonsense')", "no IP address"),
        ("ip.host('192.0.2.0/24', 256)", "256 addresses"),
        ("time.format(now, '%E')", "%E is no code"),
        ("time.format(now, '%')", "is no code"),
        ("time.format(now, '%Y', 'Mars')", "no such time zone"),
        ("time.format(now, '%Y', '+99:00')", "no such time zone"),
        ("time.parse('x', '%Y')", "not written as the pattern"),
        ("time.addMonths(now, 99999999)", "years go from 1 to 9999"),
        ("time.startOf(now, 'decade')", "the unit is"),
        ("time.startOf(timestamp('0001-01-01T00:00:00Z'), 'day', 'Asia/Tokyo')", "1 to 9999"),
        ("time.days(99999999)", "10,000 years"),
        ("int('1.5')", "no whole number"),
        ("int(1e30)", "64 bits"),
        ("int(dyn(null))", "does not take null"),
        ("uint(-1)", "64 bits"),
        ("uint(1e30)", "64 bits"),
        ("uint('x')", "no whole number"),
        ("uint(dyn(null))", "does not take null"),
        ("double('one')", "no number"),
        ("double(dyn(true))", "does not take a bool"),
        ("double(dyn(null))", "does not take null"),
        ("bool('perhaps')", "neither true nor false"),
        ("string(dyn([1]))", "json.encode"),
        ("string(dyn(null))", "does not take null"),
        ("string(b'\\xff')", "no UTF-8"),
        ("timestamp('2026-02-30T00:00:00Z')", "no moment"),
        ("timestamp(99999999999999)", "no moment"),
        ("duration('1 hour')", "no duration"),
        ("duration('99999999h')", "10,000 years"),
    ],
)
def test_refusals_say_what_would_do(source: str, says: str) -> None:
    scope = {**SCOPE, "input": {"count": 3, "long": ".".join(["a" * 60] * 5)}}
    with pytest.raises(BadExpression) as refusal:
        evaluate(source, scope)
    assert says in refusal.value.message


ODD: dict[str, Any] = {
    "none": None, "yes": True, "zero": 0, "most": 2**63 - 1, "least": -(2**63), "huge": 10**400,
    "fraction": -0.5, "tiny": 1e-300, "endless": float("inf"), "nan": float("nan"), "empty": "",
    "half": "\ud800", "long": "x" * 5_000, "first": "0001-01-01T00:00:00Z", "percent": "%s%d%x%",
    "group": "(a+)+", "open": "[", "prefix": "::/0", "zone": "+23:59", "span": "87600000h",
    "list": [1, "a", None, 2.5], "lists": [[1], []], "map": {"a": {"b": 1}}, "no": [],
}  # fmt: skip
ARGUMENTS = st.sampled_from(
    [f"dyn(input.{name})" for name in ODD]
    + ["dyn(now)", "dyn(2u)", "dyn(b'\\xff')", "dyn(timestamp(input.first))", "dyn(type(1))",
       "dyn(duration(input.span))", "dyn(duration('-1ns'))"]
)  # fmt: skip


@settings(max_examples=1_000, deadline=None)
@given(
    st.sampled_from([one for function in FUNCTIONS.values() for one in function.signatures]),
    st.lists(ARGUMENTS, min_size=4, max_size=4),
)
def test_whatever_a_function_is_given_it_gives_a_value_or_says_what_is_wrong(
    signature: Signature, arguments: list[str]
) -> None:
    first, *rest = arguments[: len(signature.params)] or ["0"]
    source = f"{signature.name}({', '.join([first, *rest] if signature.params else [])})"
    if signature.is_method:
        source = f"{first}.{signature.name}({', '.join(rest)})"
    try:
        value = evaluate(source, {"input": ODD, "now": "2026-03-05T06:07:08Z"})
    except BadExpression:
        return
    assert evaluate("result == result", {"result": value})


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("url.encode(input.half)", "half a character"),
        ("[json.encode(input.half)]", "half a character"),
        ("double(input.huge)", "too large"),
        ("input.huge + 0.5", "too large"),
    ],
)
def test_what_json_brings_and_nothing_can_work_with(source: str, says: str) -> None:
    with pytest.raises(BadExpression, match=says):
        evaluate(source, {"input": ODD})
