"""The language: names, macros, results, and errors that say where and what."""

from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any
from uuid import UUID

import pytest

from app.flows.expressions import BadExpression, check, evaluate, references
from app.flows.expressions.errors import closest, distance, listed
from app.flows.expressions.language import names_of, parse
from app.flows.expressions.names import NAMES

SCOPE: dict[str, Any] = {
    "input": {"name": "Ada", "n": 2, "list": [1, 2, 3], "none": None, "deep": {"a": {"b": 1}}},
    "steps": {"server": {"name": "srv-1"}, "create-vm": {"id": 7}},
    "vars": {"zone": "eu"},
    "item": {"port": "eth0"},
    "index": 4,
    "iteration": {"count": 2},
    "error": {"node": "n1", "message": "no answer", "kind": "timeout"},
    "run": {"id": "018f", "flow": "provision", "version": 3},
    "now": datetime(2026, 3, 5, 6, 7, 8, tzinfo=UTC),
    "result": {"status": "running"},
    "items": [{"id": 1}],
}


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("input.name", "Ada"),
        ("steps['create-vm'].id", 7),
        ("steps[\"create-vm\"].id + steps['create-vm'].id", 14),
        ("vars.zone", "eu"),
        ("item.port", "eth0"),
        ("index + 1", 5),
        ("iteration.count", 2),
        ("error.kind == 'timeout'", True),
        ("run.version", 3),
        ("now", "2026-03-05T06:07:08Z"),
        ("now - duration('8s') < now", True),
        ("result.status == 'running'", True),
        ("items[0].id", 1),
        ("items.map(one, one.id)", [1]),
    ],
)
def test_every_name_is_seen(source: str, value: Any) -> None:
    assert evaluate(source, SCOPE) == value


def test_the_names_of_the_table_are_the_names_of_the_language() -> None:
    assert set(SCOPE) == set(NAMES)
    for name in NAMES:
        check(f"{name}.x" if name == "steps" else name)


def test_now_may_come_as_text_and_without_a_zone() -> None:
    assert evaluate("now", {"now": "2026-03-05T06:07:08.009+01:00"}) == "2026-03-05T05:07:08.009Z"
    naive = datetime(2026, 3, 5)  # noqa: DTZ001 - what a scope may hold
    assert evaluate("now", {"now": naive}) == "2026-03-05T00:00:00Z"
    with pytest.raises(BadExpression, match="`now` is an int here"):
        evaluate("now", {"now": 5})


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("2.0", 2),
        ("1e300", 1e300),
        ("[2.0, 2.5, {'a': 3.0}]", [2, 2.5, {"a": 3}]),
        ("2u", 2),
        ("timestamp(0)", "1970-01-01T00:00:00Z"),
        ("[duration('90m'), duration('1ms'), duration('-1.5s')]", ["5400s", "0.001s", "-1.500s"]),
        ("b'abc'", "YWJj"),
        ("type(1.5)", "double"),
        ("null", None),
    ],
)
def test_results_are_what_json_can_say(source: str, value: Any) -> None:
    found = evaluate(source, {})
    assert found == value
    assert type(found) is type(value)


def test_a_result_is_a_copy() -> None:
    scope = {"input": {"list": [{"a": 1}]}}
    evaluate("input.list", scope)[0]["a"] = 2
    evaluate("[input.list]", scope)[0][0]["a"] = 2
    assert scope == {"input": {"list": [{"a": 1}]}}


def test_values_of_python_in_a_scope_are_read_as_json_has_them() -> None:
    scope = {
        "result": {
            "id": UUID(int=5),
            "at": datetime(2026, 1, 1, tzinfo=UTC),
            "took": timedelta(seconds=90),
            "pair": (1, 2),
        },
        "vars": MappingProxyType({"a": 1}),
    }
    assert evaluate("result.id", scope) == "00000000-0000-0000-0000-000000000005"
    assert evaluate("result.id + '!'", scope) == "00000000-0000-0000-0000-000000000005!"
    assert evaluate("result.at + result.took", scope) == "2026-01-01T00:01:30Z"
    assert evaluate("result.pair", scope) == [1, 2]
    assert evaluate("result.pair[1] + size(result.pair)", scope) == 4
    assert evaluate("vars.a", scope) == 1
    with pytest.raises(BadExpression, match="a object is no value"):
        evaluate("result", {"result": object()})
    with pytest.raises(BadExpression, match="a complex is no value"):
        evaluate("[result.x]", {"result": {"x": 5j}})


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("input.n * 1.5", 3),
        ("input.n + 0.25", 2.25),
        ("1.5 - input.n", -0.5),
        ("input.n / 4.0", 0.5),
    ],
)
def test_an_int_counts_as_a_double_where_it_meets_one(source: str, value: float) -> None:
    assert evaluate(source, SCOPE) == value


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("has(input.gone)", False),
        ("has(input.gone.deeper)", False),
        ("has(steps.never.ran)", False),
        ("has(input.none.x)", False),
        ("has(input.deep.a.b)", True),
        ("has(vars.zone)", True),
        ("default(steps.never.ran, 'x')", "x"),
        ("default(input.none, 'x')", "x"),
        ("default(input.list[9], 0)", 0),
        ("default(input.name, 'x')", "Ada"),
        ("default(input.list.map(x, x.y), [])", None),
    ],
)
def test_what_is_missing_is_forgiven_by_has_and_default_alone(source: str, value: Any) -> None:
    if value is None:
        with pytest.raises(BadExpression, match="is an int, it has no y"):
            evaluate(source, SCOPE)
    else:
        assert evaluate(source, SCOPE) == value


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("[1, 2, 3].map(x, [x, x].map(y, x * y))", [[1, 1], [4, 4], [9, 9]]),
        ("[1, 2].map(x, x > 1, x * 10)", [20]),
        ("[[1, 2], [3]].map(x, x.filter(y, y > 1))", [[2], [3]]),
        ("{'b': 1, 'a': 2}.map(k, k + '!')", ["b!", "a!"]),
        ("[1, 2].map(input, input)", [1, 2]),
        ("cel.bind(x, input.n, cel.bind(y, x + 1, x * y))", 6),
        ("[1, 2].map(x, cel.bind(y, x * 10, y + x))", [11, 22]),
        ("cel.bind(x, 1 / 0, true)", True),
        ("[].all(x, x > 1) && ![].exists(x, x > 1)", True),
        ("input.list.exists_one(x, x == 2)", True),
    ],
)
def test_macros(source: str, value: Any) -> None:
    assert evaluate(source, SCOPE) == value


@pytest.mark.parametrize(
    ("source", "line", "column", "says"),
    [
        ("input.zz", 1, 7, "input has no zz; there is deep, list, n, name and none"),
        ("steps.servr.name", 1, 7, "did you mean steps.server?"),
        ("steps.creat_vm.id", 1, 7, "did you mean steps['create-vm']?"),
        ("steps.other.id", 1, 7, "it has not run, or not on this path"),
        ("1 +\n  input.nam", 2, 9, "did you mean input.name?"),
        ("é == input.nam", 1, 1, "means nothing"),
        ("'é' + input.nam", 1, 13, "did you mean input.name?"),
        ("inptu.name", 1, 1, "did you mean input?"),
        ("server.name", 1, 1, "outputs are under steps, as in steps.server"),
        ("input.list.x", 1, 12, "write input.list[0].x for its first item"),
        ("input.list[3]", 1, 11, "input.list has 3 items, counted from 0: there is no [3]"),
        ("input.list['a']", 1, 11, "the index of a list is an int, not a string"),
        ("input.none.x", 1, 12, "input.none is null, it has no x"),
        ("input.none[0]", 1, 11, "input.none is null, it has no [0]"),
        ("input.n.x", 1, 9, "input.n is an int, it has no x"),
        ("input.n[0]", 1, 8, "only lists and maps have items"),
        ("input.deep[1]", 1, 11, "the keys of a map are strings, not an int"),
        ("input.name + 1", 1, 12, "make both strings with string(…)"),
        ("input.none + 1", 1, 12, "default(…, …)"),
        ("input.name < 1", 1, 12, "`<` does not take a string and an int"),
        ("-input.name", 1, 1, "`-` does not take a string"),
        ("!input.n", 1, 1, "takes true or false, not an int"),
        ("input.n ? 1 : 2", 1, 9, "takes true or false, not an int"),
        ("input.n && true", 1, 9, "takes true or false, not an int"),
        ("input.name in input.name", 1, 12, "text.contains(part)"),
        ("1 in input.n", 1, 3, "`in` does not take"),
        ("input.n.all(x, true)", 1, 12, "goes over a list or a map, not over an int"),
        ("input.none.map(x, x)", 1, 15, "it is null"),
        ("input.list.filter(x, x)", 1, 18, "true or false, not an int"),
        ("has(input.n.x)", 1, 4, "has() asks about the keys of a map, not of an int"),
        ("{input.n: 1}", 1, 1, "the keys of a map are strings, not an int"),
        ("{input.name: 1, 'Ada': 2}", 1, 1, "the key Ada comes twice"),
        ("1 / 0", 1, 3, "division by zero"),
        ("1 % 0", 1, 3, "modulus by zero"),
        ("9223372036854775807 + 1", 1, 21, "does not fit into 64 bits"),
        ("1u - 2u", 1, 4, "does not fit into 64 bits"),
        ("-(-9223372036854775808)", 1, 1, "does not fit into 64 bits"),
        ("timestamp(0) - duration('87600000h')", 1, 14, "years go from 1 to 9999"),
        ("1.0 / 0.0", 0, 0, "JSON has no number for"),
        ("item", 1, 1, "there is no item here (Inside `logic.each`"),
        ("[1, 2].exists(x, x / 0 == 1)", 1, 20, "division by zero"),
    ],
)
def test_errors_say_where_and_what(source: str, line: int, column: int, says: str) -> None:
    with pytest.raises(BadExpression) as refusal:
        evaluate(source, {key: SCOPE[key] for key in ("input", "steps")})
    assert says in refusal.value.message
    assert (refusal.value.line, refusal.value.column) == (line, column)
    assert refusal.value.source == source


@pytest.mark.parametrize(
    ("source", "column", "says", "cel"),
    [
        ("1 +", 4, "it ends too early", "mismatched input '<EOF>'"),
        ("1 + )", 5, "`)` is not expected here", "')'"),
        ("(1", 3, "`)` is missing here", "<EOF>"),
        ("'abc", 1, "the quote that opens here is never closed", "token recognition"),
        ("a = 1", 3, "write `==` to compare", "token recognition"),
        ("$x", 1, "`$` means nothing", "token recognition"),
        ("input.in", 7, "write ['in'] for the key", "no viable alternative"),
        ("input.;", 7, "means nothing", "token recognition"),
        ("itme", 1, "there is no name itme; did you mean item?", "undeclared"),
        (
            "'a'.lowr()",
            5,
            "no function lowr; did you mean lower?",
            "undeclared reference to 'lowr'",
        ),
        ("ip.hsot('a', 1)", 1, "no function ip.hsot; did you mean ip.host?", "hsot"),
        (
            "input.name.ip.host('a', 1)",
            12,
            "ip.host is called as ip.host(prefix: string",
            "undeclared",
        ),
        ("lower('a')", 1, "lower is called on a value, as in string.lower()", "undeclared"),
        ("text.lower('a')", 6, "lower is called on a value", "undeclared"),
        ("input.name.frobnicate()", 12, "see the list of functions", "undeclared"),
        ("'a' + 1", 5, "make both strings with string(…)", "no matching overload for '_+_'"),
        ("1 + 1.5", 3, "write 1.0 for 1", "no matching overload"),
        ("'a' in 'abc'", 5, "text.contains(part)", "no matching overload"),
        ("1 < 'a'", 3, "`<` does not take int and string", "no matching overload"),
        ("true ? 1 : 'a'", 6, "put dyn(…) around one", "no matching overload"),
        ("1 ? 1 : 2", 3, "the condition before `?`", "no matching overload"),
        ("slug(1)", 5, "slug() does not take int; it is called as slug(text: string)", "overload"),
        ("size()", 1, "size is called as size(value: string) -> int; ", "undeclared"),
        ("'a'.b", 4, "a string has no fields", "select operation"),
        ("has(1)", 5, "the macro is written otherwise", "has()"),
        ("google.protobuf.Duration{seconds: 1}", 1, "write a map", ""),
        ("steps", 1, "say which step", ""),
        ("steps[input.name]", 1, "say which step", ""),
        ("size(steps)", 6, "say which step", ""),
        ("+".join(["1"] * 50), 0, "more than 30 parts in a row", "recursion"),
        ("(" * 50 + "1" + ")" * 50, 0, "nested too deeply", ""),
        ("  ", 0, "it is empty", ""),
        ("x" * 4_001, 0, "longer than 4,000 characters", ""),
        ("'\ud800'", 2, "half a character", ""),
        ("${input.n", 1, "never closed", ""),
        ("strings.quote('a')", 9, "there is no function quote", "undeclared"),
    ],
)
def test_what_can_never_be_right_is_refused_when_it_is_saved(
    source: str, column: int, says: str, cel: str
) -> None:
    with pytest.raises(BadExpression) as refusal:
        check(source)
    assert says in refusal.value.message
    assert refusal.value.column == column
    assert cel in refusal.value.cel
    assert len(refusal.value.message) < 700


def test_python_is_out_of_reach() -> None:
    for source in (
        "input.__class__",
        "''.__class__",
        "input.name.__len__()",
        "input.list.append",
        "now.tzinfo",
        "input['__class__']",
        "'{0.__class__}'.format([input.name])",
    ):
        try:
            found = evaluate(source, SCOPE)
        except BadExpression:
            continue
        assert found == "{0.__class__}"


def test_references_and_names_of_a_tree() -> None:
    source = "steps.a.x + steps['b-c'] + [1].map(item, item + index)[0]"
    assert references(f"={source}") == {"a", "b-c"}
    assert names_of(parse(source)) == {"steps", "index"}
    assert names_of(parse("cel.bind(x, input.n, x + item)")) == {"input", "item"}


def test_many_keys_are_not_all_named() -> None:
    scope = {"input": {f"key{number:02}": 1 for number in range(30)}}
    with pytest.raises(BadExpression, match=r"key00, .*key11 and 18 more"):
        evaluate("input.other", scope)
    with pytest.raises(BadExpression, match=r"has no x{64}; "):
        evaluate("input['" + "x" * 100 + "']", scope)
    with pytest.raises(BadExpression, match="input has no other; it is empty"):
        evaluate("input.other", {"input": {}})


def test_slips_are_told_from_other_words() -> None:
    assert closest("servr", ["other", "server"]) == "server"
    assert closest("Server", ["server"]) == "server"
    assert closest("ab", ["ba"]) == "ba"
    assert closest("x", ["y"]) is None
    assert closest("foo", ["bool", "now"]) is None
    assert closest("same", ["same"]) is None
    assert closest("x" * 70, ["x" * 69]) is None
    assert distance("kitten", "sitting") == 3
    assert distance("abcd", "abdc") == 1
    assert listed([]) == "nothing"
