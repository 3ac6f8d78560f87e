"""`slipway flow`: checked without a database, published, compared, switched and started with it."""

import json
from pathlib import Path
from typing import Any

import pytest

from app.core.database import Database
from tests.admin.stage import Stage
from tests.api.documents import broken, document
from tests.cli.slipway import slipway


@pytest.fixture
def written(tmp_path: Path) -> Any:
    def write(made: Any, name: str = "greet.json") -> str:
        path = tmp_path / name
        path.write_text(json.dumps(made))
        return str(path)

    return write


async def flow(dsn: str, *words: str, code: int = 0) -> str:
    given, said = await slipway("flow", *words, DATABASE_URL=dsn)
    assert (words, given) == (words, code), said
    return said


async def test_files_are_checked_without_a_database(written: Any, tmp_path: Path) -> None:
    good, bad = written(document()), written(broken(), "bad.json")
    no_json = tmp_path / "none.json"
    no_json.write_text("{")
    assert (await slipway("flow", "validate", good))[0] == 0
    code, said = await slipway("flow", "validate", good, bad, str(no_json))
    assert code == 1
    assert f"{bad}: error: mail.type: no node type action.levitate" in said
    assert f"{no_json}: error: flow.document: This is not a flow document" in said
    code, said = await slipway("flow", "validate", bad, "--json")
    assert code == 1
    assert {one["node"] for one in json.loads(said)[bad]} >= {"mail"}
    assert (await slipway("flow", "validate"))[0] == 2
    assert (await slipway("flow", "validate", "missing.json"))[0] == 2


async def test_node_types_and_the_schema_are_told_without_a_database() -> None:
    code, said = await slipway("flow", "nodes")
    assert code == 0
    assert any(line.startswith("action.send_mail ") for line in said.splitlines())
    code, said = await slipway("flow", "nodes", "action.send_mail")
    assert code == 0
    assert "template" in said
    code, said = await slipway("flow", "nodes", "logic.repeat", "--json")
    assert json.loads(said)["is_container"] is True
    assert (await slipway("flow", "nodes", "action.levitate"))[0] == 1
    code, said = await slipway("flow", "schema")
    assert json.loads(said)["title"] == "Slipway flow"


async def test_a_flow_is_published_read_and_compared(
    dsn: str, database: Database, written: Any, tmp_path: Path
) -> None:
    first, second = written(document()), written(document(tries=3), "second.json")
    said = await flow(dsn, "publish", first, "--note", "First")
    assert said.strip() == "greet is at version 1."
    await flow(dsn, "publish", first, code=2)  # a note is asked for
    said = await flow(dsn, "publish", written(broken(), "bad.json"), "--note", "x", code=1)
    assert "error: mail.type: no node type" in said

    said = await flow(dsn, "diff", second, "--exit-code", code=1)
    assert "~ node mail: retry.max: not set → 3" in said
    assert await flow(dsn, "diff", first, "--exit-code") == ""
    said = await flow(dsn, "publish", second, "--note", "Thrice", "--json")
    assert json.loads(said)["number"] == 2
    assert "retry.max" in await flow(dsn, "diff", "greet")
    assert "retry.max" in await flow(dsn, "diff", "greet", "1", "2", "--json")

    (head, line) = (await flow(dsn, "list")).splitlines()
    assert head.split()[:2] == ["FLOW", "VERSION"]
    assert line.split()[:3] == ["greet", "2", "order.paid"]
    lines = (await flow(dsn, "history", "greet")).splitlines()
    assert [one.split()[-1] for one in lines] == ["NOTE", "Thrice", "First"]

    exported = tmp_path / "out.json"
    await flow(dsn, "export", "greet", "--version", "1", "--output", str(exported))
    assert await flow(dsn, "export", "greet", "--version", "1") == exported.read_text()
    assert (await flow(dsn, "import", str(exported), "--note", "x", "--slug", "hail")).strip() == (
        "hail is at version 1."
    )
    assert (await flow(dsn, "roll-back", "greet", "1")).strip() == "greet is at version 3."
    async with database.snapshot() as tx:
        labels = await tx.fetch(
            "SELECT DISTINCT actor_label FROM audit_entry WHERE action = 'flow.published' ORDER BY 1"
        )
    assert [row[0] for row in labels] == [
        "slipway flow import", "slipway flow publish", "slipway flow roll-back",
    ]  # fmt: skip


async def test_a_flow_is_bound_switched_and_started(
    stage: Stage, dsn: str, written: Any, tmp_path: Path
) -> None:
    inputs = {"type": "object", "properties": {"name": {"type": "string"}}}
    await flow(dsn, "publish", written(document(inputs=inputs)), "--note", "First")
    async with stage.database.snapshot() as tx:
        category = await tx.fetchval("SELECT slug FROM category")
    order = await stage.paid()
    said = await flow(dsn, "bind", "greet", category)
    assert said.strip() == f"greet serves {category} on order.paid."
    assert (await flow(dsn, "unbind", category)).strip() == (
        f"No flow serves {category} on order.paid."
    )
    await flow(dsn, "unbind", category, code=1)

    about = ("--order", f"#{order.number}")
    data = tmp_path / "input.json"
    data.write_text('{"name": "Ada"}')
    run = (await flow(dsn, "start", "greet", *about, "--input", f"@{data}", "--key", "k")).strip()
    again = await flow(dsn, "start", "greet", *about, "--input", f"@{data}", "--key", "k")
    assert again.strip() == run
    async with stage.database.snapshot() as tx:
        row = await tx.fetchrow("SELECT subject, input FROM run WHERE id::text = $1", run)
    assert row is not None
    assert (row["subject"], json.loads(row["input"])) == (order.id, {"name": "Ada"})
    said = await flow(dsn, "start", "greet", *about, "--input", '{"name": 7}', code=1)
    assert "$.name must be string" in said
    await flow(dsn, "start", "greet", "--input", "[]", code=2)
    await flow(dsn, "start", "greet", "--input", "{", code=2)
    await flow(dsn, "start", "greet", "--order", "999", code=1)

    await flow(dsn, "disable", "greet", "--reason", "Enough")
    assert "is disabled" in await flow(dsn, "start", "greet", *about, code=1)
    await flow(dsn, "enable", "greet")
    await flow(dsn, "enable", "greet", code=1)
