"""data.lookup: a row of a table, by its columns."""

import csv
import io

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.flows.json_schema import mismatch
from app.flows.node import StepFailed
from app.flows.nodes.lookup import node
from app.flows.same import same
from tests.flows.hand import do, enter, output
from tests.flows.values import names, scalars, texts

PLANS = [
    {"plan": "small", "region": "eu", "template": 9001},
    {"plan": "small", "region": "us", "template": 9002},
    {"plan": "large", "region": "eu", "template": 9003},
]
TEXT = "plan,region,template\nsmall,eu,9001\nsmall,us,9002\n\nlarge,eu,9003\n"


@pytest.mark.parametrize("table", [{"rows": PLANS}, {"csv": TEXT}])
@pytest.mark.parametrize(
    ("where", "template"),
    [
        ({"plan": "small"}, 9001),
        ({"plan": "small", "region": "us"}, 9002),
        ({"plan": "large"}, 9003),
    ],
)
def test_the_first_row_that_has_the_values_is_found(table, where, template: int) -> None:
    done = do(node, {**table, "where": where})
    assert done.port == "out"
    assert int(output(done)["template"]) == template


@pytest.mark.parametrize("table", [{"rows": PLANS}, {"csv": TEXT}, {"rows": []}, {"csv": ""}])
def test_what_no_row_has_leaves_by_missing(table) -> None:
    done = do(node, {**table, "where": {"plan": "huge"}})
    assert (done.port, done.output) == ("missing", None)


@pytest.mark.parametrize("table", [{"rows": PLANS}, {"csv": TEXT}])
def test_a_column_that_the_table_does_not_know_is_an_error(table) -> None:
    with pytest.raises(StepFailed, match="no column plans; it has plan, region, template"):
        do(node, {**table, "where": {"plans": "small"}})


def test_rows_are_compared_strictly_and_cells_of_a_csv_as_text() -> None:
    assert do(node, {"rows": PLANS, "where": {"template": "9001"}}).port == "missing"
    assert do(node, {"rows": PLANS, "where": {"template": 9001.0}}).port == "out"
    for value in ("9001", 9001, 9001.0):
        assert do(node, {"csv": TEXT, "where": {"template": value}}).port == "out"
    table = {"csv": "a,b,c\ntrue,1.5,\n"}
    for where in ({"a": True}, {"b": 1.5}, {"c": None}):
        assert do(node, {**table, "where": where}).port == "out"
    with pytest.raises(StepFailed, match=r"cannot be the list \[1\]"):
        do(node, {**table, "where": {"a": [1]}})


def test_rows_need_not_have_every_column() -> None:
    rows = [{"a": 1}, {"b": None}, {"b": 2}]
    assert output(do(node, {"rows": rows, "where": {"b": None}})) == {"b": None}
    assert output(do(node, {"rows": rows, "where": {"b": 2}})) == {"b": 2}


def test_delimiters_quotes_and_a_byte_order_mark() -> None:
    text = '\ufeffplan ; note\nsmall;"a; b\nc ""d"""\n'
    found = output(do(node, {"csv": text, "delimiter": ";", "where": {"plan": "small"}}))
    assert found == {"plan": "small", "note": 'a; b\nc "d"'}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,b\n1,2\n3\n", "line 3 of the CSV has 1 cells, its first line 2"),
        ("a,a\n", "names a column twice"),
        ("a,\n", "one of them has no name"),
        ('a\n"x', "line 2 of the CSV cannot be read: unexpected end of data"),
        ("a\n" + "x" * 200_000, "line 2 of the CSV cannot be read: field larger"),
        ("a\n" + "x\n" * 100_001, "more than 100,000 lines"),
    ],
)
def test_a_csv_that_is_none_is_told_by_its_line(text: str, said: str) -> None:
    with pytest.raises(StepFailed, match=said):
        do(node, {"csv": text, "where": {"a": "1"}})


@pytest.mark.parametrize("table", [{}, {"rows": [], "csv": ""}])
def test_the_table_is_given_in_one_way(table) -> None:
    with pytest.raises(msgspec.ValidationError, match="either as `rows` or as `csv`"):
        enter(node, {**table, "where": {"a": 1}})


tables = st.lists(st.dictionaries(names, scalars, min_size=1, max_size=4), min_size=1, max_size=6)


@given(tables, st.data())
def test_a_row_that_is_there_is_found_or_an_earlier_one_like_it(rows, data) -> None:
    index = data.draw(st.integers(0, len(rows) - 1))
    column = data.draw(st.sampled_from(sorted(rows[index])))
    wanted = rows[index][column]
    found = do(node, {"rows": rows, "where": {column: wanted}}).output
    like_it = [row for row in rows[: index + 1] if column in row and same(row[column], wanted)]
    assert found == like_it[0]


@given(tables, st.data())
def test_the_output_is_as_the_editor_was_told(rows, data) -> None:
    assert node.output_of is not None
    sought = data.draw(st.sampled_from(rows))
    given = {"rows": rows, "where": dict(sought)}
    done = do(node, given)
    told = node.output_of(given)
    written = {"rows": [dict.fromkeys(row, "=x") for row in rows]}
    assert mismatch(output(done), node.output_of(written)) is None
    if not any(
        isinstance(value, str) and value.startswith("=") for row in rows for value in row.values()
    ):
        assert mismatch(output(done), told) is None


@given(st.lists(texts.filter(lambda text: "\r" not in text), min_size=1, max_size=5))
def test_every_text_comes_back_from_a_csv(cells: list[str]) -> None:
    made = io.StringIO()
    writer = csv.writer(made, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(["key", *(f"c{n}" for n in range(len(cells)))])
    writer.writerow(["k", *cells])
    found = output(do(node, {"csv": made.getvalue(), "where": {"key": "k"}}))
    assert list(found.values()) == ["k", *cells]


def test_the_editor_knows_the_columns() -> None:
    assert node.output_of is not None
    told = node.output_of({"rows": [*PLANS, {"plan": "odd", "template": "x"}]})
    assert told["properties"] == {
        "plan": {"type": "string"},
        "region": {"type": "string"},
        "template": {},
    }
    assert told["required"] == ["plan", "template"]
    assert node.output_of({"rows": "=input.rows"}) == {"type": ["object", "null"]}
